"""How well a score, or a probability of the positive label, orders and foresees the labels of a binary task."""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from scripts.common.errors import UserError
from scripts.common.intervals import LEVEL

STEPS = 60  # halvings of [0, 1] until the end of an interval is exact


def roc_auc(y: ArrayLike, score: ArrayLike) -> float:
    """Return P(score of a positive > score of a negative) + P(equal) / 2: the area under the ROC curve.

    Computed from mid-ranks (Mann and Whitney 1947) in whole numbers, so ties are exact; O(n log n).

    Args:
        y: labels 0 or 1, [n].
        score: any numbers, [n]; higher means more likely 1.

    Returns:
        NaN where only one of the labels occurs.

    Raises:
        UserError: lengths differ, a label is neither 0 nor 1, or a score is missing.
    """
    y, score = _checked(y, score)
    _, place, size = np.unique(score, return_inverse=True, return_counts=True)
    positives, n = int(y.sum()), len(y)
    if positives in (0, n):
        return float("nan")
    last = size.cumsum()  # a group of equal scores has the ranks last - size + 1 ... last
    doubled = int((2 * last - size + 1)[place[y == 1]].sum())  # twice the mid-ranks of the positives
    return (doubled - positives * (positives + 1)) / (2 * positives * (n - positives))


def roc_auc_interval(auc: float, positives: int, negatives: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval (low, high) of an area under the ROC curve; NaN without a value or rows of a label.

    All areas from which the observed one lies less than z standard errors, these by Hanley and McNeil's formula with
    the mean of both numbers of rows: unlike a normal interval it stays in [0, 1] and has a width at 0 and 1. Newcombe,
    Confidence intervals for an effect size measure based on the Mann-Whitney statistic, Part 2, Statistics in Medicine
    25 (2006), method 5. It takes no account of the choice of the score.
    """
    if not positives or not negatives or np.isnan(auc):
        return float("nan"), float("nan")
    z, more = NormalDist().inv_cdf((1 + level) / 2), (positives + negatives) / 2 - 1

    def outside(area: float) -> bool:
        factor = 1 + more * ((1 - area) / (2 - area) + area / (1 + area))
        return (area - auc) ** 2 > z**2 * area * (1 - area) * factor / (positives * negatives)

    def edge(end: float) -> float:
        inner, outer = auc, end
        for _ in range(STEPS):
            middle = (inner + outer) / 2
            inner, outer = (inner, middle) if outside(middle) else (middle, outer)
        return outer

    return float(edge(0.0)), float(edge(1.0))


def brier_score(y: ArrayLike, probability: ArrayLike) -> float:
    """Return the mean of (probability - label) squared; NaN without rows.

    Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78 (1950), for two labels
    and one probability (half of his sum over both).

    Args:
        y: labels 0 or 1, [n].
        probability: of label 1, [n].

    Raises:
        UserError: lengths differ, a label is neither 0 nor 1, or a probability is missing or outside [0, 1].
    """
    y, probability = _checked(y, probability)
    wrong = (probability < 0) | (probability > 1)
    if wrong.any():
        raise UserError(f"a probability must lie between 0 and 1, got {probability[wrong][0]:g}")
    return float(np.mean((probability - y) ** 2)) if len(y) else float("nan")


def _checked(y: ArrayLike, score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y, score = np.asarray(y), np.asarray(score, dtype=float)
    if y.shape != score.shape or y.ndim != 1:
        raise UserError(f"labels and scores must be two lists of one length, got shapes {y.shape} and {score.shape}")
    wrong = (y != 0) & (y != 1)
    if wrong.any():
        raise UserError(f"a label must be 0 or 1, got {y[wrong][0]}")
    if np.isnan(score).any():
        raise UserError(f"{int(np.isnan(score).sum()):,} of {len(score):,} scores are missing")
    return y.astype(np.int64), score
