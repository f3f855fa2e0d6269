"""Tables of the user's own: the block `tables` of the config, checked and known by name wherever a table is taken.

This module is imported by the Snakefile.
"""

from collections.abc import Mapping
from pathlib import Path

from scripts.common import tabular
from scripts.common.errors import UserError
from scripts.common.protected import OTHERS
from scripts.common.tabular import FOLDER, Table, table_of
from scripts.common.yaml_files import check, read_yaml

SCHEMA = FOLDER.with_name("tables.schema.yaml")
PATHS: dict[str, str] = {}  # of the tables for which a path is enough
BYTES_PER_ROW = 100
NEEDED = ("label", "numeric", "categorical", "attributes")
# Columns that our files have beside those of a table: of the tables themselves, and of predictions.
OURS = {"row_id", "y"}
TAKEN = {"run", "row_id", "split", "y_true", "y_pred", "score", "probability", "protocol", "method", "seed", "dataset",
         "attribute", "task", "group_0", "group_1", "none", "all"}  # fmt: skip


def register(tables: Mapping[str, object]) -> None:
    """Make the tables of a config known by name; those of an earlier config are forgotten.

    Args:
        tables: the block `tables`: of each name a path (a built-in table whose file only a user has) or a description.

    Raises:
        UserError: an entry is no description of a table, or takes the name of a built-in one.
    """
    tabular.OWN.clear()
    PATHS.clear()
    table_of.cache_clear()
    described = {name: entry for name, entry in tables.items() if not isinstance(entry, str)}
    for name, entry in tables.items():
        if isinstance(entry, str) and not (name in tabular.built_in_names() and table_of(name).user_supplied):
            raise UserError(
                f"config: tables.{name}: a path alone is enough only for {', '.join(_to_bring())}; describe the table "
                f"(make describe TABLE={entry or 'path.csv'} writes a first draft)"
            )
    own = {name: description(name, entry) for name, entry in described.items()}
    for name, about in own.items():
        for attribute, groups in about["attributes"].items():
            if groups["privileged"] not in groups["groups"]:
                raise UserError(
                    f"config: tables.{name}.attributes.{attribute}.privileged: no group {groups['privileged']!r}; "
                    f"there are {', '.join(groups['groups'])}"
                )
    PATHS.update({name: entry for name, entry in tables.items() if isinstance(entry, str)})
    tabular.OWN.update(own)
    for name in own:
        check_table(table_of(name), f"config: tables.{name}")


def is_given(name: str, files: Mapping[str, str]) -> bool:
    """Return whether a table can be made: it is built in, or the config names its file.

    Args:
        files: paths of users' files by table, "" where there is none, as a study's block names them.
    """
    return not table_of(name).user_supplied or name in tabular.OWN or bool(files.get(name) or PATHS.get(name))


def rows_of(name: str) -> int:
    """Return how many rows a table has; of a user's own an estimate by the size of its file, at least 1."""
    table = table_of(name)
    path = Path(table.package)
    guessed = path.stat().st_size // BYTES_PER_ROW if name in tabular.OWN and path.is_file() else 1
    return table.rows.get("all", max(guessed, 1))


def _to_bring() -> list[str]:
    return [name for name in tabular.built_in_names() if table_of(name).user_supplied]


def description(name: str, entry: Mapping) -> dict:
    """Return the description of a user's table in the form of a built-in one, with `source: {file, like}`.

    Raises:
        UserError: it does not fit the schema, lacks a key, or takes the name of a built-in table.
    """
    where = f"config: tables.{name}"
    if name in tabular.built_in_names():
        raise UserError(f"{where}: is a built-in table; take another name, and `like: {name}` for a copy of its file")
    schema = read_yaml(SCHEMA)
    for key in ("source", "rows"):
        del schema["properties"][key]
    check(entry, schema | {"required": ["file"]}, where)
    entry = dict(entry)
    source = {"file": str(Path(entry.pop("file")).expanduser())}
    if like := entry.pop("like", ""):
        if like not in tabular.built_in_names():
            names = ", ".join(tabular.built_in_names())
            raise UserError(f"{where}.like: no built-in table {like!r}; there are {names}")
        base = table_of(like)
        marked = [mark for mark in base.rows if mark != "all" and mark not in base.subsets]
        inherited = {key: value for key, value in base.description.items() if key not in ("source", "rows")}
        source |= {"like": like, "marks": marked}
        return inherited | {"title": f"{base.title} ({name})"} | entry | {"source": source}
    if missing := [key for key in NEEDED if key not in entry]:
        raise UserError(f"{where}: {missing[0]} is missing; describe it, or name a built-in table under `like`")
    return {"title": name} | entry | {"source": source}


def check_names(names: Mapping[str, str]) -> None:
    """Check that studies name tables that there are.

    Args:
        names: table by the place in the config that names it.

    Raises:
        UserError: there is no such table.
    """
    for place, name in names.items():
        if name not in tabular.TABLES:
            known = ", ".join(tabular.table_names())
            raise UserError(f"config: {place}: no table {name!r}; there are {known}, and what you add under `tables`")


def check_table(table: Table, where: str) -> None:
    """Check what a schema cannot say of a description: how its parts fit one another.

    Raises:
        UserError: names the part.
    """
    label = table.description["label"]
    for place, columns in (("numeric", table.numeric), ("categorical", table.categorical)):
        if label["column"] in columns:
            raise UserError(f"{where}.{place}: {label['column']} is the label; a feature may not tell it")
        if dropped := sorted({*columns} & {*table.description.get("drop", [])}):
            raise UserError(f"{where}.{place}: {dropped[0]} stands under `drop` too; take it out of one of them")
        if ours := sorted({*columns} & OURS):
            raise UserError(_own_name(f"{where}.{place}", ours[0]))
    if both := sorted({*table.numeric} & {*table.categorical}):
        raise UserError(f"{where}: {both[0]} stands under numeric and categorical; take it out of one of them")
    if not table.columns:
        raise UserError(f"{where}: there is no feature; name columns under numeric or categorical")
    for name, attribute in table.attributes.items():
        place = f"{where}.attributes.{name}"
        if attribute.column == label["column"]:
            raise UserError(f"{place}: {attribute.column} is the label; an attribute tells people apart, not outcomes")
        if attribute.column in OURS:
            raise UserError(_own_name(place, attribute.column))
        if name in TAKEN:
            raise UserError(f"{place}: {name} is a column of predictions; call the attribute something else")
        if sum(group.others for _, group in attribute.groups) > 1:
            raise UserError(f"{place}: two groups are {OTHERS!r}; list the values of all but one")
        listed = [value for _, group in attribute.groups for value in group.listed]
        if twice := sorted({value for value in listed if listed.count(value) > 1}):
            raise UserError(f"{place}: the value {twice[0]} stands in two groups; keep it in one")
    for subset in table.subsets:
        if subset in ("all", *table.columns):
            raise UserError(f"{where}.subsets: {subset} is taken; give the subset another name")


def _own_name(place: str, column: str) -> str:
    return f"{place}: {column} is the name of a column of ours; give it another: rename: {{{column}: my_{column}}}"
