"""Rule `readme`: put the newest verdicts, pictures, tables and the rule graph of a run into README.md and pictures/."""

import re
import shutil
from pathlib import Path

import pandas as pd

from scripts.claims.verdicts import NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED
from scripts.common import parquet, studies
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.schemas.claims import CLAIMS
from scripts.common.tables import UNDEFINED, format_interval, format_number

SIGNS = {REPRODUCED: "✅", PARTLY: "🟡", NOT_REPRODUCED: "❌", NOT_TESTABLE: "⚪"}
PROTOCOLS = {"as_published": "as published", "corrected": "corrected"}
READ_FROM = {"picture": ", read off a picture"}


def put_between_marks(text: str, name: str, content: str) -> str:
    """Return `text` with `content` between the comments `begin NAME` and `end NAME`.

    Raises:
        UserError: the text has no such pair of comments.
    """
    pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
    if not pattern.search(text):
        raise UserError(f"README.md: the comments 'begin {name}' and 'end {name}' are missing")
    return pattern.sub(lambda match: match[1] + content.strip() + "\n" + match[2], text)


def anchor(study: str, claim: str) -> str:
    """Return the name by which a claim's row is linked to."""
    return f"claim-{study}-{claim}"


def cell(text: object) -> str:
    """Return text that stays in its cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", r"\|")


def verdicts_section(claims: pd.DataFrame) -> str:
    """Return one row per study with its counts of verdicts; claims that failed are named and linked to their rows."""
    lines = ["| study | " + " | ".join(f"{sign} {verdict}" for verdict, sign in SIGNS.items()) + " | not reproduced |"]
    lines += ["|:--|" + "--:|" * len(SIGNS) + ":--|"]
    for study, own in claims.groupby("study", sort=False):
        counts = own["verdict"].value_counts()
        failed = dict.fromkeys(own["claim"][own["verdict"] == NOT_REPRODUCED])
        links = ", ".join(f"[{claim}](#{anchor(study, claim)})" for claim in failed) or "none"
        lines.append(f"| [{study}](#{study}) | " + " | ".join(str(counts.get(v, 0)) for v in SIGNS) + f" | {links} |")
    return "\n".join([*lines, "", "One count per claim and protocol."])


def claims_section(study: str, claims: pd.DataFrame) -> str:
    """Return one row per claim, with a verdict for each protocol in which it was tested."""
    lines = ["| claim | published | " + " | ".join(PROTOCOLS.values()) + " |", "|:--|:--|:--|:--|"]
    for claim, own in claims.groupby("claim", sort=False):
        first = own.iloc[0]
        published = UNDEFINED
        if pd.notna(first["published"]):
            unit = f" {first['unit']}" if pd.notna(first["unit"]) else ""
            published = f"{first['published']:g}{unit}{READ_FROM.get(first['read_from'], '')}"
        name = f'<a id="{anchor(study, claim)}"></a>[{claim}](scripts/{study}/claims.yaml): {first["says"]}'
        cells = [name, published]
        for protocol in PROTOCOLS:
            rows = own[own["protocol"] == protocol]
            cells.append(_outcome(rows.iloc[0]) if len(rows) else UNDEFINED)
        lines.append("| " + " | ".join(map(cell, cells)) + " |")
    return "\n".join(lines)


def _outcome(row: pd.Series) -> str:
    """Return sign, verdict and our number; for what cannot be tested the reason."""
    ours = format_interval(row["value"], row["ci_low"], row["ci_high"])
    words = f"{SIGNS[row['verdict']]} {row['verdict']}"
    if row["verdict"] == NOT_TESTABLE:
        return f"{words}: {row['reason']}" + (f" (here {ours})" if ours != UNDEFINED else "")
    seeds = f", {format_number(row['seeds'], 0)} seeds" if row["seeds"] > 1 else ""
    return f"{words}: {ours}{seeds}"


def study_section(study: str, root: Path, claims: pd.DataFrame, tables: dict[str, Path]) -> str:
    """Return the README's part on a study: question, pictures, claims, tables.

    Args:
        tables: the Markdown files of the study's tables by name.
    """
    about = studies.describe(study, root)
    parts = [f'### <a id="{study}"></a>`{study}`: {about["title"]}', about["question"].strip()]
    for name in studies.shown_in_readme(study, root, "figures"):
        figure = about["figures"][name]
        parts.append(
            f"![{figure['alt'].strip()}](pictures/{study}/{Path(studies.picture_path(study, name, root)).name})"
        )
        parts.append(f"*{figure['title']} ({figure['shows']}).*")
    own = claims[claims["study"] == study]
    counts = own["verdict"].value_counts()
    words = ", ".join(f"{counts[verdict]} {verdict}" for verdict in SIGNS if verdict in counts)
    parts += [f"<details><summary><b>Claims</b>: {words}</summary>", claims_section(study, own), "</details>"]
    for name in studies.shown_in_readme(study, root, "tables"):
        summary = f"<details><summary>{about['tables'][name]['title']}</summary>"
        parts += [summary, tables[name].read_text(encoding="utf-8").strip(), "</details>"]
    return "\n\n".join(parts)


def faults_section(paths: list[str]) -> str:
    """Return the table of faults, with a line that sums it up, from the CSV that `make faults` keeps in releases/.

    Args:
        paths: the file, or nothing where `make faults` has never run.

    Raises:
        UserError: the file is no such table.
    """
    if not paths:
        return "*The table is not in this release: `make faults` has not run to its end on it.*"
    (path,) = paths
    try:
        faults = pd.read_csv(path)
        tried, lost = int(faults["times tried"].sum()), int(faults["results lost"].sum())
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: no table of faults ({error}); make it with make faults") from error
    lines = ["| " + " | ".join(faults.columns) + " |", "|:--|:--|--:|--:|"]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in faults.itertuples(index=False)]
    summary = f"{len(faults)} kinds of faults, tried {tried:,} times: {lost or 'no'} result{'s' * (lost != 1)} lost"
    return "\n".join([f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"])


def renew(
    root: str | Path,
    names: list[str],
    claims_path: str,
    graph: str,
    faults: list[str],
    tables: list[str],
    pictures: list[str],
) -> None:
    """Write the parts that a run makes into README.md, and copy the pictures into pictures/.

    Args:
        root: the project's folder.
        names: the studies, in the order of the page.
        graph: the Markdown file of the rule graph.
        faults: the table of faults, as CSV, or nothing.
        tables: Markdown files `.../X/tables/NAME.md`.
        pictures: files `.../X/figures/NAME.*`.

    Raises:
        UserError: README.md lacks the marks, a file cannot be read or written.
    """
    root, claims = Path(root), parquet.read(claims_path, CLAIMS)
    text = (root / "README.md").read_text(encoding="utf-8")
    sections = []
    for study in names:
        own = {path.stem: path for path in map(Path, tables) if path.parts[-3] == study}
        sections.append(study_section(study, root, claims, own))
    text = put_between_marks(text, "verdicts", verdicts_section(claims))
    text = put_between_marks(text, "studies", "\n\n".join(sections))
    text = put_between_marks(text, "rulegraph", Path(graph).read_text(encoding="utf-8"))
    text = put_between_marks(text, "faults", faults_section(faults))
    for picture in map(Path, pictures):
        with atomic_path(root / "pictures" / picture.parts[-3] / picture.name) as temporary:
            shutil.copyfile(picture, temporary)
    with atomic_path(root / "README.md") as temporary:
        temporary.write_text(text, encoding="utf-8")


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        files, params = snakemake.input, snakemake.params
        renew(
            params.root,
            params.studies,
            files.claims,
            files.graph,
            list(files.faults),
            list(files.tables),
            list(files.pictures),
        )
