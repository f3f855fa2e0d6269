"""Rows drawn column by column from trees, as the package synthpop does (CART; Reiter 2005, Nowok et al. 2016).

The first column of the file is drawn from its values. Each further column has a tree on the columns before it, with
the codes of categories as numbers: a classification tree for a category, a regression tree for a number, unpruned,
with at least `leaf` rows in a leaf. A new row falls through the tree and takes the value of one of the leaf's rows, so
every value was observed.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from scripts.common.logs import log
from scripts.common.mixed_table import MixedSchema, MixedTable


@dataclass(frozen=True)
class Leaves:
    """The rows that a column draws from: the tree, and the values of the column sorted by leaf."""

    tree: Any  # sklearn's low-level tree; None where there is one leaf only
    values: np.ndarray  # [n], those of one leaf side by side
    start: np.ndarray  # of each node of the tree, the first of its values
    count: np.ndarray  # of each node, the number of its values, 0 for an inner node

    def draw(self, before: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return one value per row of the columns before, float32 [n, j]."""
        if self.tree is None:
            return self.values[rng.integers(len(self.values), size=len(before))]
        leaf = self.tree.apply(before)
        return self.values[self.start[leaf] + rng.integers(self.count[leaf])]


@dataclass(frozen=True)
class Cart:
    """The trees of each part, one per column in the order of the file."""

    schema: MixedSchema
    columns_of: dict[int, list[Leaves]]

    def sample(self, part: int, rows: int, rng: np.random.Generator) -> MixedTable:
        """Return rows, each value that of a real row of the part."""
        columns = self.columns_of[part]
        drawn = np.empty((rows, len(columns)))
        narrow = np.empty((rows, len(columns)), np.float32)  # as the trees compare
        for place, column in enumerate(columns):
            drawn[:, place] = column.draw(narrow[:, :place], rng)
            narrow[:, place] = drawn[:, place]
        return _table(self.schema, drawn)


def fit(
    table: MixedTable, part: np.ndarray, parts: list[int], settings: Mapping[str, Any], rng: np.random.Generator
) -> Cart:
    """Return the trees of each part.

    A part with fewer than two leaves of rows has columns that are drawn independently of one another; the log says so.

    Args:
        table: training rows.
        part: the part of each row, int [n].
        parts: the parts to learn.
        settings: `leaf`, the fewest rows of a leaf.
        rng: gives the seed that orders equally good splits; the trees of a part are the same whatever else is fitted.
    """
    leaf, base = int(settings["leaf"]), int(rng.integers(2**31))
    columns_of = {}
    for key in parts:
        rows = np.flatnonzero(part == key)
        if len(rows) < 2 * leaf:
            log.warning("CART: part %d has %d rows, fewer than two leaves of %d: its columns are drawn independently",
                        key, len(rows), leaf)  # fmt: skip
        x, categorical = _matrix(table.take(rows))
        columns_of[key] = _columns(x, categorical, leaf, np.random.default_rng([base, key]))
    return Cart(table.schema, columns_of)


def _columns(x: np.ndarray, categorical: list[bool], leaf: int, rng: np.random.Generator) -> list[Leaves]:
    narrow = x.astype(np.float32)  # C order, as sklearn's trees read it
    columns = []
    for place in range(x.shape[1]):
        target, seed = x[:, place], int(rng.integers(2**31))
        if place == 0 or len(x) < 2 * leaf or (target == target[0]).all():
            columns.append(Leaves(None, target, np.zeros(0), np.zeros(0)))
            continue
        before = np.ascontiguousarray(narrow[:, :place])
        kind = DecisionTreeClassifier if categorical[place] else DecisionTreeRegressor
        with warnings.catch_warnings():  # a rare category is no mistake here
            warnings.filterwarnings("ignore", "The number of unique classes")
            tree = kind(min_samples_leaf=leaf, random_state=seed).fit(before, target, check_input=False).tree_
        leaves = tree.apply(before)
        count = np.bincount(leaves, minlength=tree.node_count)
        values = target[np.argsort(leaves, kind="stable")]
        columns.append(Leaves(tree, values, np.cumsum(count) - count, count))
    return columns


def _matrix(table: MixedTable) -> tuple[np.ndarray, list[bool]]:
    """Return the columns in the order of the file, float64 [n, d], and whether each is a category."""
    schema = table.schema
    columns = {name: table.numeric[:, place] for place, name in enumerate(schema.numeric)}
    columns |= {name: table.codes[:, place] for place, name in enumerate(schema.categorical)}
    x = np.column_stack([columns[name] for name in schema.order]).astype(float)
    return x, [name in schema.categorical for name in schema.order]


def _table(schema: MixedSchema, x: np.ndarray) -> MixedTable:
    """Return the table of columns in the order of the file."""
    place = {name: number for number, name in enumerate(schema.order)}
    numeric, codes = ([place[name] for name in names] for names in (schema.numeric, schema.categorical))
    return MixedTable(schema, x[:, numeric], x[:, codes].astype(np.int32))
