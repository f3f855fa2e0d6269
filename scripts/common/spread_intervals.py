"""95 % intervals of differences and ratios over the groups of an attribute, two or many, from counts.

A largest minus a smallest rate is a maximum over pairs of groups, and noise makes a maximum larger: of fifty equal
groups two differ by chance. So the lower end is the largest lower end over all pairs, each at the level that holds for
all of them at once (Bonferroni). The upper end need only cover the pair that truly lies farthest apart, so it is the
largest upper end at the plain level. For two groups both are Newcombe's interval of the absolute difference. Groups in
which a rate is undefined make the number undefined, as in `metrics.spread`.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from scripts.common.intervals import LEVEL, absolute_interval, difference_of_proportions, proportion_interval

Counts = tuple[np.ndarray, np.ndarray]  # successes and trials of the groups, int [G] each
Measured = tuple[float, float, float]  # value, low, high
UNDEFINED = (np.nan, np.nan, np.nan)


def pairs_of(groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the second members of all pairs of groups, int [P] each."""
    pairs = np.array(list(combinations(range(groups), 2))).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def largest_difference(*rates: Counts, level: float = LEVEL) -> Measured:
    """Return the largest difference between two groups in one rate or in the worst of several, with its interval.

    Args:
        rates: counts of each rate; two of them (true and false positives) give the equalized odds difference.
    """
    if any((trials == 0).any() or len(trials) < 2 for _, trials in rates):
        return UNDEFINED
    value, lows, highs = 0.0, [], []
    comparisons = sum(len(pairs_of(len(trials))[0]) for _, trials in rates)
    for successes, trials in rates:
        a, b = pairs_of(len(trials))
        counts = (successes[a], trials[a], successes[b], trials[b])
        value = max(value, float(np.ptp(successes / trials)))
        lows.append(absolute_interval(*difference_of_proportions(*counts, 1 - (1 - level) / comparisons))[0])
        highs.append(absolute_interval(*difference_of_proportions(*counts, level))[1])
    return value, float(np.concatenate(lows).max()), float(np.concatenate(highs).max())


def sum_of_differences(*rates: Counts, level: float = LEVEL) -> Measured:
    """Return the sum over several rates of the largest difference between two groups, with its interval.

    Intervals of independent parts are joined by the squares of the distances to their ends (Zou and Donner 2008).
    """
    parts = np.array([largest_difference(rate, level=level) for rate in rates])
    value, below, above = parts[:, 0].sum(), parts[:, 0] - parts[:, 1], parts[:, 2] - parts[:, 0]
    low, high = value - np.sqrt((below**2).sum()), value + np.sqrt((above**2).sum())
    return float(value), float(max(low, 0.0) if low == low else low), float(high)


def smallest_ratio(successes: np.ndarray, trials: np.ndarray, level: float = LEVEL) -> Measured:
    """Return the smallest rate divided by the largest, with its interval; NaN if no group has a success.

    Of each pair by Donner and Zou, Statistical Methods in Medical Research 21 (2012), from Wilson's intervals of both.
    """
    if (trials == 0).any() or len(trials) < 2 or not successes.any():
        return UNDEFINED
    rates = successes / trials
    a, b = pairs_of(len(trials))
    smaller, larger = np.where(rates[a] <= rates[b], a, b), np.where(rates[a] <= rates[b], b, a)
    low = _folded_ratio(successes, trials, smaller, larger, level)[0]
    high = _folded_ratio(successes, trials, smaller, larger, 1 - (1 - level) / len(a))[1]
    return float(rates.min() / rates.max()), float(low.min()), float(high.min())


def _folded_ratio(
    successes: np.ndarray, trials: np.ndarray, smaller: np.ndarray, larger: np.ndarray, level: float
) -> Counts:
    """Return the ends [P] of the interval of the smaller over the larger rate of pairs, at most 1."""
    rates = successes / trials
    low, high = proportion_interval(successes, trials, level)
    t1, l1, u1, t2, l2, u2 = (ends[who] for who in (smaller, larger) for ends in (rates, low, high))
    product, a, c = t1 * t2, u2 * (2 * t2 - u2), l1 * (2 * t1 - l1)
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = np.where(
            np.abs(a) > 1e-12, (product - np.sqrt(np.maximum(product**2 - a * c, 0))) / a, c / (2 * product)
        )
        a, c = l2 * (2 * t2 - l2), u1 * (2 * t1 - u1)
        upper = np.where(l2 > 0, (product + np.sqrt(np.maximum(product**2 - a * c, 0))) / a, np.inf)
        lower = np.where(t2 > 0, np.where(t1 > 0, lower, 0.0), 0.0)  # 0 / 0: nothing is known
        upper = np.where(t2 > 0, upper, np.inf)
        return np.minimum(lower, np.where(upper > 1, 1 / upper, 1)), np.minimum(upper, 1.0)


def balanced_interval(parts: Sequence[Counts]) -> Measured:
    """Return the mean of several independent rates (of one group each) and its interval, Wilson's joined."""
    successes, trials = (np.array([part[place] for part in parts], float) for place in (0, 1))
    if not trials.all():
        return UNDEFINED
    low, high = proportion_interval(successes, trials)
    rates = successes / trials
    below, above = (float(np.sqrt(((rates - end) ** 2).sum())) / len(parts) for end in (low, high))
    return float(rates.mean()), float(rates.mean()) - below, float(rates.mean()) + above
