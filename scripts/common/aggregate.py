"""Means over seeds or splits, with an interval of a named kind: the one place where runs are put together."""

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from scripts.common.interval_kinds import BOOTSTRAP, RANGE, RESAMPLED_T, ROWS_AND_SEEDS, STUDENT
from scripts.common.intervals import LEVEL

OVER_SEEDS = (BOOTSTRAP, STUDENT, RESAMPLED_T, RANGE, ROWS_AND_SEEDS)


def student_half_width(values: ArrayLike, test_by_train: float = 0.0, level: float = LEVEL) -> float:
    """Return half the width of the t interval of a mean over J seeds or splits; NaN for one, or an undefined value.

    With `test_by_train` (test rows / training rows) above 0 it is the corrected resampled t interval: random splits
    of the same people share rows, so s / sqrt(J) is too small, and s sqrt(1 / J + test / training rows) takes its
    place (Nadeau and Bengio, Machine Learning 52, 2003).
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or np.isnan(values).any():
        return math.nan
    t = special.stdtrit(len(values) - 1, (1 + level) / 2)  # scipy.stats would cost half a second of every job's start
    return float(t * values.std(ddof=1) * np.sqrt(1 / len(values) + test_by_train))


def mean_interval(values: ArrayLike, test_by_train: float = 0.0, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval (low, high) of `student_half_width` around the mean."""
    half, mean = student_half_width(values, test_by_train, level), float(np.mean(values))
    return mean - half, mean + half


def sampling_half_widths(rows: pd.DataFrame) -> tuple[float, float]:
    """Return how far the interval of the mean over `rows` reaches down and up because the test rows are a sample.

    The models of all seeds are judged on the same test rows, so their errors are taken as fully correlated: averaging
    them removes nothing, and the half-width of the mean is the mean of the half-widths.

    Args:
        rows: value, ci_low, ci_high.

    Returns:
        Both half-widths; nan where a row has no interval.
    """
    down, up = rows["value"] - rows["ci_low"], rows["ci_high"] - rows["value"]
    return float(down.mean(skipna=False)), float(up.mean(skipna=False))


def combined(*parts: float) -> float:
    """Return the root of the sum of squares of the half-widths that are known; nan if none is."""
    known = [part for part in parts if not math.isnan(part)]
    return math.hypot(*known) if known else math.nan


def bounds_of(rows: pd.DataFrame, kind: str) -> tuple[float, float]:
    """Return (low, high) of the mean of `value` over the rows, one row per seed or split; NaN where undefined.

    The kinds: bootstrap over rows (the test rows' sampling error alone), Student over seeds, corrected resampled t
    (needs test_by_train), range (from the lowest to the highest bound of any row), rows and seeds (both errors).

    Raises:
        ValueError: no interval over seeds is of this kind.
    """
    values = rows["value"].to_numpy(float)
    if kind == RANGE:
        return float(rows["ci_low"].min()), float(rows["ci_high"].max())
    if kind == STUDENT:
        return mean_interval(values)
    if kind == RESAMPLED_T:
        return mean_interval(values, float(rows["test_by_train"].iloc[0]))
    down, up = sampling_half_widths(rows)
    if kind == ROWS_AND_SEEDS:
        seeds = student_half_width(values)
        down, up = combined(down, seeds), combined(up, seeds)
    elif kind != BOOTSTRAP:
        raise ValueError(f"no interval over seeds of the kind {kind!r}; there are {', '.join(OVER_SEEDS)}")
    return float(values.mean()) - down, float(values.mean()) + up


def aggregate(rows: pd.DataFrame, keys: list[str], kind: str) -> pd.DataFrame:
    """Return the mean of `value` over seeds or splits per combination of `keys`, with an interval of the named kind.

    Args:
        rows: the keys, seed, value, n, and what the kind needs: ci_low and ci_high (bootstrap over rows, range, rows
            and seeds), or test_by_train (test rows / training rows, constant within a combination; corrected
            resampled t).
        kind: one of `OVER_SEEDS`; see `bounds_of`.

    Returns:
        The keys, value, ci_low, ci_high, interval (the kind; null without bounds), deviation (over seeds, n - 1),
        seeds, n (the smallest of any seed). A value that is undefined for a seed makes the mean undefined.
    """
    means = []
    for key, group in rows.groupby(keys, sort=False, observed=True):
        values = group["value"].to_numpy(float)
        low, high = bounds_of(group, kind)
        deviation = float(values.std(ddof=1)) if len(values) > 1 else math.nan
        name = None if math.isnan(low) and math.isnan(high) else kind
        found = (float(values.mean()), low, high, name, deviation, group["seed"].nunique(), int(group["n"].min()))
        means.append((*key, *found))
    return pd.DataFrame(means, columns=[*keys, "value", "ci_low", "ci_high", "interval", "deviation", "seeds", "n"])
