"""Rule `docs_readme`: the table of studies on the front page, and the index of their pages."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.claims.counts import headline_counts
from scripts.common import parquet, studies
from scripts.common.files import atomic_path
from scripts.common.schemas.claims import CLAIMS
from scripts.report.claims_markdown import SIGNS
from scripts.report.found import sentence
from scripts.report.markdown import table

MOST = 3  # sources named on the front page, at most


def short_source(about: dict) -> str:
    """Return the replicated sources, "Ahani 2024, Wang et al. 2019"; software only if there is nothing else."""
    replicated = [reference for reference in about["references"] if reference["replicated"]]
    shorts: dict[str, set] = {}
    for reference in [each for each in replicated if each["type"] != "software"] or replicated:
        first, *others = (author.partition(", ")[0] for author in reference["authors"])
        names = f"{first} et al." if len(others) > 1 else " and ".join([first, *others])
        shorts.setdefault(names, set()).add(reference.get("year"))
    dated = [f"{names} {year}".strip() for names, years in shorts.items() for year in sorted(years - {None}) or [""]]
    more = len(dated) - MOST
    return ", ".join(dated[:MOST]) + (f" and {more} more" if more > 0 else "")


def study_row(study: str, root: Path, claims: pd.DataFrame, released: Mapping[str, str]) -> list[str]:
    """Return a study's row: link, source, counts of verdicts on the sources' claims, main finding.

    Args:
        claims: rows of `CLAIMS` of the study.
        released: its released Parquet files by stem.

    Raises:
        UserError: the sentence names a number that does not exist.
    """
    about = studies.describe(study, root)
    counted = headline_counts(claims).set_index("study")
    counts = [str(counted[verdict].get(study, 0)) for verdict in SIGNS]
    finding = sentence(about["found"], claims, released, f"scripts/{study}/study.yaml")
    return [f"[{study}](docs/studies/{study}.md)", short_source(about), *counts, finding]


def front_table(rows: list[list[str]]) -> str:
    """Return the table of studies: rows as `study_row` returns them."""
    return table(["study", "source", *SIGNS.values(), "what was found"], rows, SIGNS.values())


def index(names: list[str], root: Path) -> str:
    """Return the index of the studies' pages, in their order."""
    rows = []
    for study in names:
        about = studies.describe(study, root)
        rows.append([f"[{study}]({study}.md)", about["title"], about["question"]])
    head = "<!-- Written by the rule docs_readme: change the study.yaml of a study, not this. -->\n\n# The studies\n\n"
    return f"{head}{table(['study', 'title', 'question'], rows)}\n\n[The front page](../../README.md)\n"


def write_parts(
    names: list[str], root: str | Path, claims: list[str], released: list[str], part: str | Path, page: str | Path
) -> None:
    """Write the table of studies into `part` and the index into `page`.

    Args:
        names: the studies in their order.
        claims: the claims file of each, in the same order.
        released: the released Parquet files of all, `.../X/STEM.parquet`.

    Raises:
        UserError: as `study_row`.
    """
    rows = []
    for study, path in zip(names, claims, strict=True):
        stems = {Path(each).stem: each for each in released if Path(each).parent.name == study}
        rows.append(study_row(study, Path(root), parquet.read(path, CLAIMS), stems))
    for path, text in ((part, front_table(rows) + "\n"), (page, index(names, Path(root)))):
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        files, params, out = snakemake.input, snakemake.params, snakemake.output
        write_parts(params.studies, params.root, list(files.claims), list(files.released), out.part, out.index)
