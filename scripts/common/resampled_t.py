"""Corrected resampled t interval of a mean over seeds, where each seed is another random split of the same rows."""

import numpy as np
import pandas as pd
from scipy import stats

from scripts.common.intervals import LEVEL


def mean_interval(values: np.ndarray, test_by_train: float, level: float = LEVEL) -> tuple[float, float]:
    """Interval (low, high) of a mean over J random splits; NaN for one split or an undefined value.

    The splits share rows, so their values are not independent and s / sqrt(J) is too small. The corrected resampled
    t interval uses s sqrt(1 / J + test rows / training rows) (Nadeau and Bengio, Machine Learning 52, 2003).
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or np.isnan(values).any():
        return np.nan, np.nan
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1)
    half *= np.sqrt(1 / len(values) + test_by_train)
    return float(values.mean() - half), float(values.mean() + half)


def aggregate_splits(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean of `value` over the splits, with its corrected resampled t interval, per combination of `keys`.

    Args:
        rows: the keys, seed, value, n, and test_by_train (test rows / training rows, constant within a combination).

    Returns:
        The keys, value, ci_low, ci_high, deviation (over seeds), seeds, n (the smallest of any seed). A value that
        is undefined for a seed makes the mean undefined.
    """
    means = []
    for key, group in rows.groupby(keys, sort=False):
        values = group["value"].to_numpy(float)
        low, high = mean_interval(values, float(group["test_by_train"].iloc[0]))
        deviation = float(values.std(ddof=1)) if len(values) > 1 else np.nan
        means.append((*key, float(values.mean()), low, high, deviation, group["seed"].nunique(), int(group["n"].min())))
    return pd.DataFrame(means, columns=[*keys, "value", "ci_low", "ci_high", "deviation", "seeds", "n"])
