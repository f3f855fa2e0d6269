"""The rates by which a round or stage is chosen while fitting, of counts by group, label and prediction.

They are those of scripts/common/metrics.py, written again: a fit must not depend on what measures it, or an edited
metric would train every booster anew. A test compares the two.
"""

from collections.abc import Callable, Sequence

import numpy as np


def by_attribute(counts: np.ndarray, attributes: int, keep: Sequence[int]) -> np.ndarray:
    """Return [..., G, 2, 2]: the counts of the groups of some attributes, the other attributes summed out.

    Args:
        counts: [..., K_1, ..., K_a, 2, 2] with a = `attributes`.
        keep: the attributes whose combinations are the groups.
    """
    first = counts.ndim - 2 - attributes
    others = tuple(first + k for k in range(attributes) if k not in set(keep))
    return counts.sum(axis=others).reshape(*counts.shape[:first], -1, 2, 2)


def _fraction(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, nan where the whole is zero."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole != 0)


def true_positive_rate(counts: np.ndarray) -> np.ndarray:
    """Return the fraction of positives that is accepted, float64 [...], of counts [..., 2, 2]."""
    return _fraction(counts[..., 1, 1], counts[..., 1, :].sum(-1))


def true_negative_rate(counts: np.ndarray) -> np.ndarray:
    """Return the fraction of negatives that is rejected, float64 [...], of counts [..., 2, 2]."""
    return _fraction(counts[..., 0, 0], counts[..., 0, :].sum(-1))


def selection_rate(counts: np.ndarray) -> np.ndarray:
    """Return the fraction of all that is accepted, float64 [...], of counts [..., 2, 2]."""
    return _fraction(counts[..., 1].sum(-1), counts.sum((-2, -1)))


def error_rate(counts: np.ndarray) -> np.ndarray:
    """Return the fraction of all that is decided wrongly, float64 [...], of counts [..., 2, 2]."""
    return _fraction(counts[..., 0, 1] + counts[..., 1, 0], counts.sum((-2, -1)))


def balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """Return (TPR + TNR) / 2, float64 [...], of counts [..., 2, 2]."""
    return (true_positive_rate(counts) + true_negative_rate(counts)) / 2


RATES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "true_positive_rate": true_positive_rate,
    "true_negative_rate": true_negative_rate,
    "selection_rate": selection_rate,
    "zero_one_loss": error_rate,
}


def undominated(points: np.ndarray) -> np.ndarray:
    """Return bool [N]: which points no other point beats in one objective without losing in another; all finite."""
    nowhere_larger = (points[:, None] <= points[None]).all(-1)
    somewhere_smaller = (points[:, None] < points[None]).any(-1)
    return ~(nowhere_larger & somewhere_smaller).any(0)
