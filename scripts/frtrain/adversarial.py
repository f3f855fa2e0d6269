"""AD: a linear classifier against an adversary that guesses the group from its score (Zhang et al., AIES 2018).

The classifier moves along gP - projection of gP on gA - alpha gA, where gP and gA are the gradients of its own and of
the adversary's loss; the adversary descends its loss. Without `projection` what remains is the min-max game that
FR-Train plays too.

Closed-form gradients in compiled float32 loops over the rows, as in kernel.py: a step costs three vectorised
logistic functions a row and no temporary array. Tests compare them with autograd in float64.
"""

import numpy as np
from numba import njit

from scripts.common.compiled import kept_on_disk
from scripts.frtrain.kernel import (
    FAST,
    ONE,
    REALS,
    ROWS,
    VALUES,
    ZERO,
    adam,
    linear,
    sigmoid_,
    weighted_sums,
)

STEPS = 2000
# A slower adversary lags behind, and the game runs in circles. Disparate impact on validation rows, poisoned labels,
# standard deviation over 20 seeds, mean of five alphas: .14 at 0.05, .08 at 0.1, .02 at 0.2; from 0.5 accuracy falls.
RATE, ADVERSARY_RATE = 0.01, 0.2
# of `descend`, in the order of its arguments
SIGNATURE = (
    f"void({REALS},{REALS},{ROWS},{VALUES},{VALUES},{VALUES},{VALUES},float64,boolean,boolean,int64,float64,float64)"
)


@njit(**FAST)
def gradients(w, a, x, y, z, shares, fair, odds, f, s, q, slope) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dL_P/dw, dL_A/dw [d + 1] and dL_A/da [5].

    s = sigmoid((1 + |a0|) f) is the score that the adversary sees; its logit is a1 s + a2 for demographic parity and
    a1 s + a2 + a3 s y + a4 s (1 - y), y in {0, 1}, for equalized odds.

    Args:
        w, a: float64 classifier [d + 1] and adversary [5].
        x, y, z: float32 rows [d, n], labels and groups 0/1 [n].
        shares, fair: row weights that sum to 1 [n], in L_P and in L_A.
        f, s, q, slope: room for [n].
    """
    d, n = x.shape
    gp, ga, adversary = np.empty(d + 1), np.empty(d + 1), np.zeros(5)
    steep, sign = np.float32(1.0 + abs(a[0])), np.float32(np.sign(a[0]))
    plain, shift = np.float32(a[1]), np.float32(a[2])
    positive, negative = (np.float32(a[3]), np.float32(a[4])) if odds else (ZERO, ZERO)
    linear(x, w[:d], w[d], f)
    for i in range(n):
        s[i] = steep * f[i]
    sigmoid_(s)
    for i in range(n):
        q[i] = (plain + positive * y[i] + negative * (ONE - y[i])) * s[i] + shift
    sigmoid_(q)
    by_steep, by_s, by_shift, by_positive = ZERO, ZERO, ZERO, ZERO
    for i in range(n):
        other = fair[i] * (q[i] - z[i])
        slope[i] = other * (plain + positive * y[i] + negative * (ONE - y[i])) * s[i] * (ONE - s[i])
        by_steep += slope[i] * f[i] * sign
        by_s += other * s[i]
        by_shift += other
        by_positive += other * s[i] * y[i]
    adversary[0], adversary[1], adversary[2] = by_steep, by_s, by_shift
    if odds:
        adversary[3], adversary[4] = by_positive, by_s - by_positive
    sigmoid_(f)
    for i in range(n):
        f[i] = shares[i] * (f[i] - y[i])
        slope[i] *= steep
    weighted_sums(x, f, gp)
    weighted_sums(x, slope, ga)
    return gp, ga, adversary


@njit
def update_direction(gp, ga, alpha, projection) -> np.ndarray:
    """Return gP - proj_gA(gP) - alpha gA; without `projection`, gP - alpha gA."""
    size, along, direction = 0.0, 0.0, np.empty_like(gp)
    for j in range(gp.size):
        size += ga[j] * ga[j]
        along += gp[j] * ga[j]
    share = along / size if projection and size > 0 else 0.0
    for j in range(gp.size):
        direction[j] = gp[j] - (share + alpha) * ga[j]
    return direction


@kept_on_disk(SIGNATURE)  # alone on disk and compiled on import, as loop.train
def descend(w, a, x, y, z, shares, fair, alpha, odds, projection, steps, rate, adversary_rate) -> None:
    """Train both in place, full batch, with step sizes that fall linearly to zero."""
    n = y.size
    f, s = np.empty(n, np.float32), np.empty(n, np.float32)
    q, slope = np.empty(n, np.float32), np.empty(n, np.float32)
    first_w, second_w, first_a, second_a = np.zeros_like(w), np.zeros_like(w), np.zeros_like(a), np.zeros_like(a)
    for step in range(1, steps + 1):
        left = 1.0 - (step - 1) / steps
        gp, ga, adversary = gradients(w, a, x, y, z, shares, fair, odds, f, s, q, slope)
        adam(a, adversary, first_a, second_a, step, left * adversary_rate)
        adam(w, update_direction(gp, ga, alpha, projection), first_w, second_w, step, left * rate)


def fit_adversarial(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    alpha: float,
    seed: int,
    weights: np.ndarray | None = None,
    odds: bool = False,
    projection: bool = True,
    steps: int = STEPS,
    rate: float = RATE,
    adversary_rate: float = ADVERSARY_RATE,
    fair_weights: np.ndarray | None = None,
) -> np.ndarray:
    """Return theta float64 [d + 1] of AD.

    Args:
        x: [n, d + 1] with a last column of ones.
        y, z: labels -1/+1 and groups 0/1 [n].
        alpha: weight of the adversary, the knob.
        seed: of the initial weights, Normal(0, 0.2).
        weights, fair_weights: of the rows, in the classifier's and in the adversary's loss; equal by default.
    """
    random = np.random.default_rng(seed)
    w, a = random.normal(0, 0.2, x.shape[1]), random.normal(0, 0.2, 5)
    w[-1] = 0.0
    given = [np.ones(len(y)) if own is None else own for own in (weights, fair_weights)]
    shares, fair = (own / own.sum() for own in given)
    arrays = [np.array(v, np.float32, order="C") for v in (x[:, :-1].T, y > 0, z, shares, fair)]  # writable
    descend(w, a, *arrays, float(alpha), odds, projection, steps, rate, adversary_rate)
    return w
