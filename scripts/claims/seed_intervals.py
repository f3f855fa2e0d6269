"""Interval of a mean over seeds from its two sources of error: the rows that were sampled, and the seeds.

Both parts are half-widths of 95 % intervals; they are independent, so their squares are added.
"""

import math

import numpy as np
import pandas as pd
from scipy import stats

from scripts.common.intervals import LEVEL


def sampling_half_widths(rows: pd.DataFrame) -> tuple[float, float]:
    """Return how far the interval of the mean over `rows` reaches down and up because the test rows are a sample.

    The models of all seeds are judged on the same test rows, so their errors are taken as fully correlated: averaging
    them removes nothing, and the half-width of the mean is the mean of the half-widths.

    Args:
        rows: value, low, high.

    Returns:
        Both half-widths; nan where a row has no interval.
    """
    down, up = rows["value"] - rows["low"], rows["high"] - rows["value"]
    return float(down.mean(skipna=False)), float(up.mean(skipna=False))


def seed_values(rows: pd.DataFrame) -> np.ndarray:
    """Return one value per seed, the mean of its rows."""
    return rows.groupby("seed")["value"].mean().to_numpy(float)


def seed_half_width(values: np.ndarray) -> float:
    """Return half the width of Student's t interval of the mean of one value per seed; nan for one seed."""
    if len(values) < 2:
        return math.nan
    t = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1))
    return t * float(values.std(ddof=1)) / math.sqrt(len(values))


def combined(*parts: float) -> float:
    """Return the root of the sum of squares of the half-widths that are known; nan if none is."""
    known = [part for part in parts if not math.isnan(part)]
    return math.hypot(*known) if known else math.nan
