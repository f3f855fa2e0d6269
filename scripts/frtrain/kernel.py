"""The published training loop of FR-Train as one compiled function: closed-form gradients in a loop over rows.

One epoch is some 80 multiply-adds per row for the robustness discriminator and next to nothing for the rest, on
arrays that fit in the second-level cache. Calling an array library for each of the dozen steps then costs several
times the arithmetic: measured on one core, 5 CPU s for a published clean fit by autograd, 1.2 to 1.5 s with the
models stacked in batched arrays, 0.1 to 0.2 s here. So models are trained one after the other, in float32 rows
with hand-written gradients; tests compare each gradient with autograd in float64.

Only the whole loop is cached on disk; it is compiled when this file is first imported. The process that compiles it
ends with other last digits than those that read it from the disk (the cause was not found), so rule `frtrain_initial`,
which every fit waits for, compiles it. Small arrays are filled and moved in plain loops, since each array expression
costs the compiler a quarter of a second: they were half of it.

Shapes: d features, n training rows, v clean validation rows, H hidden units of the robustness discriminator. Rows
lie along the last axis, so that the inner loops are vectorised.
"""

import numpy as np
from numba import njit

BLOCK = 512  # rows whose hidden values stay in the first-level cache
SLOPE = np.float32(0.2)  # of the leaky ReLU
ZERO, SIXTH, HALF, ONE = np.float32(0), np.float32(1 / 6), np.float32(0.5), np.float32(1)
# of `train`: what it takes and gives, in the order of its arguments
ROWS, VALUES, REALS = "float32[:,::1]", "float32[::1]", "float64[::1]"
SIGNATURE = (
    f"{VALUES}({ROWS},{VALUES},{VALUES},{ROWS},{VALUES},{REALS},{REALS},{ROWS},{VALUES},{VALUES},{VALUES},"
    "float64,float64,int64,int64,int64,float64,UniTuple(float64,3),UniTuple(boolean,3))"
)
LOG2_E, LN2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)


@njit(fastmath=True)
def sigmoid_(values):
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


@njit(fastmath=True)
def linear(x, weights, bias, out):
    """Write weights . x + bias of every row into `out` [n]; x is [d, n]."""
    for i in range(out.size):
        out[i] = np.float32(bias)
    for j in range(x.shape[0]):
        w = np.float32(weights[j])
        for i in range(out.size):
            out[i] += w * x[j, i]


@njit(fastmath=True)
def hidden(x, label, w1, b1, w2, b2, start, stop, pre, out):
    """Write the hidden values [H, m] of the rows start .. stop - 1, and their probabilities into `out` [n]."""
    d, m = x.shape[0], stop - start
    # slices, since an index with an offset keeps the compiler from vectorising: twenty times slower
    own, logit = label[start:stop], out[start:stop]
    for i in range(m):
        logit[i] = b2[0]
    for h in range(w1.shape[0]):
        p, w, b = pre[h], w1[h, d], b1[h]
        for i in range(m):
            p[i] = b + w * own[i]
        for j in range(d):
            w, row = w1[h, j], x[j, start:stop]
            for i in range(m):
                p[i] += w * row[i]
        w = w2[h]
        for i in range(m):
            logit[i] += w * max(p[i], SLOPE * p[i])
    sigmoid_(logit)


@njit(fastmath=True)
def robustness(x, label, w1, b1, w2, b2, pre, out):
    """Write the robustness discriminator's probability of "clean" for every row into `out` [n]."""
    for start in range(0, out.size, BLOCK):
        stop = min(start + BLOCK, out.size)
        hidden(x, label, w1, b1, w2, b2, start, stop, pre, out)


@njit(fastmath=True)
def robustness_gradient(x, label, target, share, w1, b1, w2, b2, pre, out, gw1, gb1, gw2, gb2):
    """Write the gradient of sum(share * BCE(D_R(row, label), target)) and every row's probability.

    Args:
        x, label, target, share: [d, n], [n], [n], [n].
        w1, b1, w2, b2: [H, d + 1] (the last column meets the label), [H], [H], [1].
        pre, out: room for [H, BLOCK] and [n]; `out` ends with the probabilities.
        gw1, gb1, gw2, gb2: the gradients.
    """
    d, n = x.shape
    for h in range(w1.shape[0]):
        for j in range(d + 1):
            gw1[h, j] = ZERO
        gb1[h], gw2[h] = ZERO, ZERO
    gb2[0] = ZERO
    delta = np.empty(BLOCK, np.float32)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        m = stop - start
        own, aim, part, probability = label[start:stop], target[start:stop], share[start:stop], out[start:stop]
        hidden(x, label, w1, b1, w2, b2, start, stop, pre, out)
        total = ZERO
        for i in range(m):
            delta[i] = part[i] * (probability[i] - aim[i])
            total += delta[i]
        gb2[0] += total
        for h in range(w1.shape[0]):
            p, w = pre[h], w2[h]
            top, bias, by_label = ZERO, ZERO, ZERO
            for i in range(m):
                top += delta[i] * max(p[i], SLOPE * p[i])
                p[i] = delta[i] * w * (ONE if p[i] > ZERO else SLOPE)
            for i in range(m):
                bias += p[i]
                by_label += p[i] * own[i]
            gw2[h] += top
            gb1[h] += bias
            gw1[h, d] += by_label
            for j in range(d):
                row, total = x[j, start:stop], ZERO
                for i in range(m):
                    total += p[i] * row[i]
                gw1[h, j] += total


@njit(fastmath=True)
def label_gradient(x, label, w1, b1, w2, b2, scale, pre, out, slope):
    """Add d/d label of scale * sum BCE(D_R(row, label), 0) to `slope` [n]; `out` ends with the probabilities."""
    d, n = x.shape
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        hidden(x, label, w1, b1, w2, b2, start, stop, pre, out)
        probability, own = out[start:stop], slope[start:stop]
        for h in range(w1.shape[0]):
            p, w = pre[h], scale * w2[h] * w1[h, d]
            for i in range(stop - start):
                own[i] += probability[i] * w * (ONE if p[i] > ZERO else SLOPE)


@njit(fastmath=True)
def fairness(logits, labels, df, odds, out):
    """Write D_F = sigmoid(df[0] g + df[1] y + df[2]) into `out` [n]; it sees y only if `odds`."""
    a, e, c = np.float32(df[0]), np.float32(df[1]) if odds else ZERO, np.float32(df[2])
    for i in range(logits.size):
        out[i] = a * logits[i] + e * labels[i] + c
    sigmoid_(out)


@njit(fastmath=True)
def fairness_gradient(logits, labels, z, df, odds, out):
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


@njit
def cross_entropy(probability, target):
    """Return -log of the probability given to a target of 0 or 1, cut at 100 as usual."""
    p = probability if target > 0.5 else 1.0 - probability
    return 100.0 if p < 1e-43 else -np.log(p)


@njit(fastmath=True)
def classifier_slopes(logits, t, z, labels, weights, df, lf, lr, odds, group, slope):
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
def classifier_loss(logits, t, z, labels, weights, df, lf, lr, odds, probability):
    """Return the classifier's whole loss, robustness term included."""
    accurate, fair, robust, n = 0.0, 0.0, 0.0, logits.size
    for i in range(n):
        group = df[0] * logits[i] + (df[1] * labels[i] if odds else 0.0) + df[2]
        accurate += weights[i] * cross_entropy(1.0 / (1.0 + np.exp(-logits[i])), t[i])
        fair += weights[i] * cross_entropy(1.0 / (1.0 + np.exp(-group)), z[i])
        robust += cross_entropy(probability[i], 0.0)
    return ((1.0 - lf - lr) * accurate - lr * robust - lf * fair) / n


@njit(fastmath=True)
def adam(parameters, gradient, first, second, step, rate):
    """Take one Adam step (Kingma and Ba 2015, usual constants) in place; `step` counts from 1."""
    for j in range(parameters.size):
        first[j] = 0.9 * first[j] + 0.1 * gradient[j]
        second[j] = 0.999 * second[j] + 0.001 * gradient[j] * gradient[j]
        ahead = first[j] / (1.0 - 0.9**step)
        parameters[j] -= rate * ahead / (np.sqrt(second[j] / (1.0 - 0.999**step)) + 1e-8)


@njit(SIGNATURE, cache=True, fastmath=True)
def train(
    x, y, z, x_clean, y_clean, g, df, w1, b1, w2, b2, lf, lr, epochs, every, pretrain, scale, rates, switches
):  # fmt: skip
    """Train the three networks in place and return the final row weights [n].

    Args:
        x, y, z: training rows float32 [d, n], labels -1/+1 [n], groups 0/1 [n].
        x_clean, y_clean: validation rows [d, v] and labels [v].
        g, df: float64 classifier [d + 1] and fairness discriminator [3] (slope, label, bias).
        w1, b1, w2, b2: float32 robustness discriminator, as in `robustness_gradient`.
        lf, lr: weights of the fairness and the robustness term.
        epochs, every, pretrain: all epochs, the spacing of the classifier's steps after the pre-training, its length.
        scale: factor of the pre-training's loss.
        rates: step sizes of classifier, fairness and robustness discriminator.
        switches: (row weights on, robustness gradient on, fairness discriminator sees the label).
    """
    reweight, push, odds = switches
    d, n = x.shape
    v = y_clean.size
    every_row = np.empty((d, v + n), np.float32)
    label, target, share = np.empty(v + n, np.float32), np.zeros(v + n, np.float32), np.empty(v + n, np.float32)
    t = np.empty(n, np.float32)
    for i in range(v):
        label[i], target[i], share[i] = y_clean[i], ONE, 0.5 / v
        for j in range(d):
            every_row[j, i] = x_clean[j, i]
    for i in range(n):
        t[i], share[v + i] = (y[i] + ONE) / np.float32(2), 0.5 / n
        for j in range(d):
            every_row[j, v + i] = x[j, i]
    logits, group, slope = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    weights = np.ones(n, np.float32)
    pre, out = np.empty((w1.shape[0], BLOCK), np.float32), np.empty(v + n, np.float32)
    gw1, gb1, gw2, gb2 = np.empty_like(w1), np.empty_like(b1), np.empty_like(w2), np.empty_like(b2)
    gradient, first, second = np.zeros(d + 1), np.zeros(d + 1), np.zeros(d + 1)
    rate_g, rate_f, rate_r = rates[0], rates[1], np.float32(rates[2])
    step, loss = 0, 0.0
    linear(x, g[:d], g[d], logits)
    for epoch in range(epochs):
        turn = epoch < pretrain or epoch % every == 0
        refresh = reweight and epoch >= pretrain and epoch % 100 == 0 and epoch % every == 0
        by_slope, by_label, by_bias = fairness_gradient(logits, y, z, df, odds, group)
        df[0] -= rate_f * by_slope
        df[1] -= rate_f * by_label
        df[2] -= rate_f * by_bias
        for i in range(n):
            label[v + i] = logits[i]
        robustness_gradient(every_row, label, target, share, w1, b1, w2, b2, pre, out, gw1, gb1, gw2, gb2)
        loss_r = 0.0
        if refresh:  # the only time that the value of the loss is needed
            for i in range(v + n):
                loss_r += share[i] * cross_entropy(out[i], target[i])
        for h in range(b1.size):
            for j in range(d + 1):
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
                robustness(x, logits, w1, b1, w2, b2, pre, out[:n])
                for i in range(n):
                    weights[i] = openness * out[i] + (1.0 - openness)
            classifier_slopes(logits, t, z, y, weights, df, lf, lr, odds, group, slope)
            if push or reweight:
                keep = np.float32(-lr / n) if push else ZERO
                label_gradient(x, logits, w1, b1, w2, b2, keep, pre, out[:n], slope)
        if reweight and (epoch + 1 == pretrain or (epoch + every) % 100 == 0):
            if epoch < pretrain:
                loss = 0.0
                for i in range(n):
                    loss += scale * cross_entropy(1.0 / (1.0 + np.exp(-2.0 * logits[i])), t[i]) / n
            else:
                loss = classifier_loss(logits, t, z, y, weights, df, lf, lr, odds, out)
        for j in range(d):
            total, row = ZERO, x[j]
            for i in range(n):
                total += slope[i] * row[i]
            gradient[j] = total
        total = ZERO
        for i in range(n):
            total += slope[i]
        gradient[d] = total
        step += 1
        adam(g, gradient, first, second, step, rate_g)
        linear(x, g[:d], g[d], logits)
    return weights
