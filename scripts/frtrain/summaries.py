"""Over seeds: means with Student intervals, and differences paired by seed."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from scripts.common.intervals import LEVEL


def student_interval(values: ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """Return Student's t interval (low, high) of a mean; nan for fewer than two values."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return np.nan, np.nan
    half = student.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def paired(ours: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float, float, int]:
    """Return the mean difference of `value` over shared seeds, its t interval and the number of seeds.

    A method with one seed only, because nothing in it is random, is the same for every seed.
    """
    if other.seed.nunique() == 1 and ours.seed.nunique() > 1:
        differences = ours.value.to_numpy() - float(other.value.iloc[0])
    else:
        joined = ours.merge(other[["seed", "value"]], on="seed", suffixes=("", "_other"), validate="one_to_one")
        differences = (joined.value - joined.value_other).to_numpy()
    if not len(differences):
        return np.nan, np.nan, np.nan, 0
    return float(differences.mean()), *student_interval(differences), len(differences)
