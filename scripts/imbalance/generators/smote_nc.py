"""SMOTE for numeric and categorical columns (SMOTE-NC; Chawla et al. 2002), as a generator of rows of one part.

Two rows are as far apart as their numbers, unscaled; each category in which they differ adds the square of the median
standard deviation of the part's numeric columns to the squared distance, as one such difference in a number would. A
new row lies between a random row of the part and one of its k nearest others, at one random place for all numbers. A
category is the one most frequent among the k neighbours; of equally frequent ones, that with the smallest code.
Columns of whole numbers are rounded; the published code cuts their decimals off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.common.mixed_table import MixedTable

AT_ONCE = 1 << 18  # distances held at a time: 2 MB, which a processor keeps near, whatever the size of the part
STRIDE = 32  # distances of which the least alone is compared at first


class Neighbours:
    """The k nearest other rows of each row of a part, found when first asked for and then kept.

    A matrix product of the numbers and a comparison of the codes find the few rows that can be among the k, within the
    rounding error of the product. These are ordered exactly: by the sum of squared differences and penalties taken
    column by column, and by the row number where two sums are equal.
    """

    def __init__(self, numeric: np.ndarray, codes: np.ndarray, k: int) -> None:
        """Prepare the arrays of a part: float64 [n, p] with p > 0 and int [n, q], n > k rows."""
        self.numeric, self.codes, self.k = numeric, codes, k
        self.known = np.full((len(numeric), k), -1, np.int32)
        self.penalty = float(np.median(numeric.std(0))) ** 2
        self.stride = int(np.clip(len(numeric) // (2 * k), 1, STRIDE))
        # |a - b|^2 = |a|^2 + |b|^2 - 2 a b as one product; rows of padding at the end are infinitely far from all
        padding = -len(numeric) % self.stride
        centred = numeric - numeric.mean(0)
        norm, one = (centred**2).sum(1)[:, None], np.ones((len(numeric), 1))
        self.left = np.hstack([-2 * centred, norm, one])
        self.right = np.pad(np.hstack([centred, one, norm]), [(0, padding), (0, 0)])
        self.right[len(numeric) :, -1] = np.inf
        narrow = codes.astype(np.min_scalar_type(codes.max(initial=0)))  # bytes compare fastest
        self.columns = np.ascontiguousarray(np.pad(narrow, [(0, padding), (0, 0)]).T)
        p, q = numeric.shape[1], codes.shape[1]
        self.error = 16 * (p + 4) * np.finfo(float).eps * (4 * norm.max() + q * self.penalty)

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the neighbours of some rows, nearest first, int32 [n, k]."""
        missing = np.unique(rows[self.known[rows, 0] < 0])
        step = max(AT_ONCE // len(self.right), 1)
        room = np.empty((2, min(step, len(missing)), len(self.right)))  # for all blocks: fresh memory costs time
        for start in range(0, len(missing), step):
            block = missing[start : start + step]
            self.known[block] = self._nearest(block, room[:, : len(block)])
        return self.known[rows]

    def _nearest(self, block: np.ndarray, room: np.ndarray) -> np.ndarray:
        """Return the neighbours of a block of rows; `room` [2, block, n] is overwritten."""
        place, other = self._candidates(block, *room)
        squared = ((self.numeric[block[place]] - self.numeric[other]) ** 2).sum(1)
        squared += self.penalty * (self.codes[block[place]] != self.codes[other]).sum(1)
        order = np.lexsort((other, squared, place))
        first = np.searchsorted(place[order], np.arange(len(block)))
        return other[order[first[:, None] + np.arange(self.k)]]

    def _candidates(
        self, block: np.ndarray, squared: np.ndarray, penalties: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return pairs, of a place in the block and of another row, with all that can be among the k nearest."""
        np.matmul(self.left[block], self.right.T, out=squared)
        differ = np.zeros(squared.shape, np.min_scalar_type(len(self.columns)))
        for column in self.columns:
            differ += column[block, None] != column
        squared += np.multiply(differ, self.penalty, out=penalties)
        squared[np.arange(len(block)), block] = np.inf  # the row itself
        # k of the least of each stride are k distances, so the k-th of them bounds the k-th distance; it is finite,
        # since at most one stride holds nothing but the row and padding
        least = squared.reshape(len(block), self.stride, -1).min(1)
        bound = np.partition(least, self.k - 1, axis=1)[:, self.k - 1] + 2 * self.error
        place, stride = np.nonzero(least <= bound[:, None])
        other = stride[:, None] + least.shape[1] * np.arange(self.stride)
        near, which = np.nonzero(squared[place[:, None], other] <= bound[place, None])
        return place[near], other[near, which]


@dataclass(frozen=True)
class SmoteNc:
    """The rows and the neighbours of each part."""

    parts: dict[int, tuple[MixedTable, Neighbours]]

    def sample(self, part: int, rows: int, rng: np.random.Generator) -> MixedTable:
        """Return rows between a part's rows and their neighbours."""
        table, neighbours = self.parts[part]
        first = rng.integers(len(table), size=rows)
        near = neighbours.of(first)
        second = near[np.arange(rows), rng.integers(neighbours.k, size=rows)]
        numeric = table.numeric[first] + rng.random((rows, 1)) * (table.numeric[second] - table.numeric[first])
        whole = np.array(table.schema.whole, bool)
        numeric[:, whole] = np.rint(numeric[:, whole])
        codes = np.empty((rows, len(table.schema.sizes)), np.int32)
        for place, size in enumerate(table.schema.sizes):
            codes[:, place] = most_frequent(table.codes[near, place], size)
        return MixedTable(table.schema, numeric, codes)


def fit(
    table: MixedTable, part: np.ndarray, parts: list[int], settings: Mapping[str, Any], rng: np.random.Generator
) -> SmoteNc:
    """Return the generator of some parts, each with more than `settings["neighbours"]` rows; no draw is needed.

    Args:
        table: training rows, with a numeric column at least.
        part: the part of each row, int [n].
        parts: the parts to learn.
        settings: `neighbours`, the number k.
        rng: not used; plans and doses that sample one part share the neighbours found.
    """
    rows = {key: table.take(np.flatnonzero(part == key)) for key in parts}
    k = int(settings["neighbours"])
    return SmoteNc({key: (some, Neighbours(some.numeric, some.codes, k)) for key, some in rows.items()})


def most_frequent(codes: np.ndarray, size: int) -> np.ndarray:
    """Return the most frequent of each row's codes, of equally frequent ones the smallest, int [n] from int [n, k]."""
    rows = np.arange(len(codes))[:, None]
    return np.bincount((rows * size + codes).ravel(), minlength=len(codes) * size).reshape(len(codes), size).argmax(1)
