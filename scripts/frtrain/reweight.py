"""RML: learning to reweight examples (Ren et al., ICML 2018), for a linear classifier, in closed form.

A row's weight in a step is how far a step along its own gradient would lower the loss on the clean validation rows:
w_i = max(0, grad l_i . grad L_clean), scaled to sum 1. For a linear model grad l_i = (sigmoid(f_i) - t_i) x_i, so
nothing has to be differentiated twice. Full batch.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from scripts.frtrain.kernel import REALS

STEPS, RATE = 2000, 0.05
# of `descend`, in the order of its arguments
SIGNATURE = f"UniTuple({REALS},2)({REALS},float64[:,::1],{REALS},float64[:,::1],{REALS},int64,float64)"
HANDOVERS = ("average", "last", "filter")


class Reweighted(NamedTuple):
    """The classifier [d + 1] and row weights [n] that sum to 1: of the last step, and averaged over the second half."""

    theta: np.ndarray
    last: np.ndarray
    average: np.ndarray


@njit
def row_weights(theta, x, t, x_clean, t_clean, weights):
    """Write the weights [n] of the rows at theta and return the gradient [d + 1] that they give."""
    n, d = x.shape
    ahead, gradient, total = np.zeros(d), np.zeros(d), 0.0
    for i in range(t_clean.size):
        f = 0.0
        for j in range(d):
            f += theta[j] * x_clean[i, j]
        error = (1.0 / (1.0 + np.exp(-f)) - t_clean[i]) / t_clean.size
        for j in range(d):
            ahead[j] += error * x_clean[i, j]
    for i in range(n):
        f, along = 0.0, 0.0
        for j in range(d):
            f += theta[j] * x[i, j]
            along += ahead[j] * x[i, j]
        error = 1.0 / (1.0 + np.exp(-f)) - t[i]
        weights[i] = max(0.0, error * along)
        total += weights[i]
        for j in range(d):
            gradient[j] += weights[i] * error * x[i, j]
    total = total if total > 0 else 1.0
    for i in range(n):
        weights[i] /= total
    return gradient / total


@njit(SIGNATURE, cache=True)  # alone on disk and compiled on import, as kernel.train
def descend(theta, x, t, x_clean, t_clean, steps, rate):
    """Take all steps in place; return the weights of the last step and their mean over the second half."""
    weights, average = np.zeros(t.size), np.zeros(t.size)
    for step in range(steps):
        gradient = row_weights(theta, x, t, x_clean, t_clean, weights)
        theta -= rate * gradient
        if 2 * step >= steps:
            average += weights
    return weights, average / max(average.sum(), 1e-300)


def fit_reweighted(
    x: np.ndarray,
    y: np.ndarray,
    x_clean: np.ndarray,
    y_clean: np.ndarray,
    seed: int,
    steps: int = STEPS,
    rate: float = RATE,
) -> Reweighted:
    """Train on rows x [n, d + 1], y [n] with the help of clean rows [v, d + 1], [v]; labels are -1/+1."""
    theta = np.random.default_rng(seed).normal(0, 0.2, x.shape[1])
    theta[-1] = 0.0
    targets = [(labels > 0).astype(float) for labels in (y, y_clean)]
    features = [np.array(rows, float, order="C") for rows in (x, x_clean)]  # writable
    last, average = descend(theta, features[0], targets[0], features[1], targets[1], steps, rate)
    return Reweighted(theta, last, average)


def handed_over(found: Reweighted, how: str) -> np.ndarray:
    """Return the row weights [n], of mean 1, with which the second method of a pair is fitted.

    How RML+X passes its weights on is unpublished. "average": the weights averaged over the second half of the steps
    (our choice: a single step's weights are zero for every row that happens to be fitted). "last": those of the last
    step. "filter": rows with less than half of the mean average weight are dropped, the others count alike.

    Raises:
        ValueError: `how` is another word.
    """
    if how not in HANDOVERS:
        raise ValueError(f"no handover {how!r}; there are {HANDOVERS}")
    weights = found.last if how == "last" else found.average
    if how == "filter":
        weights = (weights * len(weights) >= 0.5).astype(float)
    return weights * len(weights) / weights.sum()
