"""Pareto fronts and their convex hulls; every coordinate is minimised."""

import numpy as np
from numpy.typing import ArrayLike


def pareto_mask(points: ArrayLike) -> np.ndarray:
    """Mask of the Pareto-efficient points, which no other point dominates.

    A point dominates another if it is nowhere larger and somewhere smaller. Equal points do not dominate
    each other, so every copy of an efficient point is kept. A point with a NaN is never efficient and
    dominates nothing.

    Args:
        points: [N, d].

    Returns:
        bool [N]. For d = 2 in O(N log N), else in O(N F d) with F efficient points.
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2:
        raise ValueError(f"points must be [N, d], got the shape {points.shape}")
    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    order = known[np.lexsort(points[known].T[::-1])]  # by the first coordinate, ties by the next ones
    kept = _front_2d(points[order]) if points.shape[1] == 2 else _front(points[order])
    mask = np.zeros(len(points), dtype=bool)
    mask[order[kept]] = True
    return mask


def _front_2d(points: np.ndarray) -> np.ndarray:
    """Efficient points, bool [N], of points [N, 2] sorted by x, then y."""
    x, y = points.T
    if not len(x):
        return np.zeros(0, dtype=bool)
    first = np.searchsorted(x, x, side="left")  # the lowest point of the same x
    before = np.concatenate([[np.inf], np.minimum.accumulate(y)])[first]  # the lowest y at a smaller x
    return (y == y[first]) & ((y < before) | (first == 0))


def _front(points: np.ndarray) -> np.ndarray:
    """Efficient points, bool [N], of lexicographically sorted points [N, d]."""
    efficient = np.zeros(len(points), dtype=bool)
    left = np.arange(len(points))
    while len(left):
        best = points[left[0]]  # a dominating point sorts earlier, so the first one left is efficient
        same = (points[left] == best).all(axis=1)
        efficient[left[same]] = True
        left = left[(points[left] < best).any(axis=1)]
    return efficient


def lower_hull(points: ArrayLike) -> np.ndarray:
    """Return the vertices of the lower-left convex hull of the efficient points.

    They run from the point with the smallest x down to the one with the smallest y: the points that a
    weighted sum with positive weights can select. Points in the interior of an edge are left out.

    Args:
        points: [N, 2].

    Returns:
        float64 [H, 2], x rising and y falling.
    """
    points = np.asarray(points, dtype=float)
    hull: list[np.ndarray] = []
    for point in np.unique(points[pareto_mask(points)], axis=0):
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return np.array(hull).reshape(-1, 2)


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Twice the signed area of a, b, c: positive for a left turn (b below the line from a to c)."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
