"""The studies of the project: where their five places are, and what `scripts/X/study.yaml` says of each.

A study X exists if it has `rules/X.smk` and `scripts/X/study.yaml`; nothing else lists it. This module is
imported by the Snakefile, so it imports nothing heavy.
"""

import importlib
import importlib.util
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
    found = (path.parent.name for path in root.glob("scripts/*/study.yaml"))
    return sorted(name for name in found if (root / f"rules/{name}.smk").exists())


@cache
def describe(study: str, root: Path) -> dict:
    """Return the checked content of `scripts/X/study.yaml`: titles, figures, tables, what is released.

    Raises:
        UserError: the file is missing, breaks the schema, or a figure or table has no caption file.
    """
    path = root / f"scripts/{study}/study.yaml"
    about = read_yaml(path)
    check(about, read_yaml(SCHEMA), path)
    for name in [*about["figures"], *about["tables"]]:
        if not caption_path(study, name, root).exists():
            raise UserError(f"{path}: {name} has no caption; write scripts/{study}/captions/{name}.rst")
    for kind, names in about.get("readme", {}).items():
        for name in names:
            if name not in about[kind]:
                raise UserError(f"{path}: readme.{kind}: {name!r} is not among the study's {kind}")
    return about


def caption_path(study: str, name: str, root: Path) -> Path:
    """Return where the caption of a figure or table stands: one paragraph of reStructuredText."""
    return root / f"scripts/{study}/captions/{name}.rst"


def caption_paths(study: str, root: Path) -> list[Path]:
    """Return the captions of all figures and tables of a study."""
    about = describe(study, root)
    return [caption_path(study, name, root) for name in [*about["figures"], *about["tables"]]]


def figure_paths(study: str, root: Path, name: str | None = None) -> list[str]:
    """Return the files of one or all figures that the study promises; an animation and a page are files of a figure."""
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
    """Return the files of one or all tables that the study promises: CSV, Markdown, LaTeX."""
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


def released_paths(study: str, root: Path, folder: str = "results") -> list[str]:
    """Return the Parquet files of which all figures, tables and claims of the study are made."""
    return [f"{folder}/{study}/{name}.parquet" for name in describe(study, root)["released"]]


def promised_paths(study: str, root: Path) -> list[str]:
    """Return all figures and tables of a study."""
    return [*figure_paths(study, root), *table_paths(study, root)]


def shown_in_readme(study: str, root: Path, kind: str) -> list[str]:
    """Return the names of the study's `figures` or `tables` that the README shows."""
    return describe(study, root).get("readme", {}).get(kind, [])


def picture_path(study: str, name: str, root: Path) -> str:
    """Return the file of a figure that a page shows: the animation where there is one."""
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
    made = set(map(str, outputs))
    for study, paths in promised.items():
        for path in paths:
            if path not in made and not any(output.match(path) for output in outputs):
                raise UserError(
                    f"scripts/{study}/study.yaml: no rule makes {path}; write one in rules/{study}.smk, or take it out"
                )
