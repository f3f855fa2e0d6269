"""All group metrics of one attribute, of any number of groups, each with an interval, from one count table."""

from collections.abc import Callable, Container, Sequence

import numpy as np

from scripts.common import metrics
from scripts.common.interval_kinds import JOINED, NEWCOMBE, PAIRS, WILSON
from scripts.common.intervals import difference_of_proportions, proportion_interval
from scripts.common.metrics import RATES, signed
from scripts.common.spread_intervals import (
    balanced_interval,
    largest_difference,
    smallest_ratio,
    sum_of_differences,
)

# metric -> the rates that it is made of
DIFFERENCES = {
    "demographic_parity_difference": ["selection_rate"],
    "equal_opportunity_difference": ["true_positive_rate"],
    "true_negative_rate_difference": ["true_negative_rate"],
    "equalized_odds_difference": ["true_positive_rate", "false_positive_rate"],
    "prevalence_difference": ["prevalence"],
}


def group_metrics(
    table: np.ndarray, subgroups: Sequence[str], attribute: str, only: Container[str] | None = None
) -> list[tuple]:
    """Return every rate of each group, and all that compares the groups, as rows of `intervals.MEASURED`.

    Args:
        table: counts [G, 2, 2] (group, label, prediction).
        subgroups: names of the G groups, at least two.
        only: metrics to return; all by default.
    """
    rows = [*group_rates(table, subgroups, attribute, only), *_comparisons(table, attribute, only)]
    return rows + (_signed(table, attribute, only) if len(subgroups) == 2 else [])


def _is_asked(metric: str, only: Container[str] | None) -> bool:
    return only is None or metric in only


def parts_of(table: np.ndarray, rate: str) -> tuple[np.ndarray, np.ndarray]:
    """Return numerators and denominators of a rate, each [G], of a table [G, 2, 2]."""
    return RATES[rate].parts(table)


def group_rates(
    table: np.ndarray, subgroups: Sequence[str], attribute: str, only: Container[str] | None = None
) -> list[tuple]:
    """Return every rate of each group and its balanced accuracy; `table` may be of everyone, as one group.

    Args:
        only: as for `group_metrics`.
    """
    rows = []
    for metric in RATES:
        if not _is_asked(metric, only):
            continue
        top, bottom = parts_of(table, metric)
        values = RATES[metric](table)
        low, high = proportion_interval(top, bottom)
        for place, name in enumerate(subgroups):
            kind = WILSON if bottom[place] else None
            ends = (float(low[place]), float(high[place]))
            rows.append((attribute, name, metric, float(values[place]), *ends, kind, int(bottom[place])))
    for place, name in enumerate(subgroups if _is_asked("balanced_accuracy", only) else ()):
        parts = [parts_of(table[place], rate) for rate in ("true_positive_rate", "true_negative_rate")]
        value, low, high = balanced_interval(parts)
        kind = None if np.isnan(value) else JOINED
        rows.append((attribute, name, "balanced_accuracy", value, low, high, kind, int(table[place].sum())))
    return rows


def comparing(table: np.ndarray) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return the metrics that compare groups, by name: functions of tables [..., G, 2, 2]."""
    return {**metrics.FAIRNESS, "prevalence_difference": lambda table: metrics.spread(table, RATES["prevalence"])}


def _comparisons(table: np.ndarray, attribute: str, only: Container[str] | None) -> list[tuple]:
    rows = []
    for metric, function in comparing(table).items():
        if not _is_asked(metric, only):
            continue
        if metric == "demographic_parity_ratio":
            measured, rates = smallest_ratio(*parts_of(table, "selection_rate")), ["selection_rate"]
        elif metric == "equalized_odds_sum":
            rates = ["true_positive_rate", "false_positive_rate"]
            measured = sum_of_differences(*(parts_of(table, rate) for rate in rates))
        else:
            rates = DIFFERENCES[metric]
            measured = largest_difference(*(parts_of(table, rate) for rate in rates))
        value = float(function(table))
        kind = NEWCOMBE if len(table) == 2 and len(rates) == 1 else PAIRS
        kind = JOINED if metric in ("demographic_parity_ratio", "equalized_odds_sum") else kind
        known = not (np.isnan(value) or np.isnan(measured[1]))
        ends = measured[1:] if known else (np.nan, np.nan)
        n = sum(int(parts_of(table, rate)[1].sum()) for rate in rates)
        rows.append((attribute, "all", metric, value, *ends, kind if known else None, n))
    return rows


def _signed(table: np.ndarray, attribute: str, only: Container[str] | None) -> list[tuple]:
    """Return the signed differences of two groups, the first minus the second in the order of their names."""
    rows = []
    for rate in RATES:
        if not _is_asked(signed(rate), only):
            continue
        top, bottom = parts_of(table, rate)
        values = RATES[rate](table)
        value = float(values[0] - values[1])
        known = not np.isnan(value)
        ends = difference_of_proportions(top[0], bottom[0], top[1], bottom[1]) if known else (np.nan, np.nan)
        kind = NEWCOMBE if known else None
        rows.append((attribute, "all", signed(rate), value, float(ends[0]), float(ends[1]), kind, int(bottom.sum())))
    return rows
