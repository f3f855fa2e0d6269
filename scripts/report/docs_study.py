"""Rule `docs_study`: the page of a study, docs/studies/X.md, made from its own results only."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.claims.counts import headline_counts, of_group
from scripts.common import parquet, studies
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.references import address, cite
from scripts.common.schemas.claims import CLAIMS
from scripts.report.claims_markdown import PROTOCOLS, SIGNS, claims_table
from scripts.report.found import sentence
from scripts.report.markdown import bullets, folded

APART = {
    "ours": ("Findings of ours", "They are no claims of a paper, and no headline counts them."),
    "packages": (
        "Numbers of a released package",
        "Values of somebody's code, made again; they are no claims of a paper.",
    ),
}


def caption(path: str | Path) -> str:
    """Return a caption (one paragraph of reStructuredText) as Markdown.

    Raises:
        UserError: the file is missing.
    """
    try:
        text = " ".join(Path(path).read_text(encoding="utf-8").split())
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; every figure and table needs a caption") from error
    text = re.sub(r":math:`([^`]+)`", r"$\1$", text)
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def sources(about: dict) -> list[str]:
    """Return one line per document that the study replicates or uses, with its address."""
    lines = []
    for reference in about["references"]:
        use = "" if reference["replicated"] else " (used, not replicated)"
        place = address(reference)
        lines.append(f"`{reference['id']}`: {cite(reference)}{use}" + (f" <{place}>" if place else ""))
    return lines


def claims_parts(claims: pd.DataFrame) -> list[str]:
    """Return the Markdown parts on claims: those of the papers with their counts, then the others folded, by origin."""
    papers = of_group(claims, "papers")
    parts = ["## What the sources claim, and what holds"]
    if papers.empty:
        parts.append("The sources state nothing that could be tested.")
    else:
        counts = headline_counts(papers).iloc[0]
        verdicts = ", ".join(f"{sign} {counts[verdict]} {verdict}" for verdict, sign in SIGNS.items())
        parts.append(
            f"{counts['claims']} claim{'' if counts['claims'] == 1 else 's'}: {verdicts}. "
            "One verdict each, as published where both protocols were run; "
            "[how verdicts are computed](../claims.md)."
        )
        parts.append(claims_table(papers))
    for group, (title, remark) in APART.items():
        apart = of_group(claims, group)
        if len(apart):
            summary = f"{title}: {apart['claim'].nunique()}"
            parts.append(folded(summary, f"{remark}\n\n{claims_table(apart)}"))
    return parts


def page(study: str, root: Path, claims: pd.DataFrame, released: Mapping[str, str], tables: Mapping[str, Path]) -> str:
    """Return the page of a study.

    Args:
        root: the project's folder.
        claims: rows of `CLAIMS` of this study.
        released: its released Parquet files by stem.
        tables: its tables as Markdown files, by name.

    Raises:
        UserError: the sentence names a number that does not exist, a caption is missing.
    """
    about = studies.describe(study, root)
    finding = sentence(about["found"], claims, released, f"scripts/{study}/study.yaml")
    parts = [
        f"<!-- Written by the rule docs_study from its results: change scripts/{study}/study.yaml, not this. -->",
        f"# {about['title']}",
        f"**What was found.** {finding}",
        f"**The question.** {' '.join(about['question'].split())}",
    ]
    if about["protocols"]:
        lines = [
            f"**{label}**: {about['protocols'][key]}" for key, label in PROTOCOLS.items() if key in about["protocols"]
        ]
        parts += ["## The protocols", bullets(lines)]
    parts.append("## Figures")
    for name in studies.shown_in_docs(study, root, "figures"):
        figure = about["figures"][name]
        picture = Path(studies.picture_path(study, name, root)).name
        parts.append(f"### {figure['title']}")
        parts.append(f"![{' '.join(figure['alt'].split())}]({study}/{picture})")
        parts.append(f"{caption(studies.caption_path(study, name, root))} *Answers to: {figure['shows']}.*")
    parts += claims_parts(claims)
    parts.append("## Tables")
    for name in studies.shown_in_docs(study, root, "tables"):
        text = tables[name].read_text(encoding="utf-8")
        parts.append(folded(about["tables"][name]["title"], text))
    parts += ["## Where it departs from the sources", bullets(about["deviations"])]
    parts += ["## What it cannot show", bullets(about["limitations"])]
    parts += ["## Sources", bullets(sources(about))]
    parts.append("[All studies](README.md) · [the front page](../../README.md)")
    return "\n\n".join(parts) + "\n"


def write_page(
    study: str,
    root: str | Path,
    claims_path: str,
    released: list[str],
    tables: list[str],
    pictures: list[str],
    output: str | Path,
    folder: str | Path,
) -> None:
    """Write the page, and copy the images that it shows into `folder` beside it.

    Args:
        released: Parquet files `.../STEM.parquet`.
        tables: Markdown files `.../NAME.md`.
        pictures: files `.../NAME.png` or `.gif`.

    Raises:
        UserError: as `page`; a file cannot be read or written.
    """
    claims = parquet.read(claims_path, CLAIMS)
    claims = claims[claims["study"] == study]
    stems = {Path(path).stem: path for path in released}
    text = page(study, Path(root), claims, stems, {Path(path).stem: Path(path) for path in tables})
    Path(folder).mkdir(parents=True, exist_ok=True)
    for picture in map(Path, pictures):
        with atomic_path(Path(folder) / picture.name) as temporary:
            shutil.copyfile(picture, temporary)
    with atomic_path(output) as temporary:
        temporary.write_text(text, encoding="utf-8")


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        files, out = snakemake.input, snakemake.output
        write_page(
            snakemake.wildcards.study,
            snakemake.params.root,
            files.claims,
            list(files.released),
            list(files.tables),
            list(files.pictures),
            out.page,
            out.pictures,
        )
