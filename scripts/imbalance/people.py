"""The people of a dataset as this study sees them: features, labels, and groups of one or more attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from scripts.common.datasets import check_labels, sample_rows
from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.common.mixed_table import MixedTable
from scripts.common.tabular import Table, attribute_of, groups, require, table_of

# Features of the published study where they are not those of the shared table: Adult with education as a category,
# Credit with its payment states as categories, German with the marital status.
FEATURES = {
    "adult": (
        ("age", "capital_gain", "capital_loss", "hours_per_week"),
        ("workclass", "education", "marital_status", "occupation", "relationship", "race", "sex", "native_country"),
    ),
    "credit": (
        ("limit_bal", "age", *(f"{kind}_amt{month}" for kind in ("bill", "pay") for month in range(1, 7))),
        ("sex", "education", "marriage", "pay_0", "pay_2", "pay_3", "pay_4", "pay_5", "pay_6"),
    ),
}
FEATURES["adult_gaps"] = FEATURES["adult"]
MORE_FEATURES = {"german": ("marital_status",)}
# Features with the values of an attribute's groups in place of their own, as published: race is White or others.
JOINED = {"adult": ("race",), "adult_gaps": ("race",)}
GROUP = "group"  # the column of the sensitive group where it is kept as a feature
MANY_GROUPS = 20
MOST_GROUPS = 127  # which the int8 codes of predictions can tell apart


@dataclass(frozen=True)
class People:
    """A dataset.

    `features` has the columns that the classifier and the generators see, without the sensitive ones; `y` int8 [n];
    `groups` int16 [n], a code of `group_names`, which are all combinations of the attributes' groups.
    """

    table: Table
    title: str
    attributes: tuple[str, ...]
    group_names: tuple[str, ...]
    row_ids: np.ndarray
    features: MixedTable
    y: np.ndarray
    groups: np.ndarray

    @property
    def attribute(self) -> str:
        """Return the attribute whose groups are meant: "sex", or "sex x race" for all combinations."""
        return " x ".join(self.attributes)

    @cached_property
    def cells(self) -> np.ndarray:
        """Return the cell of every row, int64 [n]: 2 * group + label."""
        return 2 * self.groups.astype(np.int64) + self.y

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Return how many of some rows each group and label has, int64 [G, 2]."""
        return np.bincount(self.cells[rows], minlength=2 * len(self.group_names)).reshape(-1, 2)

    def cell_name(self, cell: int) -> str:
        """Return the words for a cell: "women, label 1"."""
        return f"{self.group_names[cell // 2]}, label {cell % 2}"


def features_of(table: Table, attributes: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the numeric and the categorical features of a table, without the columns of sensitive attributes.

    Raises:
        UserError: the table has no such attribute.
    """
    more = MORE_FEATURES.get(table.name, ())
    kinds = FEATURES.get(table.name, (table.numeric, table.categorical + more))
    sensitive = {attribute_of(table, attribute).column for attribute in attributes}
    numeric, categorical = ([name for name in columns if name not in sensitive] for columns in kinds)
    return numeric, categorical


def people(
    frame: pd.DataFrame, name: str, attributes: Sequence[str], most_rows: int | None = None, joined: bool = True
) -> People:
    """Return the checked people of a dataset.

    Args:
        frame: the prepared table, as rule `tabular` writes it; features may have gaps.
        attributes: one or more of the table's; with several, all combinations of their groups are the groups.
        most_rows: that many rows at most, chosen at random but always the same ones.
        joined: whether features have the joined values of the published study (`JOINED`), or those of the table.

    Raises:
        UserError: there is no such table or attribute, a column is missing, a label is not 0 or 1 or one only, a group
            or a combination of groups has no rows, or no feature is left.
    """
    table = table_of(name)
    numeric, categorical = features_of(table, attributes)
    require(frame, ["row_id", "y", *numeric, *categorical], name)
    frame = sample_rows(frame, most_rows, "imbalance rows", name).reset_index(drop=True)
    y = check_labels(frame["y"], name)
    codes, names = np.zeros(len(frame), np.int64), [""]
    for attribute in attributes:
        own = attribute_of(table, attribute).words
        codes = codes * len(own) + groups(frame, table, attribute)
        names = [f"{before}, {word}" if before else word for before in names for word in own]
    _check_groups(codes, names, name)
    if not numeric + categorical:
        raise UserError(f"{name}: without the sensitive columns no feature is left")
    for attribute in JOINED.get(name, ()) if joined else ():
        own = attribute_of(table, attribute)
        frame[own.column] = np.array(own.words)[groups(frame, table, attribute)]
    features = MixedTable.from_frame(frame, numeric, categorical)
    title = table.title + (f", {len(frame):,} rows" if most_rows is not None and len(frame) == most_rows else "")
    row_ids = frame["row_id"].to_numpy(np.int64)
    return People(table, title, tuple(attributes), tuple(names), row_ids, features, y, codes.astype(np.int16))


def _check_groups(codes: np.ndarray, names: Sequence[str], name: str) -> None:
    sizes = np.bincount(codes, minlength=len(names))
    if (sizes == 0).any():
        raise UserError(
            f"{name}: no row is of the group {names[int((sizes == 0).argmax())]!r}; "
            "take fewer attributes, or join groups"
        )
    if len(names) > MOST_GROUPS:
        raise UserError(f"{name}: {len(names)} groups, at most {MOST_GROUPS} are told apart; take fewer attributes")
    if len(names) > MANY_GROUPS:
        log.warning("%s: %d groups, the smallest of %d rows: a gap between them is mostly noise", name, len(names),
                    sizes.min())  # fmt: skip
