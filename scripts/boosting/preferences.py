"""Choosing one of many models by a preference over several objectives, all to be made small.

Pseudo-weights as in pymoo (Deb 2001): how far an objective lies below its worst value, in units of its range, each
model's numbers scaled to sum to 1. MFBPP and mmm-fair choose a boosting round with them.
"""

from collections.abc import Sequence

import numpy as np

from scripts.boosting.stage_rates import undominated
from scripts.common.errors import UserError

TOLERANCE = 1e-6


def check_preference(preference: Sequence[float], objectives: int, name: str = "preference") -> np.ndarray:
    """Return the weights, float64 [objectives]; `name` is what the message calls them.

    Raises:
        UserError: there are more or fewer of them, one is negative or no number, or they do not sum to 1.
    """
    weights = np.asarray(preference, dtype=float)
    if weights.shape != (objectives,):
        raise UserError(f"{name}: needs {objectives} weights, one per objective; got {list(preference)}")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise UserError(f"{name}: preference weights are numbers of at least 0; got {list(preference)}")
    if abs(weights.sum() - 1) > TOLERANCE:
        raise UserError(f"{name}: preference weights must sum to 1; {list(preference)} sum to {weights.sum():g}")
    return weights


def pseudo_weights(points: np.ndarray) -> np.ndarray:
    """Return the pseudo-weights [N, d] of points [N, d]; equal ones for a point that is worst in everything.

    An objective in which all points agree has weight 0 everywhere.
    """
    worst, best = points.max(0), points.min(0)
    spread = np.where(worst > best, worst - best, 1.0)
    distance = (worst - points) / spread
    total = distance.sum(1, keepdims=True)
    return np.where(total > 0, distance / np.where(total > 0, total, 1.0), 1 / points.shape[1])


def chosen(points: np.ndarray, preference: Sequence[float] | None, allowed: np.ndarray | None = None) -> int:
    """Return which point is chosen among the Pareto-efficient ones.

    Args:
        points: [N, d] objectives.
        preference: [d] weights: the point with the nearest pseudo-weights (sum of absolute differences); None takes the
            smallest sum of (1 - pseudo-weight) x objective.
        allowed: bool [N], the candidates; by default all.

    Raises:
        UserError: no candidate is left, or the preference is none.
    """
    allowed = np.ones(len(points), bool) if allowed is None else allowed
    known = np.flatnonzero(allowed & np.isfinite(points).all(1))
    if not len(known):
        raise UserError("no round can be chosen: each one accepts everybody or nobody; take more rounds or other rows")
    front = known[undominated(points[known])]
    weights = pseudo_weights(points[front])
    if preference is None:
        return int(front[np.argmin(((1 - weights) * points[front]).sum(1))])
    wanted = check_preference(preference, points.shape[1])
    return int(front[np.argmin(np.abs(weights - wanted).sum(1))])
