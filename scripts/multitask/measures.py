"""Every number of a run and task, from counts of group, label and prediction; means over tasks stand under "mean"."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scripts.common import metrics
from scripts.common.group_metrics import group_metrics
from scripts.common.interval_kinds import WILSON
from scripts.common.intervals import MEASURED, proportion_interval
from scripts.common.schemas.metrics import EVERYONE, NO_ATTRIBUTE

MEAN = "mean"  # in the column task: the mean over all tasks
GAPS = (
    "equal_opportunity_difference",
    "equalized_odds_sum",
    "equalized_odds_difference",
    "demographic_parity_difference",
)
GROUP_RATES = ("true_positive_rate", "true_negative_rate", "selection_rate")
COMPARED = ("accuracy", "balanced_accuracy", *GAPS)


def measure(
    y: np.ndarray, guessed: np.ndarray, groups: np.ndarray, names: Sequence[str], attribute: str
) -> pd.DataFrame:
    """Return all numbers of one run and task, columns `MEASURED`; a gap with an empty (label, group) is undefined.

    Args:
        y, guessed: labels and predictions 0 or 1, [n].
        groups: codes of `names`, [n].
    """
    table = metrics.count_table(y, guessed, groups, sizes=[len(names)])
    return pd.DataFrame(rows_of(table, names, attribute), columns=MEASURED)


def rows_of(table: np.ndarray, names: Sequence[str], attribute: str) -> list[tuple]:
    """Return the rows of `measure` from counts [G, 2, 2] of group, label and prediction."""
    everyone = table.sum(0)
    n = int(everyone.sum())
    rows = []
    for metric in ("accuracy", "selection_rate", "prevalence"):
        top, bottom = metrics.RATES[metric].parts(everyone)
        low, high = proportion_interval(top, bottom)
        rows.append((NO_ATTRIBUTE, EVERYONE, metric, float(top / bottom), float(low), float(high), WILSON, n))
    balanced = float(metrics.balanced_accuracy(everyone))
    rows.append((NO_ATTRIBUTE, EVERYONE, "balanced_accuracy", balanced, np.nan, np.nan, None, n))
    return rows + group_metrics(table, names, attribute, only={*GROUP_RATES, *GAPS})


def constant(y: np.ndarray, groups: np.ndarray, names: Sequence[str], attribute: str) -> pd.DataFrame:
    """Return the numbers of the classifier that gives everyone the more frequent label."""
    guess = int(y.mean() > 0.5)
    return measure(y, np.full_like(y, guess), groups, names, attribute)


def mean_over_tasks(values: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over tasks of everyone's numbers, as rows of the task "mean", and how many tasks it is over.

    Args:
        values: run, task, attribute, subgroup, metric, value, n.

    Returns:
        The same columns with `tasks`: undefined numbers are left out of the mean and counted by `undefined`.
    """
    whole = values[values["subgroup"] == EVERYONE]
    by = whole.groupby(["run", "attribute", "subgroup", "metric"], sort=False, observed=True)
    found = by.agg(
        value=("value", "mean"), n=("n", "min"), tasks=("value", "count"), of=("value", "size")
    ).reset_index()
    return found.assign(task=MEAN, undefined=found["of"] - found["tasks"]).drop(columns="of")
