"""FR-Train's robustness discriminator D_R: is a row with its label from the clean validation set?

16 hidden units with a leaky ReLU over the features and the label; the label of a training row is the classifier's
logit. Nearly all of FR-Train's arithmetic is here, some 80 multiply-adds per row and epoch. Four columns are met in one
pass, so that a hidden value is loaded and stored once for four multiply-adds, and the gradient needs the sums of one
masked product only (see `robustness_gradient`): an epoch takes 25 us in place of 36 with one column and term at a time.

Shapes: D columns seen (features, the label, zeros up to a multiple of four), n rows, H hidden units.
"""

import numpy as np
from numba import njit

from scripts.frtrain.kernel import FAST, ONE, ZERO, sigmoid_

BLOCK = 256  # rows whose hidden values stay in the first-level cache
TOGETHER = 4  # columns met in one pass over the hidden values
SLOPE = np.float32(0.2)  # of the leaky ReLU
REST = np.float32(0.8)  # 1 - SLOPE


@njit(**FAST)
def columns(seen, j, start, stop) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return four neighbouring columns of what is seen, each [m], of the rows start .. stop - 1.

    Slices, since an index with an offset keeps the compiler from vectorising: twenty times slower.
    """
    return seen[j, start:stop], seen[j + 1, start:stop], seen[j + 2, start:stop], seen[j + 3, start:stop]


@njit(**FAST)
def hidden(seen, w1, b1, w2, b2, start, stop, pre, out) -> None:
    """Write the hidden values [H, m] of the rows start .. stop - 1 into `pre`, and their probabilities into `out`."""
    m, logit = stop - start, out[start:stop]
    for j in range(0, seen.shape[0], TOGETHER):
        x0, x1, x2, x3 = columns(seen, j, start, stop)
        for h in range(w1.shape[0]):
            p, w_0, w_1, w_2, w_3 = pre[h], w1[h, j], w1[h, j + 1], w1[h, j + 2], w1[h, j + 3]
            if j == 0:
                for i in range(m):
                    p[i] = b1[h] + w_0 * x0[i] + w_1 * x1[i] + w_2 * x2[i] + w_3 * x3[i]
            else:
                for i in range(m):
                    p[i] += w_0 * x0[i] + w_1 * x1[i] + w_2 * x2[i] + w_3 * x3[i]
    for i in range(m):
        logit[i] = b2[0]
    for h in range(w1.shape[0]):
        p, w = pre[h], w2[h]
        for i in range(m):
            logit[i] += w * max(p[i], SLOPE * p[i])
    sigmoid_(logit)


@njit(**FAST)
def clean_probabilities(seen, n, w1, b1, w2, b2, pre, out) -> None:
    """Write the robustness discriminator's probability of "clean" for the first n rows into `out`."""
    for start in range(0, n, BLOCK):
        hidden(seen, w1, b1, w2, b2, start, min(start + BLOCK, n), pre, out)


@njit(**FAST)
def active_sums(seen, delta, start, stop, pre, sums, by_bias) -> None:
    """Add the sums of delta * column and of delta over a block's rows with a positive hidden value, [H, D] and [H]."""
    for j in range(0, seen.shape[0], TOGETHER):
        x0, x1, x2, x3 = columns(seen, j, start, stop)
        for h in range(pre.shape[0]):
            p, total, s0, s1, s2, s3 = pre[h], ZERO, ZERO, ZERO, ZERO, ZERO
            for i in range(stop - start):
                on = delta[i] if p[i] > ZERO else ZERO
                total += on
                s0 += on * x0[i]
                s1 += on * x1[i]
                s2 += on * x2[i]
                s3 += on * x3[i]
            sums[h, j] += s0
            sums[h, j + 1] += s1
            sums[h, j + 2] += s2
            sums[h, j + 3] += s3
            if j == 0:
                by_bias[h] += total


@njit(**FAST)
def robustness_gradient(seen, target, share, w1, b1, w2, b2, pre, out, gw1, gb1, gw2, gb2) -> None:
    """Write the gradient of sum(share * BCE(D_R(row), target)) and every row's probability.

    The leaky ReLU is l(p) = SLOPE p + REST max(p, 0). With delta the derivative by a row's logit, S = sum delta row
    and S_h the same over the rows with a positive hidden value p_h, unit h has d/dw1_h = w2_h (SLOPE S + REST S_h),
    and d/dw2_h = sum delta l(p_h) is the product of w1_h with the same bracket, plus b1_h times that of the bias (a
    column of ones): no other sum over rows is needed.

    Args:
        seen, target, share: [D, n], [n], [n]; D is a multiple of four, with columns of zeros behind the label.
        w1, b1, w2, b2: [H, D], [H], [H], [1].
        pre, out: room for [H, BLOCK] and [n]; `out` ends with the probabilities.
        gw1, gb1, gw2, gb2: the gradients.
    """
    width, n = seen.shape
    every, delta = np.zeros(width, np.float32), np.empty(BLOCK, np.float32)
    for h in range(b1.size):
        for j in range(width):
            gw1[h, j] = ZERO
        gb1[h] = ZERO
    gb2[0] = ZERO
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        aim, part, probability = target[start:stop], share[start:stop], out[start:stop]
        hidden(seen, w1, b1, w2, b2, start, stop, pre, out)
        total = ZERO
        for i in range(stop - start):
            delta[i] = part[i] * (probability[i] - aim[i])
            total += delta[i]
        gb2[0] += total
        for j in range(width):
            row, total = seen[j, start:stop], ZERO
            for i in range(stop - start):
                total += delta[i] * row[i]
            every[j] += total
        active_sums(seen, delta, start, stop, pre, gw1, gb1)
    for h in range(b1.size):
        bracket = SLOPE * gb2[0] + REST * gb1[h]
        gb1[h], gw2[h] = w2[h] * bracket, b1[h] * bracket
        for j in range(width):
            bracket = SLOPE * every[j] + REST * gw1[h, j]
            gw1[h, j] = w2[h] * bracket
            gw2[h] += w1[h, j] * bracket


@njit(**FAST)
def label_gradient(seen, column, w1, b1, w2, b2, scale, pre, out, slope) -> None:
    """Add d/d label of scale * sum BCE(D_R(row), 0) to `slope` [n], of the first n rows.

    Args:
        seen, w1, b1, w2, b2, pre, out: as in `robustness_gradient`; `out` ends with the rows' probabilities.
        column: the place of the label in what is seen.
    """
    n = slope.size
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        hidden(seen, w1, b1, w2, b2, start, stop, pre, out)
        probability, own = out[start:stop], slope[start:stop]
        for h in range(b1.size):
            p, w = pre[h], scale * w2[h] * w1[h, column]
            for i in range(stop - start):
                own[i] += probability[i] * w * (ONE if p[i] > ZERO else SLOPE)
