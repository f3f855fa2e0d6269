"""Every number of a run, from its counts of group, label and prediction and from its scores."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scripts.common import metrics
from scripts.common.group_metrics import group_metrics
from scripts.common.interval_kinds import WILSON
from scripts.common.intervals import MEASURED, proportion_interval
from scripts.common.schemas.metrics import EVERYONE, NO_ATTRIBUTE
from scripts.common.scores import brier_score, roc_auc
from scripts.imbalance.classifier import probability

GROUP_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
GAPS = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
)
# What figures show of every split.
OF_SPLITS = ("accuracy", "f1_score", "balanced_accuracy", "roc_auc", *GAPS)


def measure(
    y: np.ndarray, guessed: np.ndarray, score: np.ndarray, groups: np.ndarray, names: Sequence[str], attribute: str
) -> pd.DataFrame:
    """Return all numbers of one run, columns `MEASURED`.

    Args:
        y, guessed: labels and predictions 0 or 1, [n].
        score: log-odds of label 1, [n].
        groups: codes of `names`, [n].
        attribute: name of the attribute whose groups these are.
    """
    table = metrics.count_table(y, guessed, groups, sizes=[len(names)])
    everyone = table.sum(0)
    n = int(everyone.sum())
    rows = []
    for metric in ("accuracy", "selection_rate"):
        top, bottom = metrics.RATES[metric].parts(everyone)
        low, high = proportion_interval(top, bottom)
        rows.append((NO_ATTRIBUTE, EVERYONE, metric, float(top / bottom), float(low), float(high), WILSON, n))
    bare = {
        "balanced_accuracy": metrics.balanced_accuracy(everyone),
        "f1_score": metrics.f1_score(everyone),
        "roc_auc": roc_auc(y, score),
        "brier_score": brier_score(y, probability(score)),
    }
    rows += [(NO_ATTRIBUTE, EVERYONE, name, float(value), np.nan, np.nan, None, n) for name, value in bare.items()]
    kept = {(group, metric) for group in names for metric in GROUP_RATES} | {(EVERYONE, metric) for metric in GAPS}
    rows += [row for row in group_metrics(table, names, attribute) if (row[1], row[2]) in kept]
    return pd.DataFrame(rows, columns=MEASURED)
