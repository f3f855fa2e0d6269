"""RML: learning to reweight examples (Ren et al., ICML 2018), for a linear classifier, in closed form.

A row's weight in a step is how far a step along its own gradient would lower the loss on the clean validation rows:
w_i = max(0, grad l_i . grad L_clean), scaled to sum 1. For a linear model grad l_i = (sigmoid(f_i) - t_i) x_i, so
nothing has to be differentiated twice. Full batch, in compiled float32 loops over the rows, as in kernel.py.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from scripts.common.compiled import kept_on_disk
from scripts.frtrain.kernel import FAST, ONE, REALS, ROWS, VALUES, ZERO, linear, sigmoid_, weighted_sums

STEPS, RATE = 2000, 0.05
# of `descend`, in the order of its arguments
SIGNATURE = f"Tuple(({VALUES},{REALS}))({REALS},{ROWS},{VALUES},{ROWS},{VALUES},int64,float64)"
HANDOVERS = ("average", "last", "filter")


class Reweighted(NamedTuple):
    """The classifier [d + 1] and row weights [n] that sum to 1: of the last step, and averaged over the second half."""

    theta: np.ndarray
    last: np.ndarray
    average: np.ndarray


@njit(**FAST)
def row_weights(theta, x, t, x_clean, t_clean, error, along, error_clean, weights) -> np.ndarray:
    """Write the weights [n] of the rows at theta and return the gradient [d + 1] that they give.

    Args:
        theta: float64 [d + 1].
        x, t, x_clean, t_clean: float32 rows [d, n] and labels 0/1 [n], the same of v clean rows.
        error, along, error_clean: room for [n], [n] and [v].
    """
    d, v = x.shape[0], t_clean.size
    ahead, gradient = np.empty(d + 1), np.empty(d + 1)
    linear(x_clean, theta[:d], theta[d], error_clean)
    sigmoid_(error_clean)
    for i in range(v):
        error_clean[i] = (error_clean[i] - t_clean[i]) / v
    weighted_sums(x_clean, error_clean, ahead)
    linear(x, ahead[:d], ahead[d], along)
    linear(x, theta[:d], theta[d], error)
    sigmoid_(error)
    total = ZERO
    for i in range(t.size):
        error[i] -= t[i]
        weights[i] = max(ZERO, error[i] * along[i])
        total += weights[i]
    share = ONE / total if total > ZERO else ONE
    for i in range(t.size):
        weights[i] *= share
        error[i] *= weights[i]
    weighted_sums(x, error, gradient)
    return gradient


@kept_on_disk(SIGNATURE)  # alone on disk and compiled on import, as loop.train
def descend(theta, x, t, x_clean, t_clean, steps, rate) -> tuple[np.ndarray, np.ndarray]:
    """Take all steps in place; return the weights of the last step and their sum over the second half."""
    n = t.size
    error, along, error_clean = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(t_clean.size, np.float32)
    weights, late = np.zeros(n, np.float32), np.zeros(n)
    for step in range(steps):
        gradient = row_weights(theta, x, t, x_clean, t_clean, error, along, error_clean, weights)
        for j in range(theta.size):
            theta[j] -= rate * gradient[j]
        if 2 * step >= steps:
            for i in range(n):
                late[i] += weights[i]
    return weights, late


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
    arrays = [np.array(v, np.float32, order="C") for v in (x[:, :-1].T, y > 0, x_clean[:, :-1].T, y_clean > 0)]
    last, late = descend(theta, *arrays, steps, rate)
    return Reweighted(theta, last.astype(float), late / max(late.sum(), 1e-300))


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
