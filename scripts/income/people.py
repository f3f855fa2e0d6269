"""The people of a data set: features, labels and groups, checked, and their split."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from scripts.common.datasets import check_complete, check_labels, subset_rows
from scripts.common.errors import UserError
from scripts.common.seeds import shuffled
from scripts.common.tabular import Table, attribute_of, encode, groups, table_of, two_group_name, two_groups

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

    `y`, `group` and `groups` are int8 [n]; `names` are the words of group 0 and group 1 of `group`. The parity
    difference is group 1 minus group 0, men minus women in Adult. An attribute of more than two groups has all of them
    in `groups`, and in `group` the privileged one (1) against the others, for methods that only know two.
    """

    table: Table
    attribute: str
    frame: pd.DataFrame
    y: np.ndarray
    group: np.ndarray
    groups: np.ndarray

    @property
    def names(self) -> tuple[str, str]:
        """Return the words of group 0 and of group 1."""
        return self.table.attributes[self.attribute].two_words

    @cached_property
    def attributes(self) -> dict[str, np.ndarray]:
        """Return the groups of every attribute of the table, int8 [n] each; of several on one column the first alone.

        The study's own attribute is always there, and where it has more than two groups, its two-group form too.
        """
        chosen = {}
        for name, attribute in self.table.attributes.items():
            chosen.setdefault(attribute.column, name)
        chosen = [name for name in self.table.attributes if name in chosen.values() or name == self.attribute]
        codes = {name: groups(self.frame, self.table, name) for name in chosen}
        return codes | {two_group_name(self.table, self.attribute): self.group}

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
    check_complete(frame, table)
    frame = subset_rows(frame, table, rows).reset_index(drop=True)
    y = check_labels(frame["y"], name)
    if frame["row_id"].duplicated().any():
        twice = frame["row_id"][frame["row_id"].duplicated()].iloc[0]
        raise UserError(f"{name}: row_id {twice} occurs twice; delete the table and run the workflow")
    every, group = groups(frame, table, attribute), two_groups(frame, table, attribute)
    for code, words in enumerate(attribute_of(table, attribute).two_words):
        if len(set(y[group == code])) < 2:
            raise UserError(f"{name}: all {words} have the same label; nothing can be compared, take other rows")
    return People(table, attribute, frame, y, group, every)


def title(entry: dict) -> str:
    """Return the data set as figures and tables call it; a part of the rows is named."""
    words = table_of(entry["table"]).title
    return words if entry["most_rows"] is None else f"{words}, at most {entry['most_rows']:,} rows"


def split(n: int, name: str, seed: int) -> Split:
    """Return the split of n rows: 50 % train, 20 % validation, 30 % test."""
    order = shuffled(n, "income split", name, seed)
    test, valid = round(TEST * n), round(VALID * n)
    return Split(train=order[test + valid :], valid=order[test : test + valid], test=order[:test])
