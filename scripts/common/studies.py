"""The studies of the project: the paths of their files, and the content of each `scripts/X/study.yaml`.

A study X exists if it has `rules/X.smk` and `scripts/X/study.yaml`; nothing else lists it. This module is
imported by the Snakefile, so it imports nothing heavy.
"""

import importlib
import importlib.util
import string
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.yaml_files import check, read_yaml

FIGURE_KINDS = ("png", "pdf", "parquet")
TABLE_KINDS = ("csv", "md", "tex")
SCHEMA = Path(__file__).with_name("study.schema.yaml")


def study_names(root: str | Path) -> list[str]:
    """Return the names of all studies below the project's root, in alphabetical order."""
    root = Path(root)
    names = (path.parent.name for path in root.glob("scripts/*/study.yaml"))
    return sorted(name for name in names if (root / f"rules/{name}.smk").exists())


@cache
def describe(study: str, root: Path) -> dict:
    """Return the checked content of `scripts/X/study.yaml`: titles, figures, tables, what is released.

    Raises:
        UserError: the file is missing or breaks the schema, a figure or table has no caption file, an explorer stands
            beside no figure, or a reference has neither an address nor a note.
    """
    path = root / f"scripts/{study}/study.yaml"
    about = read_yaml(path)
    check(about, read_yaml(SCHEMA), path)
    for name in [*about["figures"], *about["tables"]]:
        if not caption_path(study, name, root).exists():
            raise UserError(f"{path}: {name} has no caption; write scripts/{study}/captions/{name}.rst")
    for name in about.get("explorers", {}):
        if name not in about["figures"]:
            raise UserError(f"{path}: explorers: {name!r} is not among the study's figures, beside which pages show it")
    for entry in about["references"]:
        if not {"doi", "url", "repository", "note"} & entry.keys():
            raise UserError(f"{path}: references: {entry['id']} has no doi, url or repository; a note must say why")
    for kind, names in about.get("docs", {}).items():
        for name in names:
            if name not in about[kind]:
                raise UserError(f"{path}: docs.{kind}: {name!r} is not among the study's {kind}")
    check_sentence(about["found"], path)
    return about


def check_sentence(finding: dict, where: str | Path) -> None:
    """Check that the placeholders of a finding's sentence are the names of its numbers.

    Raises:
        UserError: a placeholder has no number, a number has no placeholder, or a brace is unbalanced.
    """
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(finding["sentence"]) if name is not None]
    except ValueError as error:
        raise UserError(f"{where}: found.sentence: {error}") from error
    if unknown := [name for name in names if name not in finding["numbers"]]:
        raise UserError(f"{where}: found.sentence: {{{unknown[0]}}} is not among found.numbers; add it there")
    if unused := [name for name in finding["numbers"] if name not in names]:
        raise UserError(f"{where}: found.numbers: {unused[0]!r} does not stand in the sentence; remove it")


def in_order(names: list[str], root: str | Path) -> list[str]:
    """Return the studies in the order that their study.yaml gives.

    Raises:
        UserError: two have the same order.
    """
    root, places = Path(root), {}
    for name in names:
        place = describe(name, root)["order"]
        if place in places:
            raise UserError(
                f"scripts/{name}/study.yaml: order: {place} is the order of {places[place]} too; give each its own"
            )
        places[place] = name
    return [places[place] for place in sorted(places)]


def caption_path(study: str, name: str, root: Path) -> Path:
    """Return the path of the caption of a figure or table: one paragraph of reStructuredText."""
    return root / f"scripts/{study}/captions/{name}.rst"


def caption_paths(study: str, root: Path) -> list[Path]:
    """Return the captions of all figures and tables of a study."""
    about = describe(study, root)
    return [caption_path(study, name, root) for name in [*about["figures"], *about["tables"]]]


def figure_paths(study: str, root: Path, name: str | None = None) -> list[str]:
    """Return the output files of one figure or of all, including a figure's animation and interactive page."""
    about, paths = describe(study, root), []
    for figure, entry in about["figures"].items():
        kinds = [*FIGURE_KINDS]
        kinds += ["gif"] if entry.get("animation") else []
        kinds += ["html"] if figure in about.get("explorers", {}) else []
        if name in (None, figure):
            paths += [f"results/{study}/figures/{figure}.{kind}" for kind in kinds]
    if name is not None and not paths:
        raise UserError(f"scripts/{study}/study.yaml: figures: there is no {name!r}, but a rule makes it")
    return paths


def table_paths(study: str, root: Path, name: str | None = None) -> list[str]:
    """Return the output files of one table or of all: CSV, Markdown, LaTeX."""
    tables = describe(study, root)["tables"]
    if name is not None and name not in tables:
        raise UserError(f"scripts/{study}/study.yaml: tables: there is no {name!r}, but a rule makes it")
    chosen = tables if name is None else [name]
    return [f"results/{study}/tables/{table}.{kind}" for table in chosen for kind in TABLE_KINDS]


def cost_inputs(study: str) -> list[str]:
    """Return the files that a study's scripts/X/cost.py reads beside the config and the tables: its `INPUTS`."""
    if importlib.util.find_spec(f"scripts.{study}.cost") is None:
        return []
    return list(getattr(importlib.import_module(f"scripts.{study}.cost"), "INPUTS", []))


def varies(path: str, root: Path) -> bool:
    """Return whether a Parquet file, `results/X/...`, is not the same bytes in every run by what its study says."""
    _, study, *inner = path.removesuffix(".parquet").split("/")
    listed = describe(study, root).get("varies", []) if study in study_names(root) else []
    return any("/".join(inner[:depth]) in listed for depth in range(1, len(inner) + 1))


def released_paths(study: str, root: Path, folder: str = "results") -> list[str]:
    """Return the Parquet files from which all figures, tables and claims of the study are made."""
    return [f"{folder}/{study}/{name}.parquet" for name in describe(study, root)["released"]]


def promised_paths(study: str, root: Path) -> list[str]:
    """Return all figures and tables of a study."""
    return [*figure_paths(study, root), *table_paths(study, root)]


def shown_in_docs(study: str, root: Path, kind: str) -> list[str]:
    """Return the names of the study's `figures` or `tables` that its page in docs/studies shows."""
    return describe(study, root).get("docs", {}).get(kind, [])


def picture_path(study: str, name: str, root: Path) -> str:
    """Return the image file that a page shows for a figure: the animation where there is one."""
    animated = describe(study, root)["figures"][name].get("animation")
    return f"results/{study}/figures/{name}.{'gif' if animated else 'png'}"


def check_promised(promised: Mapping[str, Sequence[str]], rules: Iterable) -> None:
    """Check that some rule makes every file that a study promises.

    Args:
        promised: {study: paths}.
        rules: the rules of the workflow, as Snakemake holds them.

    Raises:
        UserError: names the first file that no rule makes.
    """
    outputs = [output for rule in rules for output in rule.output]
    fixed_paths = set(map(str, outputs))
    for study, paths in promised.items():
        for path in paths:
            if path not in fixed_paths and not any(output.match(path) for output in outputs):
                raise UserError(
                    f"scripts/{study}/study.yaml: no rule makes {path}; write one in rules/{study}.smk, or take it out"
                )
