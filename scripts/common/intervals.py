"""95 % intervals: bootstrap over rows, paired bootstrap of two models, Wilson, Newcombe.

Resampling n rows with replacement and counting them in a table is a multinomial draw over the table's
cells, with n trials and the observed fractions as probabilities. Every metric here is a function of
such a table, so the bootstrap draws tables instead of rows: exactly the same distribution, at a cost
that does not depend on n. Two models on the same rows are compared in the joint table of both
predictions, so a row that is drawn twice counts twice for both.
"""

from collections.abc import Callable, Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scripts.common.interval_kinds import BOOTSTRAP, NEWCOMBE, WILSON
from scripts.common.metrics import RATES, Rate, joint_table, signed, subgroup_rates, subgroups

LEVEL = 0.95
MEASURED = ["attribute", "subgroup", "metric", "value", "ci_low", "ci_high", "interval", "n"]


def bootstrap_weights(n: int, replicates: int, seed: int) -> np.ndarray:
    """Return the number of times that each of n rows occurs in each bootstrap resample, int32 [replicates, n].

    For statistics that are not a function of a count table (a mean score, a rank). Applying the same
    weights to several models on the same rows gives the paired bootstrap.
    """
    random = np.random.default_rng(seed)
    weights = np.empty((replicates, n), dtype=np.int32)
    for row in weights:
        row[:] = np.bincount(random.integers(n, size=n), minlength=n)
    return weights


def bootstrap_counts(counts: ArrayLike, replicates: int, seed: int) -> np.ndarray:
    """Return bootstrap resamples of a whole count table, int64 [replicates, *counts.shape]."""
    counts = np.asarray(counts)
    total = int(counts.sum())
    fractions = counts.ravel() / max(total, 1)
    draws = np.random.default_rng(seed).multinomial(total, fractions, size=replicates) if total else 0
    return np.broadcast_to(draws, (replicates, counts.size)).reshape(replicates, *counts.shape)


def percentile_interval(samples: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval (low, high), each [...], over the first axis of [replicates, ...].

    Replicates in which the metric is undefined (nan) are left out; with none left the interval is nan.
    """
    samples = np.asarray(samples, dtype=float)
    tails = [(1 - level) / 2, (1 + level) / 2]
    if not np.isnan(samples).any():
        return tuple(np.quantile(samples, tails, axis=0))
    empty = np.isnan(samples).all(axis=0)  # nanquantile would warn of these
    low, high = np.nanquantile(np.where(empty, 0.0, samples), tails, axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def stacked_intervals(samples: Mapping[object, np.ndarray], level: float = LEVEL) -> dict[object, tuple[float, float]]:
    """Return the percentile interval of each array [replicates], all at once (seven times faster at 300 replicates)."""
    low, high = percentile_interval(np.stack(list(samples.values()), axis=1), level)
    return dict(zip(samples, zip(low.tolist(), high.tolist(), strict=True), strict=True))


def bootstrap_interval(
    counts: np.ndarray, metric: Callable[[np.ndarray], np.ndarray], replicates: int, seed: int, level: float = LEVEL
) -> tuple[float, float, float]:
    """Return (value, low, high) of any function of a count table that accepts leading axes."""
    low, high = percentile_interval(metric(bootstrap_counts(counts, replicates, seed)), level)
    return float(metric(np.asarray(counts))), float(low), float(high)


def proportion_interval(
    successes: ArrayLike, n: ArrayLike, level: float = LEVEL
) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return Wilson's score interval (low, high) of a proportion; nan where n is 0. Vectorised.

    Wilson 1927; unlike the bootstrap interval it has a positive width at 0 and at n successes.
    """
    successes, n = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(n, dtype=float))
    z = NormalDist().inv_cdf((1 + level) / 2)
    n = np.where(n > 0, n, np.nan)
    centre = (successes + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(successes * (n - successes) / n + z**2 / 4)
    # exact at the ends, where rounding would leave 1e-17
    return np.where(successes == 0, 0.0 * n, centre - half)[()], np.where(successes == n, 1.0, centre + half)[()]


def unpaired_difference(
    value_1: ArrayLike,
    bounds_1: tuple[ArrayLike, ArrayLike],
    value_2: ArrayLike,
    bounds_2: tuple[ArrayLike, ArrayLike],
) -> tuple[np.ndarray | float, np.ndarray | float, np.ndarray | float]:
    """Return (difference, low, high) of value_1 - value_2 from the intervals (low, high) of both. Vectorised.

    The distances of the values to their bounds are squared and added (Newcombe 1998; for any two intervals Zou and
    Donner, Statistics in Medicine 27, 2008). For independent values; too wide for positively correlated ones.
    """
    (low_1, high_1), (low_2, high_2), difference = bounds_1, bounds_2, np.subtract(value_1, value_2)
    low = difference - np.hypot(np.subtract(value_1, low_1), np.subtract(high_2, value_2))
    high = difference + np.hypot(np.subtract(high_1, value_1), np.subtract(value_2, low_2))
    return difference, low, high


def difference_of_proportions(
    successes_1: ArrayLike, n_1: ArrayLike, successes_2: ArrayLike, n_2: ArrayLike, level: float = LEVEL
) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return Newcombe's interval (low, high) of p1 - p2 for independent groups; nan where a group is empty.

    The hybrid score interval: Newcombe, Statistics in Medicine 17 (1998), method 10.
    """
    with np.errstate(invalid="ignore"):
        p_1, p_2 = np.divide(successes_1, n_1), np.divide(successes_2, n_2)
    bounds_1, bounds_2 = proportion_interval(successes_1, n_1, level), proportion_interval(successes_2, n_2, level)
    return unpaired_difference(p_1, bounds_1, p_2, bounds_2)[1:]


def absolute_interval(low: ArrayLike, high: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Interval (low, high) of an absolute value from the interval of the signed difference.

    The lower end is 0 where the signed interval contains 0. Percentiles of resampled absolute values would
    be too high there, since noise increases an absolute value.
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    smaller, larger = np.minimum(abs(low), abs(high)), np.maximum(abs(low), abs(high))
    return np.where((low <= 0) & (high >= 0), 0.0, smaller)[()], larger[()]


def attribute_of(metric: str, subgroup: str, attribute: str, rates: Mapping[str, Rate]) -> str:
    """Return what stands in the column `attribute`: "none" for a rate of everyone, in which no groups are looked at."""
    return "none" if subgroup == "all" and metric in rates else attribute


def bootstrap_metrics(
    counts: np.ndarray,
    groups: Mapping[str, int],
    replicates: int,
    seed: int,
    rates: Mapping[str, Rate] = RATES,
    level: float = LEVEL,
    *,
    attribute: str,
) -> pd.DataFrame:
    """Return every rate of "all", each group and the signed difference of two groups, with intervals.

    Percentile bootstrap over rows. Where a rate is exactly 0 or 1, resampling cannot vary it and would give
    an interval of width zero; Wilson's interval (for a difference: Newcombe's) is used there instead.

    Args:
        counts: [K, 2, 2] (group, label, prediction).
        groups: name to code, as in `metrics.subgroups`.
        attribute: the sensitive attribute of the groups.

    Returns:
        Columns attribute, subgroup, metric, value, ci_low, ci_high, interval, n; n = rows in the denominator (for a
        difference of both groups), so for the false-negative rate n counts positives only.
    """
    values = subgroup_rates(counts, groups, rates)
    samples = subgroup_rates(bootstrap_counts(counts, replicates, seed), groups, rates)
    tables, resampled, rows = subgroups(counts, groups), stacked_intervals(samples, level), []
    rate_of = {signed(name): name for name in rates}
    for (metric, subgroup), value in values.items():
        pair = list(groups) if metric in rate_of else [subgroup]
        parts = [rates[rate_of.get(metric, metric)].parts(tables[name]) for name in pair]
        low, high, kind = np.nan, np.nan, None
        if not np.isnan(value) and any(top in (0, bottom) for top, bottom in parts):
            exact, kind = (proportion_interval, WILSON) if len(parts) == 1 else (difference_of_proportions, NEWCOMBE)
            low, high = exact(*(number for part in parts for number in part), level=level)
        elif not np.isnan(value):
            (low, high), kind = resampled[metric, subgroup], BOOTSTRAP
        about = (attribute_of(metric, subgroup, attribute, rates), subgroup, metric)
        rows.append((*about, float(value), float(low), float(high), kind, int(sum(bottom for _, bottom in parts))))
    return pd.DataFrame(rows, columns=MEASURED)


def unsigned_differences(table: pd.DataFrame, metrics: Mapping[str, str]) -> pd.DataFrame:
    """Return absolute differences of two groups, from the signed ones that `bootstrap_metrics` returned.

    Args:
        table: rows of `bootstrap_metrics`, with signed differences.
        metrics: id of the absolute difference -> rate; {"demographic_parity_difference": "selection_rate"}, say.

    Returns:
        The same columns; the interval is that of the absolute value of the signed one (see `absolute_interval`).
    """
    rows = []
    for metric, rate in metrics.items():
        with_sign = table[table["metric"] == signed(rate)]
        low, high = absolute_interval(with_sign["ci_low"], with_sign["ci_high"])
        rows.append(with_sign.assign(metric=metric, value=with_sign["value"].abs(), ci_low=low, ci_high=high))
    return pd.concat(rows, ignore_index=True)


def paired_difference(
    y_true: ArrayLike,
    y_pred_a: ArrayLike,
    y_pred_b: ArrayLike,
    group: ArrayLike,
    groups: Mapping[str, int],
    replicates: int,
    seed: int,
    rates: Mapping[str, Rate] = RATES,
    level: float = LEVEL,
    *,
    attribute: str,
) -> pd.DataFrame:
    """Return metric(A) - metric(B) of two models on the same n rows, with paired bootstrap intervals.

    Args:
        y_true, y_pred_a, y_pred_b: labels and predictions, 0 or 1, each [n].
        group: codes [n] of the sensitive `attribute`; `groups` names them.

    Returns:
        Columns attribute, subgroup, metric, value, ci_low, ci_high, interval, n (rows compared: of the subgroup, or of
        both groups for their difference). Where A and B agree on every row the interval is [0, 0].

    Raises:
        UserError: lengths differ or a value is out of range.
    """
    sizes = [max([*groups.values(), int(np.asarray(group).max(initial=0))]) + 1, 2, 2, 2]
    joint = joint_table({"group": group, "y_true": y_true, "y_pred_a": y_pred_a, "y_pred_b": y_pred_b}, sizes)

    def difference(table: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
        a = subgroup_rates(table.sum(-1), groups, rates)
        b = subgroup_rates(table.sum(-2), groups, rates)
        return {key: a[key] - b[key] for key in a}

    resampled = stacked_intervals(difference(bootstrap_counts(joint, replicates, seed)), level)
    per_group = joint.sum((-3, -2, -1))
    n, rows = {"all": int(joint.sum())}, []
    n |= {name: int(per_group[code]) for name, code in groups.items()}
    both = sum(n[name] for name in groups)
    for (metric, subgroup), value in difference(joint).items():
        low, high = resampled[metric, subgroup] if not np.isnan(value) else (np.nan, np.nan)
        about = (attribute_of(metric, subgroup, attribute, rates), subgroup, metric)
        kind = None if np.isnan(value) else BOOTSTRAP
        rows.append((*about, float(value), float(low), float(high), kind, n[subgroup] if metric in rates else both))
    return pd.DataFrame(rows, columns=MEASURED)
