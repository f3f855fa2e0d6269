"""Decision thresholds per sex: the exact frontier of (error, false-negative-rate gap), the published grid.

Accepted is who scores above the threshold of their sex. The score is the margin logit(accept) - logit(reject),
so the plain model has the threshold 0, and adding a shift to the accept logit is a threshold of minus the shift.
The gap is |FNR men - FNR women|. Both quantities depend on the rejected counts of each sex alone, so all
pairs of thresholds are an outer sum over two lists, one per sex.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scripts.common.errors import UserError
from scripts.common.intervals import percentile_interval
from scripts.common.metrics import RATES
from scripts.common.pareto import pareto_mask

SEXES = {"men": 1, "women": 0}
SHIFTS = np.linspace(-1.5, 1.5, 20)  # of the accept logit, for each sex, as published
ERROR_WEIGHT, GAP_WEIGHT = 1.0, 0.1  # how the original weighs error and gap against each other
FAIR_ENOUGH = 0.05  # the largest gap that the third criterion of `optimism` allows
CHUNK = 4_000_000  # pairs of thresholds held at a time


def _checked(score: ArrayLike, y: ArrayLike, male: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return score (float64), y and male after checking that every rate is defined.

    Raises:
        UserError: lengths differ, a score is not finite, a code is not 0 or 1, a sex has no positive label.
    """
    score, y, male = np.asarray(score, dtype=np.float64), np.asarray(y), np.asarray(male)
    if not score.shape == y.shape == male.shape or score.ndim != 1:
        raise UserError(f"score, label and sex differ in length: {score.shape}, {y.shape}, {male.shape}")
    if not np.isfinite(score).all():
        raise UserError(f"the score of row {int(np.flatnonzero(~np.isfinite(score))[0])} is not finite; train again")
    for name, codes in (("label", y), ("sex", male)):
        if not np.isin(codes, (0, 1)).all():
            raise UserError(f"the {name} must be 0 or 1, found {codes[~np.isin(codes, (0, 1))][0]}")
    for name, code in SEXES.items():
        if not (y[male == code] == 1).any():
            raise UserError(f"no {name} with label 1 among {len(y)} images: their false-negative rate is undefined")
    return score, y.astype(np.int64), male.astype(np.int64)


def _options(score: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best threshold of one sex for every achievable count of false negatives.

    Returns:
        thresholds (float64, midway between neighbouring scores; -inf accepts all, inf nobody), false negatives
        (rising) and errors, all [F] with F at most the number of positives + 1.
    """
    values, place = np.unique(score, return_inverse=True)
    rejected = np.zeros((2, len(values) + 1), dtype=np.int64)  # [label][how many distinct scores are rejected]
    for label in (0, 1):
        rejected[label, 1:] = np.bincount(place[y == label], minlength=len(values)).cumsum()
    middle = values[:-1] + (values[1:] - values[:-1]) / 2
    middle = np.where(middle < values[1:], middle, values[:-1])  # neighbours in floating point have no middle
    thresholds = np.concatenate([[-np.inf], middle, [np.inf]])
    negatives, false_negatives = np.count_nonzero(y == 0), rejected[1]
    errors = false_negatives + negatives - rejected[0]
    # among thresholds with the same false negatives the highest rejects the most true negatives
    best = np.append(np.diff(false_negatives) > 0, True)
    return thresholds[best], false_negatives[best], errors[best]


def exact_frontier(score: ArrayLike, y: ArrayLike, male: ArrayLike) -> pd.DataFrame:
    """Return the Pareto front of (error, gap) over all pairs of per-sex thresholds.

    One sort per sex gives the fewest errors at each count of false negatives; the front of their outer sum is
    the front over all pairs, since the gap depends on these counts alone. Of the outer sum only the pairs are
    formed that a first, rough front does not rule out. Counted in whole numbers.

    Args:
        score, y, male: [n], margin, label (1 = accept) and sex (1 = man).

    Returns:
        threshold_men, threshold_women (may be infinite), error, gap; error rising, gap falling, one pair of
        thresholds per point.

    Raises:
        UserError: a score is not finite, a code is not 0 or 1, or a sex has no positive label.
    """
    score, y, male = _checked(score, y, male)
    (t_men, fn_men, e_men), (t_women, fn_women, e_women) = (
        _options(score[male == code], y[male == code]) for code in SEXES.values()
    )
    # false-negative rates times P_men P_women, whole numbers; the last option rejects all positives
    unit = int(fn_men[-1] * fn_women[-1])
    fnr_men, fnr_women = fn_men * fn_women[-1], fn_women * fn_men[-1]

    def extend(front: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Front of the rows of `front` and the pairs (i, j): errors, gap, option of men, option of women."""
        pairs = np.column_stack([e_men[i] + e_women[j], abs(fnr_men[i] - fnr_women[j]), i, j])
        pairs = pairs[pairs[:, 1] <= _gap_at(front, pairs[:, 0])] if len(front) else pairs
        front = np.concatenate([front, pairs])
        front = front[pareto_mask(front[:, :2])]
        front = front[np.lexsort(front.T[::-1])]
        return front[np.append(True, np.diff(front[:, 0]) > 0)]  # one of the pairs with equal error and gap

    # the rough front: each option with the other sex's most accurate one, and with the one of the nearest rate
    men, women = np.arange(len(e_men)), np.arange(len(e_women))
    above = np.searchsorted(fnr_women, fnr_men).clip(max=len(women) - 1)
    rough_men = np.concatenate([men, np.full(len(women), e_men.argmin()), men, men])
    rough_women = np.concatenate([np.full(len(men), e_women.argmin()), women, above, (above - 1).clip(min=0)])
    front = extend(np.empty((0, 4), dtype=np.int64), rough_men, rough_women)
    # an option of men can only matter with women whose rate is this near, whatever their errors
    reach = _gap_at(front, e_men + e_women.min())
    first = np.searchsorted(fnr_women, fnr_men - reach, side="left")
    width = np.searchsorted(fnr_women, fnr_men + reach, side="right") - first
    for part in np.split(men, np.searchsorted(width.cumsum(), np.arange(CHUNK, width.sum(), CHUNK))):
        i = np.repeat(part, width[part])
        within = np.arange(len(i)) - np.repeat(width[part].cumsum() - width[part], width[part])
        front = extend(front, i, first[i] + within)
    return pd.DataFrame(
        {
            "threshold_men": t_men[front[:, 2]],
            "threshold_women": t_women[front[:, 3]],
            "error": front[:, 0] / len(y),
            "gap": front[:, 1] / unit,
        }
    )


def _gap_at(front: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The smallest gap on a front (errors rising, gap falling) at no more than the given errors."""
    return front[np.searchsorted(front[:, 0], errors, side="right") - 1, 1]


def evaluate(thresholds: ArrayLike, score: ArrayLike, y: ArrayLike, male: ArrayLike) -> np.ndarray:
    """Return the count tables of classifiers with per-sex thresholds, int64 [T, 2, 2, 2] (sex, label, prediction).

    Args:
        thresholds: [T, 2] for (men, women).
        score, y, male: [n].
    """
    score, y, male = _checked(score, y, male)
    thresholds = np.asarray(thresholds, dtype=np.float64).reshape(-1, 2)
    counts = np.empty((len(thresholds), 2, 2, 2), dtype=np.int64)
    for column, code in enumerate(SEXES.values()):
        for label in (0, 1):
            group = np.sort(score[(male == code) & (y == label)])
            rejected = np.searchsorted(group, thresholds[:, column], side="right")
            counts[:, code, label, 0], counts[:, code, label, 1] = rejected, len(group) - rejected
    return counts


def error_and_signed_gap(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return error and FNR men - FNR women, each [...], of tables [..., 2, 2, 2] (sex, label, prediction)."""
    fnr = RATES["false_negative_rate"](counts)
    return RATES["zero_one_loss"](counts.sum(-3)), fnr[..., SEXES["men"]] - fnr[..., SEXES["women"]]


def _grid_cells(score: np.ndarray, y: np.ndarray, male: np.ndarray) -> np.ndarray:
    """Images per sex, label and interval between the grid's thresholds, int64 [2, 2, 21]."""
    interval = np.searchsorted(np.sort(-SHIFTS), score, side="left")  # thresholds strictly below the score
    return np.bincount((male * 2 + y) * 21 + interval, minlength=84).reshape(2, 2, 21)


def _grid(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Error and signed gap, each [..., 400] (men's threshold rising slowest), of cells [..., 2, 2, 21]."""
    rejected, totals = cells.cumsum(-1)[..., :20], cells.sum(-1)
    wrong = rejected[..., 1, :] + totals[..., 0, None] - rejected[..., 0, :]  # [..., sex, threshold]
    fnr = rejected[..., 1, :] / totals[..., 1, None]
    men, women = SEXES["men"], SEXES["women"]
    error = (wrong[..., men, :, None] + wrong[..., women, None, :]) / totals.sum((-2, -1))[..., None, None]
    gap = fnr[..., men, :, None] - fnr[..., women, None, :]
    return error.reshape(*error.shape[:-2], 400), gap.reshape(*gap.shape[:-2], 400)


def published_grid(score: ArrayLike, y: ArrayLike, male: ArrayLike) -> pd.DataFrame:
    """Return the published 20 x 20 grid of shifts over [-1.5, 1.5] of the accept logit of men and of women.

    Returns:
        400 rows: threshold_men, threshold_women (minus the shifts, rising), error, gap, pareto (efficient
        among the 400).

    Raises:
        UserError: as `exact_frontier`.
    """
    error, gap = _grid(_grid_cells(*_checked(score, y, male)))
    thresholds = np.sort(-SHIFTS)
    frame = pd.DataFrame(
        {
            "threshold_men": np.repeat(thresholds, 20),
            "threshold_women": np.tile(thresholds, 20),
            "error": error,
            "gap": abs(gap),
        }
    )
    return frame.assign(pareto=pareto_mask(frame[["error", "gap"]]))


def optimism(score: ArrayLike, y: ArrayLike, male: ArrayLike, repeats: int, seed: int) -> pd.DataFrame:
    """Measure what choosing grid thresholds on the data they are reported on promises too much.

    In each repeat the images are halved at random. A point of the published grid is chosen on one half and
    read on both. Halving images and counting them per cell (sex, label, interval between thresholds) is a
    multivariate hypergeometric draw, so cells are drawn instead of images. Ties go to the other quantity.

    Returns:
        criterion (objective: least error + 0.1 gap; gap: least gap; error_within_gap: least error with gap
        <= 0.05), quantity (error, gap, objective), promised and realised (means on the choosing and on the
        other half), optimism (mean of realised - promised), ci_low, ci_high (2.5 and 97.5 % points of
        realised - promised over the repeats). Repeats in which no point meets a criterion, or a half holds no
        positive of one sex, are left out; nan if none is left.

    Raises:
        UserError: as `exact_frontier`.
    """
    cells = _grid_cells(*_checked(score, y, male))
    random = np.random.default_rng(seed)
    half = random.multivariate_hypergeometric(cells.ravel(), int(cells.sum()) // 2, size=repeats)
    half = half.reshape(repeats, 2, 2, 21)
    with np.errstate(invalid="ignore"):  # a tiny half may lack positives: 0 / 0
        halves = [{"error": error, "gap": abs(gap)} for error, gap in (_grid(half), _grid(cells - half))]
    for values in halves:
        values["objective"] = ERROR_WEIGHT * values["error"] + GAP_WEIGHT * values["gap"]
    chosen_on = halves[0]
    within = np.where(chosen_on["gap"] <= FAIR_ENOUGH, chosen_on["error"], np.nan)
    criteria = {
        "objective": (chosen_on["objective"], chosen_on["error"]),
        "gap": (chosen_on["gap"], chosen_on["error"]),
        "error_within_gap": (within, chosen_on["gap"]),
    }
    rows = []
    for criterion, (first, second) in criteria.items():
        pick = np.lexsort((second, first))[:, :1]  # nan sorts last
        defined = ~np.isnan(np.take_along_axis(first, pick, 1)) & ~np.isnan(halves[1]["gap"][:, :1])
        for quantity in ("error", "gap", "objective"):
            promised, realised = (np.take_along_axis(values[quantity], pick, 1)[defined] for values in halves)
            if not len(promised):
                rows.append((criterion, quantity, *[np.nan] * 5))
                continue
            low, high = percentile_interval(realised - promised)
            means = promised.mean(), realised.mean(), (realised - promised).mean()
            rows.append((criterion, quantity, *means, float(low), float(high)))
    return pd.DataFrame(
        rows, columns=["criterion", "quantity", "promised", "realised", "optimism", "ci_low", "ci_high"]
    )
