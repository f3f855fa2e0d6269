"""How close synthetic rows come to the training rows that a generator has seen, and whether they copy them.

Distances are Gower's: the mean over columns of |x - y| / range for numbers and of 0 (equal) or 1 (different) for
categories. The range of a number is that among the training rows; values outside it may be farther apart than 1. Where
all training rows have one value, any other value is at 1. A distance is 0 exactly where two rows agree in every column.
Source: Gower, A general coefficient of similarity and some of its properties, Biometrics 27 (1971).
"""

from dataclasses import dataclass

import numpy as np

from scripts.common.errors import UserError
from scripts.common.intervals import percentile_interval, proportion_interval
from scripts.common.mixed_table import MixedTable
from scripts.common.one_hot import one_hot
from scripts.common.synthetic_quality import check_comparable

PAIRS = 2**18  # of rows, whose distances are held at once
REPLICATES = 500

Interval = tuple[float, float, float]  # value, low, high


@dataclass(frozen=True)
class Records:
    """Training rows without repetitions, prepared so that many tables can be compared with them."""

    table: MixedTable
    low: np.ndarray  # of each numeric column, [p]
    width: np.ndarray  # its range, [p]
    numeric: np.ndarray  # [m, p], from 0 to 1
    columns: np.ndarray  # one-hot, [m, sum of sizes]

    @classmethod
    def of(cls, table: MixedTable) -> "Records":
        """Return the records of a table.

        Raises:
            UserError: the table has no rows, or a value is missing.
        """
        if not len(table):
            raise UserError("there are no training rows to compare synthetic rows with")
        check_comparable(table, table)
        keys = np.concatenate([table.numeric, table.codes], axis=1)
        table = table.take(np.unique(keys, axis=0, return_index=True)[1])
        low, width = table.numeric.min(0), np.ptp(table.numeric, axis=0)
        columns = one_hot(table.codes, table.schema.sizes)
        return cls(table, low, width, _scaled(table.numeric, low, width), columns)

    def distances(self, rows: MixedTable) -> np.ndarray:
        """Return the distance of each of n rows to the closest training row, float64 [n].

        The categories of a block of rows are compared by one matrix product, which is exact: it counts.

        Raises:
            UserError: the columns differ, or a value is missing.
        """
        check_comparable(self.table, rows)
        numeric, columns = _scaled(rows.numeric, self.low, self.width), one_hot(rows.codes, rows.schema.sizes)
        closest, step = np.empty(len(rows)), max(1, PAIRS // len(self.table))
        for start in range(0, len(rows), step):
            block = slice(start, start + step)
            apart = np.subtract(rows.codes.shape[1], columns[block] @ self.columns.T, dtype=np.float64)
            difference = np.empty_like(apart)
            for own, theirs in zip(numeric[block].T, self.numeric.T, strict=True):
                np.subtract(own[:, None], theirs, out=difference)
                apart += np.abs(difference, out=difference)
            closest[block] = apart.min(1)
        return closest / len(rows.schema.order)


def exact_copy_fraction(distances: np.ndarray) -> Interval:
    """Return the fraction of rows that equal a training row in every column, with Wilson's interval; NaN without rows.

    Args:
        distances: of the rows to the closest training row, as `Records.distances` returns them.
    """
    copies, n = int((distances == 0).sum()), len(distances)
    low, high = proportion_interval(copies, n)
    return copies / n if n else float("nan"), float(low), float(high)


def distance_ratio(synthetic: np.ndarray, held_out: np.ndarray, seed: int, replicates: int = REPLICATES) -> Interval:
    """Return the mean distance of synthetic rows over that of held-out real rows, both to the closest training row.

    1 means that synthetic rows are as far from the training rows as other people are, 0 that all are copies. Means are
    compared, not medians: where half of the rows are copies a median is 0 and says nothing of the others. The interval
    is a percentile bootstrap over both sets of rows, the training rows held fixed.

    Returns:
        Value, low and high; NaN where a side has no rows or all held-out rows are copies.
    """
    if not len(synthetic) or not held_out.any():
        return (float("nan"),) * 3
    random = np.random.default_rng(seed)
    means = [rows[random.integers(len(rows), size=(replicates, len(rows)))].mean(1) for rows in (synthetic, held_out)]
    ratios = np.divide(means[0], means[1], out=np.full(replicates, np.nan), where=means[1] > 0)
    low, high = percentile_interval(ratios)
    return float(synthetic.mean() / held_out.mean()), float(low), float(high)


def _scaled(numeric: np.ndarray, low: np.ndarray, width: np.ndarray) -> np.ndarray:
    return np.where(width > 0, (numeric - low) / np.where(width > 0, width, 1.0), np.sign(numeric - low))
