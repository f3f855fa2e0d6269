"""The metrics of the study, of one run: rates per group, parity under both names, odds gaps and calibration.

Group 1 comes first in every difference: men minus women in Adult.
"""

import numpy as np
import pandas as pd

from scripts.common import metrics
from scripts.common.intervals import absolute_interval, bootstrap_counts, bootstrap_metrics, percentile_interval
from scripts.common.metrics import RATES

BINS = 10
OWN_RATES = {name: RATES[name] for name in ("accuracy", "acceptance_rate", "tpr", "fpr", "ppv", "prevalence")}


def parity_difference(counts: np.ndarray) -> np.ndarray:
    """Return P(accepted | group 1) - P(accepted | group 0), [...], of a table [..., 2, 2, 2]: the course's "Zemel"."""
    rate = RATES["acceptance_rate"](counts)
    return rate[..., 1] - rate[..., 0]


def disparate_impact(counts: np.ndarray) -> np.ndarray:
    """Return P(accepted | group 0) / P(accepted | group 1), [...]; nan if of group 1 nobody is accepted or is there."""
    rate = RATES["acceptance_rate"](counts)
    bottom = np.nan_to_num(rate[..., 1])
    return np.divide(rate[..., 0], bottom, out=np.full(np.shape(bottom), np.nan), where=bottom != 0)


# The two metrics of the notebook keep the sign of the gap; the ones of the field do not.
PARITY = {
    "parity_difference": parity_difference,
    "disparate_impact": disparate_impact,
    "demographic_parity_ratio": metrics.demographic_parity_ratio,
}
# Unsigned gaps take their interval from the signed gaps, since noise makes an absolute value larger.
UNSIGNED = {
    "demographic_parity_difference": (metrics.demographic_parity_difference, "acceptance_rate"),
    "equal_opportunity_difference": (metrics.equal_opportunity_difference, "tpr"),
}


def calibration(y_true: np.ndarray, probability: np.ndarray) -> tuple[float, float]:
    """Return (calibration error, bias) of probabilities of the positive class; nan without rows.

    The error is the mean over ten bins of equal width, weighted by their rows, of |mean probability - share of
    positives| (the expected calibration error); the bias is mean probability - share of positives over all rows.
    """
    if not len(y_true):
        return np.nan, np.nan
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    surplus = np.bincount(bins, weights=probability - y_true, minlength=BINS)
    return float(np.abs(surplus).sum() / len(y_true)), float(np.mean(probability - y_true))


def calibration_rows(y_true: np.ndarray, score: np.ndarray, group: np.ndarray, names: dict[str, int]) -> list[tuple]:
    """Return subgroup, metric, value, and no interval, n for everybody and for each group."""
    probability = 1 / (1 + np.exp(-score.astype(float)))
    rows = []
    for subgroup, own in {"all": group >= 0, **{name: group == code for name, code in names.items()}}.items():
        values = calibration(y_true[own], probability[own])
        for metric, value in zip(("calibration_error", "calibration_bias"), values, strict=True):
            rows.append((subgroup, metric, value, np.nan, np.nan, int(own.sum())))
    return rows


def measure(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    score: np.ndarray | None,
    group: np.ndarray,
    names: dict[str, int],
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Return every metric of one run with bootstrap intervals over its rows.

    Args:
        y_true, y_pred, group: 0 or 1, [n].
        score: log-odds of the label, [n]; None where there are none, and calibration is undefined.
        names: word of each group to its code, group 1 first.

    Returns:
        Columns subgroup, metric, value, ci_low, ci_high, n.
    """
    counts = metrics.count_table(y_true, y_pred, group, sizes=[2])
    rates = bootstrap_metrics(counts, names, replicates, seed, rates=OWN_RATES)
    samples, rows = bootstrap_counts(counts, replicates, seed), []
    for name, metric in PARITY.items():
        low, high = percentile_interval(metric(samples))
        rows.append(("all", name, float(metric(counts)), float(low), float(high), len(y_true)))
    signed = rates[rates.subgroup == "difference"].set_index("metric")
    for name, (metric, rate) in UNSIGNED.items():
        low, high = absolute_interval(signed.ci_low[rate], signed.ci_high[rate])
        rows.append(("all", name, float(metric(counts)), float(low), float(high), int(signed.n[rate])))
    if score is not None:
        rows += calibration_rows(y_true, score, group, names)
    return pd.concat([rates, pd.DataFrame(rows, columns=rates.columns)], ignore_index=True)
