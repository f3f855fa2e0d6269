"""A mixed table as a float32 matrix of normal scores and one-hot blocks, and back.

A numeric column is a mixture, as the mixed-type columns of CTAB-GAN (Zhao, Kunar, Birke and Chen 2021): each value that
is frequent in the training rows, such as 0 of a capital gain, is a category of its own, and one more category stands
for all other values, whose magnitude is a normal score, Phi^-1 of the empirical distribution function, as in TabDDPM
(Kotelnikov, Baranchuk, Rubachev and Babenko 2023). Ranks need no fitted mixture and no choice of a number of modes, and
neither an outlier nor a spike moves the scores of other values. A categorical column is one-hot over its full range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

from scripts.common.mixed_table import MixedSchema, MixedTable

FREQUENT = 0.05  # fraction of the training rows from which on a value of a numeric column is a category of its own
ALWAYS = -1


@dataclass(frozen=True)
class Layout:
    """Columns of an encoded matrix: first the scores, then the one-hot blocks.

    `gates` has per score the column of the matrix that is 1 in rows where the score is one, and 0 where it is a filler;
    ALWAYS where every row has a score.
    """

    scores: int
    sizes: tuple[int, ...]
    gates: tuple[int, ...]

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return self.scores + sum(self.sizes)

    @property
    def blocks(self) -> list[slice]:
        """Return the columns of each one-hot block."""
        ends = self.scores + np.cumsum([0, *self.sizes])
        return [slice(int(start), int(end)) for start, end in pairwise(ends)]


@dataclass(frozen=True)
class NumericColumn:
    """One numeric column of the training rows.

    `frequent`: values that are categories, ascending; `rest`: all other distinct values, ascending; `upper`: fraction
    of the rows with such a value that are at most as large as each of them, the last one 1.
    """

    frequent: np.ndarray
    rest: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, frequent: float) -> "NumericColumn":
        """Return what is kept of a column's training values, float64 [n]."""
        distinct, counts = np.unique(values, return_counts=True)
        often = counts >= max(frequent * len(values), 2)  # among few rows a value that occurs once is not frequent
        upper = np.cumsum(counts[~often]) / max(counts[~often].sum(), 1)
        return cls(distinct[often], distinct[~often], upper)

    @property
    def size(self) -> int:
        """Return the number of categories of its mixture; 0 without frequent values."""
        return len(self.frequent) + bool(len(self.rest)) if len(self.frequent) else 0

    def encode(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the category of each value, int64 [n], and its score, float64 [n], 0 where a value is frequent.

        A value between two training values has a score between theirs, one beyond the range that of the end. Without
        other values than frequent ones, the category is that of the nearest.
        """
        if not len(self.rest):
            return np.abs(values[:, None] - self.frequent).argmin(1), np.zeros(len(values))
        middle = self.upper - np.diff(self.upper, prepend=0) / 2
        scores = ndtri(np.interp(values, self.rest, middle))
        if not len(self.frequent):
            return np.zeros(len(values), np.int64), scores
        place = np.searchsorted(self.frequent, values).clip(max=len(self.frequent) - 1)
        exact = self.frequent[place] == values
        return np.where(exact, place, len(self.frequent)), np.where(exact, 0.0, scores)

    def decode(self, category: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Return values of the training rows, float64 [n]: frequent ones, and quantiles of the others at the scores."""
        if not len(self.rest):
            return self.frequent[category]
        values = self.rest[np.searchsorted(self.upper[:-1], ndtr(scores.astype(float)))]
        is_frequent = category < len(self.frequent)
        values[is_frequent] = self.frequent[category[is_frequent]]
        return values


@dataclass(frozen=True)
class TableEncoding:
    """The encoding of a schema, with its numeric columns fitted on training rows."""

    schema: MixedSchema
    columns: tuple[NumericColumn, ...]

    @classmethod
    def fit(cls, table: MixedTable, frequent: float = FREQUENT) -> "TableEncoding":
        """Return the encoding fitted on training rows.

        Args:
            frequent: the fraction of the rows from which on a numeric value is a category; above 1: none is.

        Raises:
            ValueError: there are no rows, or a number is missing.
        """
        if not len(table) or np.isnan(table.numeric).any():
            raise ValueError("an encoding is fitted on rows without missing numbers, one at least")
        return cls(table.schema, tuple(NumericColumn.of(values, frequent) for values in table.numeric.T))

    @property
    def layout(self) -> Layout:
        """Return where scores and blocks stand: mixtures of numeric columns first, then categorical columns."""
        scores = sum(bool(len(column.rest)) for column in self.columns)
        gates, end = [], scores
        for column in self.columns:
            end += column.size
            if len(column.rest):
                gates.append(end - 1 if column.size else ALWAYS)
        mixtures = [column.size for column in self.columns if column.size]
        return Layout(scores, (*mixtures, *self.schema.sizes), tuple(gates))

    def encode(self, table: MixedTable) -> np.ndarray:
        """Return the rows as a matrix, float32 [n, layout.width].

        Raises:
            ValueError: a number or a category is missing.
        """
        if np.isnan(table.numeric).any() or (table.codes < 0).any():
            raise ValueError("rows with missing values cannot be encoded; fill the gaps first")
        matrix = np.zeros((len(table), self.layout.width), np.float32)
        categories, score = [], 0
        for column, values in zip(self.columns, table.numeric.T, strict=True):
            category, scores = column.encode(values)
            if len(column.rest):
                matrix[:, score] = scores
                score += 1
            if column.size:
                categories.append(category)
        rows = np.arange(len(table))
        for block, category in zip(self.layout.blocks, [*categories, *table.codes.T], strict=True):
            matrix[rows, block.start + category] = 1
        return matrix

    def decode(self, matrix: np.ndarray, rng: np.random.Generator) -> MixedTable:
        """Return rows drawn from a matrix whose blocks hold probabilities; a one-hot block gives its category.

        Args:
            matrix: scores and blocks as `encode` returns them, [n, layout.width]; a block may be scaled by any factor.
            rng: draws the categories.
        """
        layout = self.layout
        drawn = iter([_draw(matrix[:, block], rng) for block in layout.blocks])
        scores = iter(matrix[:, : layout.scores].T)
        none = np.zeros(len(matrix), np.int64)
        numeric = np.empty((len(matrix), len(self.columns)))
        for place, column in enumerate(self.columns):
            category = next(drawn) if column.size else none
            numeric[:, place] = column.decode(category, next(scores) if len(column.rest) else none)
        return MixedTable(self.schema, numeric, _columns([*drawn], len(matrix)))


def _draw(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one category per row, int64 [n], drawn in proportion to its weight."""
    ends = weights.astype(float).cumsum(1)
    # A draw is below 1, so a category of weight 0 is never hit: its interval is empty.
    return (ends[:, :-1] <= rng.random((len(weights), 1)) * ends[:, -1:]).sum(1)


def _columns(columns: Sequence[np.ndarray], rows: int) -> np.ndarray:
    return np.column_stack(columns).astype(np.int32) if columns else np.empty((rows, 0), np.int32)
