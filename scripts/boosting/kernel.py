"""The rounds of all AdaBoost-like boosters here as one compiled function: exact Gini stumps, costs per group and label.

A column with V values costs one addition per row into V x 2 sums and then a scan of V prefix sums, so a round needs
n x columns additions and a few passes over the rows; one column per category instead would need 8 times as many.

Kept on disk and compiled when this file is first imported: rule `boosting_compile`, which every fit waits for, does
that, so that all fits run the same machine code. No fast maths: sums keep their order.

Shapes: n rows, F columns, B bins of all columns together, G cells (combinations of the attributes), T rounds.
"""

import math

import numpy as np
from numba import njit

from scripts.common.compiled import kept_on_disk

SIGNATURE = (
    "int64(int32[:,::1],int64[::1],boolean[::1],int32[::1],int32[:,::1],int32[::1],boolean,int8[:,::1],"
    "int64,int64,int64,boolean,boolean,boolean,"
    "int32[::1],int32[::1],int8[:,::1],float64[::1],int64[:,:,:,::1],int64[:,:,:,::1],float64[:,:,::1])"
)
VOTES = "void(int32[:,::1],boolean[::1],int32[::1],int32[::1],int8[:,::1],float64[::1],int64,float64[::1])"
FAIR_GRADIENTS = "void(float32[::1],float32[::1],int64[::1],float64[::1],float64,float32[::1],float32[::1])"
NOTHING, PARITY, OPPORTUNITY, MISTREATMENT = range(4)  # what costs follow


@njit
def gaps_of(counts, sides, attribute) -> tuple[float, float, float]:
    """Return the signed differences, group 1 minus group 0, of TPR, TNR and acceptance rate for one attribute.

    Args:
        counts: [G, 2, 2] by cell, label, prediction.
        sides: [G, attributes] the group of each cell, 0 (protected) or 1.
    """
    tp, tn, accepted = np.zeros(2), np.zeros(2), np.zeros(2)
    positives, negatives = np.zeros(2), np.zeros(2)
    for cell in range(counts.shape[0]):
        side = sides[cell, attribute]
        tp[side] += counts[cell, 1, 1]
        tn[side] += counts[cell, 0, 0]
        accepted[side] += counts[cell, 0, 1] + counts[cell, 1, 1]
        positives[side] += counts[cell, 1, 0] + counts[cell, 1, 1]
        negatives[side] += counts[cell, 0, 0] + counts[cell, 0, 1]
    everyone = positives + negatives
    return (
        tp[1] / positives[1] - tp[0] / positives[0],
        tn[1] / negatives[1] - tn[0] / negatives[0],
        accepted[1] / everyone[1] - accepted[0] / everyone[0],
    )


@njit
def set_costs(counts, sides, notion, released, stale, kept, costs) -> None:
    """Write the cost of a mistake into `costs` [G, 2] (cell, label): the largest of those of the attributes.

    Args:
        notion: PARITY and OPPORTUNITY raise the costs of positives only, MISTREATMENT of negatives too.
        released: the cost of negatives of group 1 depends on the sign of the TPR difference, as in the released code;
            else on that of the TNR difference, as in the paper.
        stale: costs whose difference has changed its sign keep their last value, as in the released MFBPP.
        kept: [attributes, 2, 2] costs by attribute, label and group, from round to round.
    """
    for k in range(sides.shape[1]):
        tpr, tnr, parity = gaps_of(counts, sides, k)
        if not stale:
            kept[k] = 1.0
        gap = parity if notion == PARITY else tpr
        if gap > 0:
            kept[k, 1, 0] = 1 + gap
        elif gap < 0:
            kept[k, 1, 1] = 1 - gap
        if notion == MISTREATMENT:
            sign = tpr if released else tnr
            if tnr > 0:
                kept[k, 0, 0] = 1 + tnr
            elif sign < 0:
                kept[k, 0, 1] = 1 - tnr
    for cell in range(sides.shape[0]):
        for label in range(2):
            costs[cell, label] = 1.0
            for k in range(sides.shape[1]):
                costs[cell, label] = max(costs[cell, label], kept[k, label, sides[cell, k]])


@njit
def best_stump(sums, offsets, categorical) -> tuple[int, int, float, float, float, float]:
    """Return (column, cut, left 0, left 1, right 0, right 1) of the split with the smallest weighted Gini impurity.

    A numeric column is cut after a bin: left is up to it. Of a categorical one a bin is taken out: it is the right.

    Args:
        sums: [B, 2] weight by bin and label; the last four numbers returned are such sums of both sides.
    """
    total_0, total_1 = 0.0, 0.0
    for b in range(offsets[0], offsets[1]):
        total_0 += sums[b, 0]
        total_1 += sums[b, 1]
    best, column, cut = -1.0, -1, -1
    left_0, left_1 = 0.0, 0.0
    for f in range(categorical.size):
        first, stop = offsets[f], offsets[f + 1]
        if not categorical[f]:
            stop -= 1
        before_0, before_1 = 0.0, 0.0
        for b in range(first, stop):
            if categorical[f]:
                before_0, before_1 = total_0 - sums[b, 0], total_1 - sums[b, 1]
            else:
                before_0 += sums[b, 0]
                before_1 += sums[b, 1]
            after_0, after_1 = total_0 - before_0, total_1 - before_1
            before, after = before_0 + before_1, after_0 + after_1
            if before <= 0 or after <= 0:
                continue
            purity = (before_0 * before_0 + before_1 * before_1) / before
            purity += (after_0 * after_0 + after_1 * after_1) / after
            if purity > best:
                best, column, cut, left_0, left_1 = purity, f, b - first, before_0, before_1
    return column, cut, left_0, left_1, total_0 - left_0, total_1 - left_1


@njit
def count_round(bins, part, column, cut, categorical, told, alpha, votes, leaf, together, alone) -> None:
    """Let a stump vote: update `votes` [n] and `leaf` [n], and count [G, 2, 2] what all stumps and this one say."""
    together[:], alone[:] = 0, 0
    for i in range(part.size):
        side = 1 if (bins[i, column] == cut if categorical else bins[i, column] > cut) else 0
        leaf[i] = side
        said = told[side]
        votes[i] += alpha if said == 1 else -alpha
        cell, label = part[i] >> 1, part[i] & 1
        together[cell, label, 1 if votes[i] > 0 else 0] += 1
        alone[cell, label, said] += 1


@kept_on_disk(SIGNATURE)
def boost(
    bins, offsets, categorical, part, watch_bins, watch_part, same, sides, notion, rounds, csb, released, stale,
    cumulative, columns, cuts, leaves, alphas, together, alone, masses,
) -> int:  # fmt: skip
    """Boost stumps; write them and what they do on the watched rows, round by round; return the rounds done.

    Args:
        bins: [n, F] the place of each value among the bins of all columns (column's offset + own code).
        offsets: [F + 1] where the bins of each column begin.
        categorical: [F].
        part: [n] 2 x cell + label.
        watch_bins, watch_part, same: the rows on which differences are measured; `same` if they are the fitted ones.
        sides: [G, attributes] the group of each cell.
        notion, rounds, csb, released, stale: as in `set_costs`; csb 2 multiplies the exponent by the confidence.
        cumulative: costs follow all stumps so far, else the last one alone.
        columns, cuts, leaves, alphas: [T], [T], [T, 2], [T] room for the stumps; leaves are the labels of both sides.
        together, alone: [T, G, 2, 2] room for counts of cell, label and prediction on the watched rows.
        masses: [T, G, 2] room for the share of weight that each cell and label has when a round begins.

    It ends early where a stump makes no mistake (kept) or is right on half of the weight only (left out).
    """
    n = part.size
    w, inverse = np.full(n, 1.0 / n), 1.0
    votes, leaf = np.zeros(n), np.zeros(n, np.int8)
    watch_votes, watch_leaf = np.zeros(watch_part.size), np.zeros(watch_part.size, np.int8)
    sums, costs, factor = np.zeros((offsets[-1], 2)), np.ones((sides.shape[0], 2)), np.ones((2 * sides.shape[0], 2))
    kept, rest = np.ones((sides.shape[1], 2, 2)), np.zeros((sides.shape[0], 2, 2), np.int64)
    for t in range(rounds):
        sums[:] = 0.0
        for i in range(n):
            w[i] *= inverse
            label, own = part[i] & 1, w[i]
            masses[t, part[i] >> 1, label] += own
            for f in range(categorical.size):
                sums[bins[i, f], label] += own
        column, cut, left_0, left_1, right_0, right_1 = best_stump(sums, offsets, categorical)
        if column < 0:
            return t
        told = leaves[t]
        told[0], told[1] = left_1 > left_0, right_1 > right_0
        error = (min(left_0, left_1) + min(right_0, right_1)) / (left_0 + left_1 + right_0 + right_1)
        if error >= 0.5:
            return t
        perfect = error <= 1e-15
        alpha = math.log((1 - error) / error) if not perfect else 1.0
        columns[t], cuts[t], alphas[t] = column, cut, alpha
        place, kind = cut + offsets[column], categorical[column]
        if same:
            count_round(bins, part, column, place, kind, told, alpha, votes, leaf, together[t], alone[t])
        else:
            count_round(bins, part, column, place, kind, told, alpha, votes, leaf, rest, rest)
            count_round(
                watch_bins, watch_part, column, place, kind, told, alpha, watch_votes, watch_leaf, together[t], alone[t]
            )
        if perfect:
            return t + 1
        if notion != NOTHING and t > 0:
            set_costs(together[t] if cumulative else alone[t], sides, notion, released, stale, kept, costs)
        for side in range(2):
            here, there = (left_0, left_1) if side == 0 else (right_0, right_1)
            confidence = max(here, there) / (here + there) if csb == 2 else 1.0
            grown = math.exp(alpha * confidence)
            for p in range(factor.shape[0]):
                factor[p, side] = grown * costs[p >> 1, p & 1] if told[side] != (p & 1) else 1.0
        total = 0.0
        for i in range(n):
            w[i] *= factor[part[i], leaf[i]]
            total += w[i]
        inverse = 1.0 / total  # the next round makes the sum 1
    return rounds


@kept_on_disk(VOTES)
def vote(bins, categorical, columns, cuts, leaves, alphas, rounds, votes) -> None:
    """Add the weighted votes (+ for label 1, - for 0) of the first `rounds` stumps to `votes` [n].

    Args:
        bins: [n, F] codes within each column.
    """
    for t in range(rounds):
        f, cut, kind = columns[t], cuts[t], categorical[columns[t]]
        left = alphas[t] if leaves[t, 0] == 1 else -alphas[t]
        right = alphas[t] if leaves[t, 1] == 1 else -alphas[t]
        for i in range(votes.size):
            votes[i] += right if (bins[i, f] == cut if kind else bins[i, f] > cut) else left


@kept_on_disk(FAIR_GRADIENTS)
def fair_gradients(probability, y, part, slopes, weight, gradient, hessian) -> None:
    """Write the gradient and hessian [n] of the log loss and a penalty, by the margin; see `gradient.objective`.

    Args:
        part: [n] the part of each row; slopes: [parts] the penalty's slope by the probability of a row of a part.
        weight: mean size of the penalty's gradient in units of that of the log loss's.
    """
    loss, fair = 0.0, 0.0
    for i in range(y.size):
        p = probability[i]
        hessian[i] = p * (np.float32(1) - p)
        loss += abs(p - y[i])
        fair += abs(slopes[part[i]]) * hessian[i]
    scale = weight * loss / fair if fair > 0 else 0.0
    for i in range(y.size):
        gradient[i] = probability[i] - y[i] + scale * slopes[part[i]] * hessian[i]
