"""Many tests at once: p-values adjusted so that the chance of any false rejection stays below the level."""

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return Holm's adjusted p-values, float64 [n]; nan stays nan and does not count.

    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
    """
    p_values = np.asarray(p_values, dtype=float)
    adjusted, tested = np.full(len(p_values), np.nan), np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted
