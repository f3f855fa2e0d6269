"""Rows in compiled loops: the pieces of which the training loops of FR-Train, AD and RML are made.

Only whole loops are cached on disk (`loop.train`, `adversarial.descend`, `reweight.descend`); each is compiled when
its file is first imported. The process that compiles one ends with other last digits than those that read it from the
disk (the cause was not found), so rule `frtrain_compile`, which every fit waits for, compiles them. Small arrays are
filled and moved in plain loops, since each array expression costs the compiler a quarter of a second.

Shapes: d features, n rows. Rows lie along the last axis, so that the inner loops are vectorised.
"""

import numpy as np
from numba import njit

# a sum whose order must be kept, or a divisor that must be checked, keeps a loop from being vectorised
FAST = {"fastmath": True, "error_model": "numpy"}
ZERO, SIXTH, HALF, ONE = np.float32(0), np.float32(1 / 6), np.float32(0.5), np.float32(1)
LOG2_E, LN2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
ROWS, VALUES, REALS = "float32[:,::1]", "float32[::1]", "float64[::1]"  # in signatures


@njit(**FAST)
def sigmoid_(values) -> None:
    """Replace the float32 values [n] by their logistic function.

    exp(-v) = 2^k exp(r) with |r| <= log(2) / 2 and a Taylor polynomial for exp(r) (relative error 2e-7): unlike the C
    library's exp this is vectorised, and it gives the same bits everywhere.
    """
    power = np.empty(values.size, np.int32)
    for i in range(values.size):
        v = min(max(-values[i], np.float32(-80)), np.float32(80))
        k = np.floor(v * LOG2_E + HALF)
        r = v - k * LN2
        tail = SIXTH + r * (np.float32(1 / 24) + r * (np.float32(1 / 120) + r * np.float32(1 / 720)))
        values[i] = ONE + r * (ONE + r * (HALF + r * tail))
        power[i] = (np.int32(k) + np.int32(127)) << np.int32(23)  # the bits of 2^k
    two_to = power.view(np.float32)
    for i in range(values.size):
        values[i] = ONE / (ONE + values[i] * two_to[i])


@njit(**FAST)
def linear(x, weights, bias, out) -> None:
    """Write weights . x + bias of every row into `out` [n]; x is [d, n]."""
    for i in range(out.size):
        out[i] = np.float32(bias)
    for j in range(x.shape[0]):
        w = np.float32(weights[j])
        for i in range(out.size):
            out[i] += w * x[j, i]


@njit(**FAST)
def weighted_sums(x, own, sums) -> None:
    """Write the sums of own * row over the rows of x [d, n], and of own, into `sums` [d + 1]."""
    d, n = x.shape
    for j in range(d):
        row, total = x[j], ZERO
        for i in range(n):
            total += own[i] * row[i]
        sums[j] = total
    total = ZERO
    for i in range(n):
        total += own[i]
    sums[d] = total


@njit
def cross_entropy(probability, target) -> float:
    """Return -log of the probability given to a target of 0 or 1, cut at 100 as usual."""
    p = probability if target > 0.5 else 1.0 - probability
    return 100.0 if p < 1e-43 else -np.log(p)


@njit(**FAST)
def adam(parameters, gradient, first, second, step, rate) -> None:
    """Take one Adam step (Kingma and Ba 2015, usual constants) in place; `step` counts from 1."""
    for j in range(parameters.size):
        first[j] = 0.9 * first[j] + 0.1 * gradient[j]
        second[j] = 0.999 * second[j] + 0.001 * gradient[j] * gradient[j]
        ahead = first[j] / (1.0 - 0.9**step)
        parameters[j] -= rate * ahead / (np.sqrt(second[j] / (1.0 - 0.999**step)) + 1e-8)
