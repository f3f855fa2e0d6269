"""Every number of a run, from its one table of counts, with bootstrap intervals."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from scripts.boosting import notions
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.intervals import bootstrap_counts, percentile_interval
from scripts.common.metrics import RATES, balanced_accuracy, by_attribute
from scripts.common.schemas.metrics import EVERYONE, NO_ATTRIBUTE

WORST, ADDITIVE = "worst attribute", "sum over attributes"  # stand for an attribute where there are several
UNDECIDED = "undecided"
GROUP_RATES = ("true_positive_rate", "true_negative_rate", "selection_rate")
Metric = Callable[[np.ndarray], np.ndarray]
Key = tuple[str, str, str]  # metric, attribute, subgroup
Words = Mapping[str, tuple[str, str]]  # of each attribute the words of group 0 and 1


def combined(attributes: Sequence[str]) -> str:
    """Return the attribute whose groups are all combinations of some attributes: "sex x race"."""
    return " x ".join(attributes)


def plain_metrics(words: Words) -> dict[Key, Metric]:
    """Return what does not depend on several attributes, each a function of a table [..., 2, 2]."""
    m = len(words)

    def everybody(metric: Metric) -> Metric:
        return lambda counts: metric(by_attribute(counts, m, [])[..., 0, :, :])

    def of_group(rate, k: int, group: int) -> Metric:
        return lambda counts: rate(by_attribute(counts, m, [k])[..., group, :, :])

    rates = {name: RATES[name] for name in GROUP_RATES}
    overall = {"accuracy": RATES["accuracy"], "balanced_accuracy": balanced_accuracy, **rates}
    found = {(name, NO_ATTRIBUTE, EVERYONE): everybody(metric) for name, metric in overall.items()}
    for k, (attribute, groups) in enumerate(words.items()):
        for group, word in enumerate(groups):
            found |= {(name, attribute, word): of_group(rate, k, group) for name, rate in rates.items()}
    return found


def gap_metrics(attributes: Sequence[str], minimum: int) -> dict[Key, Metric]:
    """Return all notions: of each attribute, and with several attributes the worst, the sum and the combinations.

    Of one attribute the worst, the sum and the range over its combinations are its own gap, and are not said again.
    """
    m, found, together = len(attributes), {}, combined(attributes)
    for notion in notions.GAPS:
        for k, attribute in enumerate(attributes):
            found[notion, attribute] = lambda counts, k=k, notion=notion: notions.gap(counts, m, k, notion)
        if m > 1:
            found[notion, WORST] = lambda counts, notion=notion: notions.worst_attribute(counts, m, notion)
            found[notion, ADDITIVE] = lambda counts, notion=notion: notions.additive(counts, m, notion)
    for notion in notions.SUBGROUP_FAIRNESS:
        found[notion, together] = lambda counts, notion=notion: notions.subgroup_fairness(counts, m, notion)
    found["differential_fairness", together] = lambda counts: notions.differential_fairness(counts, m, minimum)
    for name, rate in notions.INTERSECTIONAL.items():
        if (name, together) not in found:
            found[name, together] = lambda counts, rate=RATES[rate]: notions.intersectional(counts, m, rate, minimum)
    return {(metric, attribute, EVERYONE): function for (metric, attribute), function in found.items()}


def measure(counts: np.ndarray, words: Words, minimum: int, replicates: int, seeds: Sequence[int]) -> pd.DataFrame:
    """Return every metric of R tables [R, 2, ..., 2, 2, 2], one axis per attribute, one seed each.

    Undecided values are nan. A minimum would leave out the very resamples in question, so the notions with a minimum
    are bootstrapped without one.

    Returns:
        place (of the table), metric, attribute, subgroup, value, ci_low, ci_high, interval, n.
    """
    resampled = np.stack([bootstrap_counts(own, replicates, seed) for own, seed in zip(counts, seeds, strict=True)], 1)
    n, attributes = counts.reshape(len(counts), -1).sum(1), list(words)
    metrics, free = plain_metrics(words) | gap_metrics(attributes, minimum), gap_metrics(attributes, 1)
    frames = []
    for place, (key, metric) in enumerate(metrics.items()):
        values = metric(counts)
        low, high = percentile_interval(free.get(key, metric)(resampled))
        low, high = (np.where(np.isnan(values), np.nan, end) for end in (low, high))
        own = pd.DataFrame({"place": np.arange(len(counts)), "value": values, "ci_low": low, "ci_high": high, "n": n})
        named = dict(zip(("metric", "attribute", "subgroup"), key, strict=True))
        frames.append(own.assign(**named, order=place))
    found = pd.concat(frames, ignore_index=True).sort_values(["place", "order"], ignore_index=True)
    found["interval"] = found["ci_low"].notna().map({True: BOOTSTRAP, False: None})
    return found.drop(columns="order")


def probability_gaps(
    probability: np.ndarray, y: np.ndarray, groups: np.ndarray, attributes: tuple[str, ...]
) -> dict[Key, float]:
    """Return the gaps of mean probabilities, the form that the gradient booster is trained on.

    Args:
        probability: [n]; y: labels [n]; groups: [n, attributes].

    Returns:
        {(metric, attribute, subgroup): gap}; demographic parity over everybody, equal opportunity over positives,
        equalized odds the larger of positives' and negatives' gap.
    """
    found = {}
    for k, attribute in enumerate(attributes):
        part = 2 * groups[:, k].astype(np.int64) + y
        sums = np.bincount(part, weights=probability, minlength=4).reshape(2, 2)
        sizes = np.bincount(part, minlength=4).reshape(2, 2)
        everybody, by_label = sums.sum(1) / sizes.sum(1), sums / sizes
        gaps = np.abs(by_label[1] - by_label[0])
        own = {notions.PARITY: abs(everybody[1] - everybody[0]), notions.OPPORTUNITY: gaps[1], notions.ODDS: gaps.max()}
        found |= {(f"probability_{name}", attribute, EVERYONE): float(value) for name, value in own.items()}
    return found
