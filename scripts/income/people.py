"""The people of a data set: features, labels and groups, checked, and their split."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.seeds import seed_from
from scripts.common.tabular import Table, encode, groups, require, table_of

TEST, VALID = 0.3, 0.2  # the notebook's test share; the validation part is cut from its training share


@dataclass(frozen=True)
class Split:
    """Positions of the rows of each part, each an array of whole numbers."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray

    @property
    def fitted(self) -> np.ndarray:
        """Return the notebook's training part of 70 %: it has no validation part."""
        return np.concatenate([self.train, self.valid])


@dataclass(frozen=True)
class People:
    """A data set for one protected attribute.

    `y` and `group` are int8 [n]; `names` are the words of group 0 and group 1. The parity difference is group 1
    minus group 0, men minus women in Adult.
    """

    table: Table
    attribute: str
    frame: pd.DataFrame
    y: np.ndarray
    group: np.ndarray

    @property
    def names(self) -> tuple[str, str]:
        """Return the words of group 0 and of group 1."""
        return self.table.attributes[self.attribute].words

    @cached_property
    def attributes(self) -> dict[str, np.ndarray]:
        """Return the groups of every attribute of the table, int8 [n] each."""
        return {name: groups(self.frame, self.table, name) for name in self.table.attributes}

    def features(self, fit_on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the encoded features, float32 [n, d], and which are not of the attribute's column, bool [d]."""
        x, names = encode(self.frame, self.table, fit_on)
        column = self.table.attributes[self.attribute].column
        return x, np.array([name.split("=")[0].split(":")[0] != column for name in names])


def people(frame: pd.DataFrame, name: str, attribute: str, rows: str = "all") -> People:
    """Return the checked people of a data set.

    Args:
        frame: as rule `tabular` writes it.
        rows: "all", or the name of a subset of the table.

    Raises:
        UserError: a column or subset is missing, a group has no rows, a value is missing, or a label is not 0 or 1.
    """
    table = table_of(name)
    require(frame, ["row_id", "y", *table.columns], name)
    if rows != "all":
        require(frame, [rows], name)
        frame = frame[frame[rows]].reset_index(drop=True)
    for column in [*table.columns, "y"]:
        if missing := int(frame[column].isna().sum()):
            raise UserError(f"{name}: {column} is missing in {missing} rows; drop or fill those rows")
    unknown = sorted(set(frame["y"]) - {0, 1})
    if unknown:
        raise UserError(f"{name}: y holds {unknown[0]!r}, expected 0 or 1; delete the table and run the workflow")
    if frame["row_id"].duplicated().any():
        twice = frame["row_id"][frame["row_id"].duplicated()].iloc[0]
        raise UserError(f"{name}: row_id {twice} occurs twice; delete the table and run the workflow")
    group = groups(frame, table, attribute)
    y = frame["y"].to_numpy(np.int8)
    for code, words in enumerate(table.attributes[attribute].words):
        if len(set(y[group == code])) < 2:
            raise UserError(f"{name}: all {words} have the same label; nothing can be compared, take other rows")
    return People(table, attribute, frame, y, group)


def title(entry: dict) -> str:
    """Return the data set as figures and tables call it; a part of the rows is named."""
    words = table_of(entry["table"]).title
    return words if entry["most_rows"] is None else f"{words}, at most {entry['most_rows']:,} rows"


def split(n: int, name: str, seed: int) -> Split:
    """Return the split of n rows: 50 % train, 20 % validation, 30 % test."""
    order = np.random.default_rng(seed_from("income split", name, seed)).permutation(n)
    test, valid = round(TEST * n), round(VALID * n)
    return Split(train=order[test + valid :], valid=order[test : test + valid], test=order[:test])
