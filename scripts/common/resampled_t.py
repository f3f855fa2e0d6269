"""Intervals over seeds, where each seed is another random split of the same people."""

import numpy as np
import pandas as pd
from scipy import stats

from scripts.common.intervals import LEVEL


def mean_interval(values: np.ndarray, test_by_train: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval (low, high) of a mean over J random splits; nan for one split or an undefined value.

    The splits share rows, so their values are not independent, and s / sqrt(J) is too small. The corrected resampled
    t interval takes s sqrt(1 / J + test rows / training rows) (Nadeau and Bengio, Machine Learning 52, 2003).
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or np.isnan(values).any():
        return np.nan, np.nan
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1)
    half *= np.sqrt(1 / len(values) + test_by_train)
    return float(values.mean() - half), float(values.mean() + half)


def over_seeds(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the mean of `value` over the seeds, with its interval, per combination of `keys`.

    Args:
        rows: the keys, seed, value, n, and test_by_train (constant within a combination).

    Returns:
        The keys, value, ci_low, ci_high, deviation (over seeds), seeds, n (the least of any seed). A value that is
        undefined for a seed makes the mean undefined.
    """
    found = []
    for key, own in rows.groupby(keys, sort=False):
        values = own["value"].to_numpy(float)
        low, high = mean_interval(values, float(own["test_by_train"].iloc[0]))
        deviation = float(values.std(ddof=1)) if len(values) > 1 else np.nan
        found.append((*key, float(values.mean()), low, high, deviation, own["seed"].nunique(), int(own["n"].min())))
    return pd.DataFrame(found, columns=[*keys, "value", "ci_low", "ci_high", "deviation", "seeds", "n"])
