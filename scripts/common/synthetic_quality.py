"""How far the columns of synthetic rows, one by one and in pairs, are distributed like those of real rows.

Both distances have a floor: two samples of the same people differ by chance, the more the fewer rows they have. Compare
tables of the same size, and put beside them the distance between two sets of real rows of that size. A bootstrap
interval would be misleading, since resampling adds noise that a distance cannot tell from a difference.
"""

import numpy as np

from scripts.common.errors import UserError
from scripts.common.mixed_table import MISSING, MixedTable
from scripts.common.one_hot import one_hot


def check_comparable(real: MixedTable, synthetic: MixedTable) -> None:
    """Check that two tables have the same columns and no gaps.

    Raises:
        UserError: the columns differ, or a value is missing.
    """
    if (real.schema.numeric, real.schema.categorical, real.schema.sizes) != (
        synthetic.schema.numeric,
        synthetic.schema.categorical,
        synthetic.schema.sizes,
    ):
        raise UserError("real and synthetic rows differ in their columns or categories; describe both by one schema")
    for table in (real, synthetic):
        gaps = [name for name, gap in zip(table.schema.numeric, np.isnan(table.numeric).any(0), strict=True) if gap]
        lost = (table.codes == MISSING).any(0)
        gaps += [name for name, gap in zip(table.schema.categorical, lost, strict=True) if gap]
        if gaps:
            raise UserError(f"values are missing in {', '.join(gaps)}; fill them before comparing the rows")


def kolmogorov_smirnov(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest difference between two empirical distribution functions, in [0, 1]."""
    first, second = np.sort(first), np.sort(second)
    steps = np.concatenate([first, second])
    below = [np.searchsorted(values, steps, side="right") / len(values) for values in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def total_variation(first: np.ndarray, second: np.ndarray, size: int) -> float:
    """Return half the sum of the absolute differences of category fractions, in [0, 1]; codes are 0 .. size - 1."""
    fractions = [np.bincount(codes, minlength=size) / len(codes) for codes in (first, second)]
    return float(np.abs(fractions[0] - fractions[1]).sum() / 2)


def marginal_distances(real: MixedTable, synthetic: MixedTable) -> dict[str, float]:
    """Return by column: Kolmogorov-Smirnov of a numeric one, total variation of a categorical one; NaN without rows.

    Raises:
        UserError: the tables cannot be compared, see `check_comparable`.
    """
    check_comparable(real, synthetic)
    schema = real.schema
    if not len(real) or not len(synthetic):
        return dict.fromkeys(schema.numeric + schema.categorical, float("nan"))
    pairs = zip(schema.numeric, real.numeric.T, synthetic.numeric.T, strict=True)
    distances = {name: kolmogorov_smirnov(a, b) for name, a, b in pairs}
    pairs = zip(schema.categorical, real.codes.T, synthetic.codes.T, schema.sizes, strict=True)
    return distances | {name: total_variation(a, b, size) for name, a, b, size in pairs}


def marginal_distance(real: MixedTable, synthetic: MixedTable) -> float:
    """Return the mean of `marginal_distances` over the columns, in [0, 1]."""
    distances = [*marginal_distances(real, synthetic).values()]
    return float(np.mean(distances)) if distances else float("nan")


def associations(table: MixedTable) -> np.ndarray:
    """Return the association of every pair of columns, float64 [p + q, p + q], numeric columns first.

    Pearson's r of two numbers in [-1, 1], Cramer's V of two categories (of those that occur, not corrected for bias)
    and the correlation ratio eta of a number given a category, both in [0, 1]. A column with one value is associated
    with nothing: 0, also on the diagonal.

    Raises:
        UserError: a value is missing.
    """
    check_comparable(table, table)
    n, p, sizes = len(table), len(table.schema.numeric), table.schema.sizes
    matrix = np.zeros((p + len(sizes),) * 2)
    if not n:
        return np.full_like(matrix, np.nan)
    varies = np.ptp(table.numeric, axis=0) > 0 if p else np.empty(0, bool)
    centred = np.where(varies, table.numeric - table.numeric.mean(0), 0.0)
    scores = centred / np.where(varies, np.sqrt((centred**2).mean(0)), 1.0)
    matrix[:p, :p] = scores.T @ scores / n
    if not sizes:
        return matrix
    columns = one_hot(table.codes, sizes, np.float64)
    starts = np.cumsum([0, *sizes[:-1]])
    counts = columns.sum(0)
    freedom = np.add.reduceat(counts > 0, starts, dtype=np.int64) - 1
    # eta squared: the variance between the categories' means, of scores with variance 1
    between = (columns.T @ scores) ** 2 / np.maximum(counts, 1)[:, None] / n
    matrix[p:, :p] = np.sqrt(np.add.reduceat(between, starts, axis=0)) * (freedom > 0)[:, None]
    matrix[:p, p:] = matrix[p:, :p].T
    expected = np.outer(counts, counts) / n
    squares = (columns.T @ columns - expected) ** 2 / np.where(expected > 0, expected, 1.0)
    chi_squared = np.add.reduceat(np.add.reduceat(squares, starts, axis=0), starts, axis=1)
    smaller = np.minimum.outer(freedom, freedom)
    matrix[p:, p:] = np.sqrt(np.where(smaller > 0, chi_squared / (n * np.maximum(smaller, 1)), 0.0))
    return matrix


def association_distance(real: MixedTable, synthetic: MixedTable) -> float:
    """Return the mean absolute difference of `associations` over all pairs of columns.

    In [0, 2], since two correlations may have opposite signs; NaN without rows or with fewer than two columns.

    Raises:
        UserError: the tables cannot be compared, see `check_comparable`.
    """
    check_comparable(real, synthetic)
    difference = np.abs(associations(real) - associations(synthetic))
    pairs = difference[np.triu_indices(len(difference), 1)]
    return float(pairs.mean()) if len(pairs) else float("nan")
