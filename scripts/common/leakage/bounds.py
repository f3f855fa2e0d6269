"""What an attacker can reach at most, from counts: exact values on a sample, and bounds that hold with confidence.

A table here is counts [m, k] of outputs and groups. Balanced accuracy is the mean over groups of the share of their
people who are told right; guessing has 1/k.
"""

from collections.abc import Sequence
from math import log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from scripts.common.intervals import LEVEL, proportion_interval

DELTA = 1 - LEVEL


def shares(counts: ArrayLike) -> np.ndarray:
    """Return P(output | group), float64 [m, k]; nan for an empty group."""
    counts = np.asarray(counts, dtype=float)
    sizes = counts.sum(0)
    return counts / np.where(sizes > 0, sizes, np.nan)


def best_accuracy(counts: ArrayLike) -> float:
    """Return the best balanced accuracy of any attack on one output per person: (1/k) sum_y max_g P(y|g)."""
    return float(shares(counts).max(1).sum() / np.shape(counts)[1])


def parity_gap(counts: ArrayLike) -> float:
    """Return the largest minus the smallest selection rate over the groups of a table [2, k]."""
    accepted = shares(counts)[1]
    return float(accepted.max() - accepted.min())


def total_variation(counts: ArrayLike) -> float:
    """Return the largest total variation between the laws of two groups."""
    law = shares(counts)
    return float(np.abs(law[:, :, None] - law[:, None, :]).sum(0).max() / 2)


def accuracy_interval(hits: ArrayLike, sizes: ArrayLike) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return the 95 % interval [...] of balanced accuracy from hits and sizes per group, each [..., k].

    The Wilson intervals of the groups combined as Newcombe combines two (method 10 of his paper of 1998, squares of
    the distances added), so for two groups it is (1 + Newcombe's interval of the difference)/2.
    """
    hits, sizes = np.asarray(hits, dtype=float), np.asarray(sizes, dtype=float)
    low, high = proportion_interval(hits, sizes)
    rates, k = hits / sizes, hits.shape[-1]
    value = rates.mean(-1)
    below, above = (np.sqrt((distance**2).sum(-1)) / k for distance in (rates - low, high - rates))
    return (value - below)[()], (value + above)[()]


def wald_interval(hits: ArrayLike, sizes: ArrayLike) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return Wald's interval of balanced accuracy: too short at rare groups; here to be shown to fail."""
    hits, sizes = np.asarray(hits, dtype=float), np.asarray(sizes, dtype=float)
    rates, z = hits / sizes, NormalDist().inv_cdf((1 + LEVEL) / 2)
    half = z * np.sqrt((rates * (1 - rates) / sizes).sum(-1)) / hits.shape[-1]
    return (rates.mean(-1) - half)[()], (rates.mean(-1) + half)[()]


def normal_half_width(parts: Sequence[np.ndarray]) -> float:
    """Return half the width of the normal 95 % interval of the mean over groups of their means, [n_g] each."""
    return 1.959963984540054 / len(parts) * float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts)))


def gap_error(first: int, second: int, delta: float = DELTA) -> float:
    """Return t with P(gap > observed gap + t) <= delta for rates of two groups of these sizes (McDiarmid)."""
    return sqrt((1 / first + 1 / second) * log(1 / delta) / 2)


def gap_upper(counts: ArrayLike, delta: float = DELTA) -> float:
    """Return an upper bound, at confidence 1 - delta, of the largest minus smallest selection rate, table [2, k].

    Only the pair of groups that truly lies apart the farthest need be covered, so k > 2 costs no further factor.
    """
    accepted, sizes = shares(counts)[1], np.asarray(counts).sum(0)
    pairs = [(g, h) for g in range(len(sizes)) for h in range(len(sizes)) if g != h]
    return min(1.0, max(accepted[g] - accepted[h] + gap_error(sizes[g], sizes[h], delta) for g, h in pairs))


def threshold_error(sizes: ArrayLike, delta: float = DELTA) -> float:
    """Return t with P(KS distance > observed + t) <= delta: Dvoretzky-Kiefer-Wolfowitz, delta shared by the groups."""
    sizes = np.asarray(sizes, dtype=float)
    return float(np.sqrt(log(2 * len(sizes) / delta) / (2 * sizes)).sum())


def binned_error(sizes: ArrayLike, bins: int, delta: float = DELTA) -> float:
    """Return t with P(TV over bins > observed + t) <= delta: Weissman et al. 2003, delta shared by the groups."""
    sizes = np.asarray(sizes, dtype=float)
    return float((np.sqrt(2 * (log(2**bins - 2) + log(len(sizes) / delta)) / sizes) / 2).sum())


def rows_needed(method: str, epsilon: float, bins: int = 5, delta: float = DELTA) -> int:
    """Return the rows per group at which the error term alone is epsilon, for two groups of equal size.

    Args:
        method: "labels" (McDiarmid), "thresholds" (DKW) or "bins" (Weissman).
    """
    at_one = {
        "labels": lambda: gap_error(1, 1, delta),
        "thresholds": lambda: threshold_error([1, 1], delta),
        "bins": lambda: binned_error([1, 1], bins, delta),
    }[method]()
    return int(np.ceil((at_one / epsilon) ** 2 - 1e-9))  # all three fall like one over the root of the rows


def odds_prediction(y_true: np.ndarray, y_pred: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """Return what X8 predicts as best balanced accuracy for two groups, and how far equalized odds is violated.

    Args:
        y_true, y_pred, group: 0 or 1, each [n].

    Returns:
        (1 + |P(Y=1|S=1) - P(Y=1|S=0)| |TPR - FPR|)/2 and the larger of the gaps of TPR and FPR; nan where undefined.
    """
    counts = np.bincount(group * 4 + y_true * 2 + y_pred, minlength=8).reshape(2, 2, 2).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = counts[:, :, 1] / counts.sum(2)  # [group, label]: FPR, TPR
        prediction = predicted_by_odds(counts)
    return float(prediction), float(np.abs(rates[1] - rates[0]).max())


def predicted_by_odds(counts: np.ndarray) -> np.ndarray:
    """Return the prediction of X8, [...], of tables [..., 2, 2, 2] (group, label, decision)."""
    base = counts[..., 1, :].sum(-1) / counts.sum((-2, -1))
    pooled = counts.sum(-3)[..., 1] / counts.sum((-3, -1))
    return (1 + abs(base[..., 1] - base[..., 0]) * abs(pooled[..., 1] - pooled[..., 0])) / 2
