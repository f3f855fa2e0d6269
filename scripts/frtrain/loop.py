"""The published training loop of FR-Train as one compiled function: closed-form gradients in a loop over rows.

One epoch is next to nothing but the robustness discriminator, on arrays that fit in the second-level cache. Calling an
array library for each of the dozen steps then costs several times the arithmetic: measured on one core, 5 CPU s for a
published clean fit by autograd, 1.2 to 1.5 s with the models stacked in batched arrays, 0.08 s here. So models are
trained one after the other, in float32 rows with hand-written gradients; tests compare each gradient with autograd in
float64.

Shapes: d features, n training rows, v clean validation rows, H hidden units of the robustness discriminator.
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
    cross_entropy,
    linear,
    sigmoid_,
    weighted_sums,
)
from scripts.frtrain.robustness import BLOCK, clean_probabilities, label_gradient, robustness_gradient

# of `train`: what it takes and gives, in the order of its arguments
SIGNATURE = (
    f"{VALUES}({ROWS},{VALUES},{VALUES},{ROWS},{VALUES},{REALS},{REALS},{ROWS},{VALUES},{VALUES},{VALUES},"
    "float64,float64,int64,int64,int64,float64,UniTuple(float64,3),UniTuple(boolean,3))"
)


@njit(**FAST)
def fairness(logits, labels, df, odds, out) -> None:
    """Write D_F = sigmoid(df[0] g + df[1] y + df[2]) into `out` [n]; it sees y only if `odds`."""
    a, e, c = np.float32(df[0]), np.float32(df[1]) if odds else ZERO, np.float32(df[2])
    for i in range(logits.size):
        out[i] = a * logits[i] + e * labels[i] + c
    sigmoid_(out)


@njit(**FAST)
def fairness_gradient(logits, labels, z, df, odds, out) -> tuple[float, float, float]:
    """Return the gradient (slope, label, bias) of mean BCE(D_F, z); `out` [n] ends with the probabilities."""
    fairness(logits, labels, df, odds, out)
    slope, by_label, bias = ZERO, ZERO, ZERO
    for i in range(logits.size):
        q = out[i] - z[i]
        slope += q * logits[i]
        by_label += q * labels[i]
        bias += q
    n = logits.size
    return slope / n, (by_label / n if odds else ZERO), bias / n


@njit(**FAST)
def classifier_slopes(logits, t, z, labels, weights, df, lf, lr, odds, group, slope) -> None:
    """Write d loss / d logit of every row into `slope` [n], all but the robustness term; `group` [n] is room."""
    n = np.float32(logits.size)
    own, fair = np.float32((1.0 - lf - lr) / n), np.float32(lf * df[0] / n)
    fairness(logits, labels, df, odds, group)
    for i in range(logits.size):
        slope[i] = logits[i]
    sigmoid_(slope)
    for i in range(logits.size):
        slope[i] = weights[i] * (own * (slope[i] - t[i]) - fair * (group[i] - z[i]))


@njit
def classifier_loss(logits, t, z, labels, weights, df, lf, lr, odds, probability) -> float:
    """Return the classifier's whole loss, robustness term included."""
    accurate, fair, robust, n = 0.0, 0.0, 0.0, logits.size
    for i in range(n):
        group = df[0] * logits[i] + (df[1] * labels[i] if odds else 0.0) + df[2]
        accurate += weights[i] * cross_entropy(1.0 / (1.0 + np.exp(-logits[i])), t[i])
        fair += weights[i] * cross_entropy(1.0 / (1.0 + np.exp(-group)), z[i])
        robust += cross_entropy(probability[i], 0.0)
    return ((1.0 - lf - lr) * accurate - lr * robust - lf * fair) / n


@kept_on_disk(SIGNATURE, **FAST)
def train(
    x, y, z, x_clean, y_clean, g, df, w1, b1, w2, b2, lf, lr, epochs, every, pretrain, scale, rates, switches
) -> np.ndarray:  # fmt: skip
    """Train the three networks in place and return the final row weights [n].

    Args:
        x, y, z: training rows float32 [d, n], labels -1/+1 [n], groups 0/1 [n].
        x_clean, y_clean: validation rows [d, v] and labels [v].
        g, df: float64 classifier [d + 1] and fairness discriminator [3] (slope, label, bias).
        w1, b1, w2, b2: float32 robustness discriminator [H, D], [H], [H], [1], with D >= d + 1 a multiple of four;
            w1[:, d] meets the label, and what is behind it is zero and stays so.
        lf, lr: weights of the fairness and the robustness term.
        epochs, every, pretrain: all epochs, the spacing of the classifier's steps after the pre-training, its length.
        scale: factor of the pre-training's loss.
        rates: step sizes of classifier, fairness and robustness discriminator.
        switches: (row weights on, robustness gradient on, fairness discriminator sees the label).
    """
    reweight, push, odds = switches
    d, n = x.shape
    v = y_clean.size
    seen = np.zeros((w1.shape[1], n + v), np.float32)  # by D_R: training rows with their logits, then clean rows
    target, share, t = np.zeros(n + v, np.float32), np.empty(n + v, np.float32), np.empty(n, np.float32)
    for i in range(n):
        t[i], share[i] = (y[i] + ONE) / np.float32(2), 0.5 / n
        for j in range(d):
            seen[j, i] = x[j, i]
    for i in range(v):
        seen[d, n + i], target[n + i], share[n + i] = y_clean[i], ONE, 0.5 / v
        for j in range(d):
            seen[j, n + i] = x_clean[j, i]
    logits, group, slope = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    weights = np.ones(n, np.float32)
    pre, out = np.empty((w1.shape[0], BLOCK), np.float32), np.empty(n + v, np.float32)
    gw1, gb1, gw2, gb2 = np.empty_like(w1), np.empty_like(b1), np.empty_like(w2), np.empty_like(b2)
    gradient, first, second = np.zeros(d + 1), np.zeros(d + 1), np.zeros(d + 1)
    rate_g, rate_f, rate_r = rates[0], rates[1], np.float32(rates[2])
    step, loss = 0, 0.0
    linear(x, g[:d], g[d], logits)
    for epoch in range(epochs):
        turn = epoch < pretrain or epoch % every == 0
        refresh = reweight and epoch >= pretrain and epoch % 100 == 0 and epoch % every == 0
        last = reweight and (epoch + 1 == pretrain or (epoch + every) % 100 == 0)  # turn before a refresh
        by_slope, by_label, by_bias = fairness_gradient(logits, y, z, df, odds, group)
        df[0] -= rate_f * by_slope
        df[1] -= rate_f * by_label
        df[2] -= rate_f * by_bias
        for i in range(n):
            seen[d, i] = logits[i]
        robustness_gradient(seen, target, share, w1, b1, w2, b2, pre, out, gw1, gb1, gw2, gb2)
        loss_r = 0.0
        if refresh:  # the only time that the value of the loss is needed
            for i in range(n + v):
                loss_r += share[i] * cross_entropy(out[i], target[i])
        for h in range(b1.size):
            for j in range(w1.shape[1]):
                w1[h, j] -= rate_r * gw1[h, j]
            b1[h] -= rate_r * gb1[h]
            w2[h] -= rate_r * gw2[h]
        b2[0] -= rate_r * gb2[0]
        if not turn:
            continue
        if epoch < pretrain:
            for i in range(n):
                slope[i] = np.float32(2) * logits[i]
            sigmoid_(slope)
            for i in range(n):
                slope[i] = np.float32(2 * scale / n) * (slope[i] - t[i])
        else:
            if refresh:
                openness = 1.0 / (1.0 + np.exp(-(loss / loss_r - 3.0)))
                clean_probabilities(seen, n, w1, b1, w2, b2, pre, out)
                for i in range(n):
                    weights[i] = openness * out[i] + (1.0 - openness)
            classifier_slopes(logits, t, z, y, weights, df, lf, lr, odds, group, slope)
            if push:
                label_gradient(seen, d, w1, b1, w2, b2, np.float32(-lr / n), pre, out, slope)
            elif last:
                clean_probabilities(seen, n, w1, b1, w2, b2, pre, out)
        if last:
            if epoch < pretrain:
                loss = 0.0
                for i in range(n):
                    loss += scale * cross_entropy(1.0 / (1.0 + np.exp(-2.0 * logits[i])), t[i]) / n
            else:
                loss = classifier_loss(logits, t, z, y, weights, df, lf, lr, odds, out)
        weighted_sums(x, slope, gradient)
        step += 1
        adam(g, gradient, first, second, step, rate_g)
        linear(x, g[:d], g[d], logits)
    return weights
