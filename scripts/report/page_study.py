"""A study's part of the page: figures and tables with their origin, deviations, limitations, run times."""

import os
from pathlib import Path

import pandas as pd

from scripts.common import studies
from scripts.common.errors import UserError
from scripts.common.references import address, cite
from scripts.report.caption import caption_html
from scripts.report.embed import embed
from scripts.report.page_tables import read_table


def relative(path: str, page: str | Path) -> str:
    """Return a path of the project relative to the folder of the page."""
    return Path(os.path.relpath(path, Path(page).parent)).as_posix()


def how(path: str, made_by: dict[str, dict]) -> dict:
    """Return the command that makes a file, and its rule, script, settings and data according to `made_by`."""
    unknown = {"rule": None, "script": None, "settings": {}, "data": []}
    return {"command": f"snakemake --cores all {path}", **made_by.get(path, unknown)}


def figure_entry(study: str, name: str, about: dict, root: Path, page: str | Path, made_by: dict) -> dict:
    """Return the page's values for a figure: texts, embedded image, links to its other files, origin.

    Raises:
        UserError: the alternative text is blank, the image is missing or damaged, the caption is not valid.
    """
    figure = about["figures"][name]
    if not figure["alt"].strip():
        raise UserError(f"scripts/{study}/study.yaml: figures: {name}: alt: blank; say what the picture shows")
    files = {Path(path).suffix[1:]: path for path in studies.figure_paths(study, root, name=name)}
    explorer = about.get("explorers", {}).get(name)
    return {
        "id": f"{study}-{name}",
        "title": figure["title"],
        "shows": figure["shows"],
        "alt": " ".join(figure["alt"].split()),
        "picture": embed(files["png"]),
        "animation": embed(files["gif"]) if "gif" in files else None,
        "caption": caption_html(studies.caption_path(study, name, root)),
        "links": [("vector picture (PDF)", files["pdf"]), ("plotted numbers (Parquet)", files["parquet"])],
        "explorer": {"words": explorer, "href": relative(files["html"], page)} if explorer else None,
        "how": how(files["png"], made_by),
    }


def table_entry(study: str, name: str, about: dict, root: Path, made_by: dict) -> dict:
    """Return the page's values for a table: texts, cells, links to its three formats, origin.

    Raises:
        UserError: the CSV file is missing or broken, the caption is not valid.
    """
    files = {Path(path).suffix[1:]: path for path in studies.table_paths(study, root, name=name)}
    formats = {"csv": "CSV", "md": "Markdown", "tex": "LaTeX"}
    return {
        "id": f"{study}-table-{name}",
        "title": about["tables"][name]["title"],
        "caption": caption_html(studies.caption_path(study, name, root)),
        "table": read_table(files["csv"]),
        "links": [(formats[kind], path) for kind, path in files.items()],
        "how": how(files["csv"], made_by),
    }


def run_times(rules: dict[str, dict]) -> list[dict]:
    """Return one line per rule in the manifest's run times of a study, the longest rule first, and their sum last."""
    keys = ("jobs", "seconds", "max_memory_mb")
    lines = [{"rule": rule} | {key: about.get(key) for key in keys} for rule, about in rules.items()]
    lines.sort(key=lambda line: -(line["seconds"] or 0))
    if len(lines) > 1:
        jobs, seconds = (sum(line[key] or 0 for line in lines) for key in ("jobs", "seconds"))
        memory = max((line["max_memory_mb"] or 0 for line in lines), default=0)
        lines.append({"rule": "all", "jobs": jobs, "seconds": seconds, "max_memory_mb": memory or None})
    return lines


def study_entry(study: str, root: Path, page: str | Path, rows: list[dict], manifest: dict, made_by: dict) -> dict:
    """Return the page's values for a study.

    Args:
        root: the project's folder.
        page: path of the page to write; links are relative to it.
        rows: the study's claims, as `page_claims.claim_rows` returns them.
        made_by: as `made_by.made_by` returns it.

    Raises:
        UserError: as `figure_entry` and `table_entry`.
    """
    about = studies.describe(study, root)
    return {
        "name": study,
        "title": about["title"],
        "question": about["question"],
        "references": [
            {"text": cite(entry), "address": address(entry), "replicated": entry["replicated"]}
            for entry in about["references"]
        ],
        "figures": [figure_entry(study, name, about, root, page, made_by) for name in about["figures"]],
        "tables": [table_entry(study, name, about, root, made_by) for name in about["tables"]],
        "claims": rows,
        "deviations": about["deviations"],
        "limitations": about["limitations"],
        "run_times": run_times((manifest.get("run_times") or {}).get(study) or {}),
    }


def dataset_names(metrics: pd.DataFrame) -> list[str]:
    """Return the names of the datasets behind the numbers of a study, in alphabetical order."""
    return sorted(map(str, metrics["dataset"].dropna().unique()))


def by_dataset(datasets: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return {dataset: studies that use it}, in the order of their first appearance."""
    users: dict[str, list[str]] = {}
    for study, names in datasets.items():
        for name in names:
            users.setdefault(name, []).append(study)
    return users
