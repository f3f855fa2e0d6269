"""The metrics of the study, of one run: rates per group, parity with and without its sign, odds gaps, calibration.

Group 1 comes first in every difference: men minus women in Adult.
"""

import numpy as np
import pandas as pd

from scripts.common import metrics
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.intervals import (
    MEASURED,
    bootstrap_counts,
    bootstrap_metrics,
    percentile_interval,
    unsigned_differences,
)
from scripts.common.metrics import RATES, signed
from scripts.common.schemas.metrics import EVERYONE, NO_ATTRIBUTE

BINS = 10
OWN_RATES = ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate", "positive_predictive_value")
OWN_RATES = {name: RATES[name] for name in (*OWN_RATES, "prevalence")}
# The notebook's two metrics keep the sign of the gap; the ones of the field do not.
PARITY, RATIO = signed("selection_rate"), "selection_rate_ratio"


def parity_difference(counts: np.ndarray) -> np.ndarray:
    """Return P(accepted | group 1) - P(accepted | group 0), [...], of a table [..., 2, 2, 2]: the course's "Zemel"."""
    rate = RATES["selection_rate"](counts)
    return rate[..., 1] - rate[..., 0]


def selection_rate_ratio(counts: np.ndarray) -> np.ndarray:
    """Return P(accepted | group 0) / P(accepted | group 1), [...], the notebook's "disparate impact".

    nan if of group 1 nobody is accepted or is there.
    """
    rate = RATES["selection_rate"](counts)
    bottom = np.nan_to_num(rate[..., 1])
    return np.divide(rate[..., 0], bottom, out=np.full(np.shape(bottom), np.nan), where=bottom != 0)


RATIOS = {RATIO: selection_rate_ratio, "demographic_parity_ratio": metrics.demographic_parity_ratio}
# Unsigned gaps take their interval from the signed gaps, since noise makes an absolute value larger.
UNSIGNED = {
    "demographic_parity_difference": "selection_rate",
    "equal_opportunity_difference": "true_positive_rate",
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


def calibration_rows(
    y_true: np.ndarray, score: np.ndarray, group: np.ndarray, names: dict[str, int], attribute: str
) -> list[tuple]:
    """Return `MEASURED` of calibration, without interval, for everybody and for each group."""
    probability = 1 / (1 + np.exp(-score.astype(float)))
    rows = []
    for subgroup, own in {EVERYONE: group >= 0, **{name: group == code for name, code in names.items()}}.items():
        where = (NO_ATTRIBUTE if subgroup == EVERYONE else attribute, subgroup)
        values = calibration(y_true[own], probability[own])
        for metric, value in zip(("calibration_error", "calibration_bias"), values, strict=True):
            rows.append((*where, metric, value, np.nan, np.nan, None, int(own.sum())))
    return rows


def measure(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    score: np.ndarray | None,
    group: np.ndarray,
    names: dict[str, int],
    replicates: int,
    seed: int,
    attribute: str,
) -> pd.DataFrame:
    """Return every metric of one run with intervals over its rows.

    Args:
        y_true, y_pred, group: 0 or 1, [n].
        score: log-odds of the label, [n]; None where there are none, and calibration is undefined.
        names: word of each group to its code, group 1 first.
        attribute: the one of the groups.

    Returns:
        Columns `MEASURED`.
    """
    counts = metrics.count_table(y_true, y_pred, group, sizes=[2])
    rates = bootstrap_metrics(counts, names, replicates, seed, rates=OWN_RATES, attribute=attribute)
    samples, rows = bootstrap_counts(counts, replicates, seed), []
    for name, metric in RATIOS.items():
        low, high = percentile_interval(metric(samples))
        kind = None if np.isnan(low) else BOOTSTRAP
        rows.append((attribute, EVERYONE, name, float(metric(counts)), float(low), float(high), kind, len(y_true)))
    if score is not None:
        rows += calibration_rows(y_true, score, group, names, attribute)
    further = pd.DataFrame(rows, columns=MEASURED)
    return pd.concat([rates, unsigned_differences(rates, UNSIGNED), further], ignore_index=True)
