"""Every number of a run, from its one table of counts, with bootstrap intervals."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from scripts.boosting import notions
from scripts.common.intervals import bootstrap_counts, percentile_interval
from scripts.common.metrics import RATES, balanced_accuracy, by_attribute

WORST, ADDITIVE, COMBINATIONS = "worst attribute", "sum over attributes", "combinations"
UNDECIDED = "undecided"
Metric = Callable[[np.ndarray], np.ndarray]


def plain_metrics(attributes: tuple[str, ...]) -> dict[tuple[str, str], Metric]:
    """Return what does not depend on several attributes: {(metric, subgroup): function of a table [..., 2, 2]}."""
    m = len(attributes)

    def everybody(metric: Metric) -> Metric:
        return lambda counts: metric(by_attribute(counts, m, [])[..., 0, :, :])

    def of_group(rate, k: int, group: int) -> Metric:
        return lambda counts: rate(by_attribute(counts, m, [k])[..., group, :, :])

    found = {
        ("accuracy", "all"): everybody(RATES["accuracy"]),
        ("balanced_accuracy", "all"): everybody(balanced_accuracy),
    }
    found |= {(name, "all"): everybody(RATES[name]) for name in ("tpr", "tnr", "acceptance_rate")}
    for k, attribute in enumerate(attributes):
        for group in (0, 1):
            where = f"{attribute}: group {group}"
            found |= {(name, where): of_group(RATES[name], k, group) for name in ("tpr", "tnr", "acceptance_rate")}
    return found


def gap_metrics(attributes: tuple[str, ...], minimum: int) -> dict[tuple[str, str], Metric]:
    """Return all notions: of each attribute, and with several attributes the worst, the sum and the combinations."""
    m, found = len(attributes), {}
    for notion in notions.GAPS:
        for k, attribute in enumerate(attributes):
            found[notion, attribute] = lambda counts, k=k, notion=notion: notions.gap(counts, m, k, notion)
        found[notion, WORST] = lambda counts, notion=notion: notions.worst_attribute(counts, m, notion)
        found[notion, ADDITIVE] = lambda counts, notion=notion: notions.additive(counts, m, notion)
    for form in ("SP", "FP"):
        key = (f"subgroup_fairness_{form}", COMBINATIONS)
        found[key] = lambda counts, form=form: notions.subgroup_fairness(counts, m, form)
    found["differential_fairness", COMBINATIONS] = lambda counts: notions.differential_fairness(counts, m, minimum)
    for name, rate in notions.INTERSECTIONAL.items():
        key = (f"intersectional_{name}", COMBINATIONS)
        found[key] = lambda counts, rate=RATES[rate]: notions.intersectional(counts, m, rate, minimum)
    return found


def measure(
    counts: np.ndarray, attributes: tuple[str, ...], minimum: int, replicates: int, seeds: Sequence[int]
) -> pd.DataFrame:
    """Return place, metric, subgroup, value, ci_low, ci_high, n of R tables [R, 2, ..., 2, 2, 2], one seed each.

    Undecided values are nan. A minimum would leave out the very resamples in question, so the notions with a minimum
    are bootstrapped without one.
    """
    resampled = np.stack([bootstrap_counts(own, replicates, seed) for own, seed in zip(counts, seeds, strict=True)], 1)
    n = counts.reshape(len(counts), -1).sum(1)
    metrics, free = plain_metrics(attributes) | gap_metrics(attributes, minimum), gap_metrics(attributes, 1)
    frames = []
    for place, (key, metric) in enumerate(metrics.items()):
        values = metric(counts)
        low, high = percentile_interval(free.get(key, metric)(resampled))
        low, high = (np.where(np.isnan(values), np.nan, end) for end in (low, high))
        own = pd.DataFrame({"place": np.arange(len(counts)), "value": values, "ci_low": low, "ci_high": high, "n": n})
        frames.append(own.assign(metric=key[0], subgroup=key[1], order=place))
    found = pd.concat(frames, ignore_index=True).sort_values(["place", "order"], ignore_index=True)
    return found[["place", "metric", "subgroup", "value", "ci_low", "ci_high", "n"]]


def probability_gaps(
    probability: np.ndarray, y: np.ndarray, groups: np.ndarray, attributes: tuple[str, ...]
) -> dict[tuple[str, str], float]:
    """Return the gaps of mean probabilities, the form that the gradient booster is trained on.

    Args:
        probability: [n]; y: labels [n]; groups: [n, attributes].

    Returns:
        {(metric, attribute): gap}; SP over everybody, EOpp over positives, EOdds_max the larger of positives' and
        negatives' gap.
    """
    found = {}
    for k, attribute in enumerate(attributes):
        part = 2 * groups[:, k].astype(np.int64) + y
        sums = np.bincount(part, weights=probability, minlength=4).reshape(2, 2)
        sizes = np.bincount(part, minlength=4).reshape(2, 2)
        everybody, by_label = sums.sum(1) / sizes.sum(1), sums / sizes
        gaps = np.abs(by_label[1] - by_label[0])
        found["probability_SP", attribute] = float(abs(everybody[1] - everybody[0]))
        found["probability_EOpp", attribute] = float(gaps[1])
        found["probability_EOdds_max", attribute] = float(gaps.max())
    return found
