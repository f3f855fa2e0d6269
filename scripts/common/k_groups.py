"""Metrics over all groups of attributes with more than two, of a study whose methods tell two apart."""

import pandas as pd

from scripts.common.group_metrics import group_metrics
from scripts.common.intervals import MEASURED
from scripts.common.metrics import count_table
from scripts.common.tabular import Table


def k_group_metrics(run: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the metrics of every attribute of a table that has more than two groups and a column in the predictions.

    Differences are the largest minus the smallest rate of all groups, as in fairlearn, and NaN where a group has no
    row (or, for a rate of one label, none of that label).

    Args:
        run: predictions of one run: y_true, y_pred and columns of group codes.
        table: which the run is of.

    Returns:
        Columns `MEASURED`; no rows if there is no such attribute.
    """
    rows = []
    for name, attribute in table.attributes.items():
        if name in run and len(attribute.words) > 2:
            counts = count_table(run["y_true"], run["y_pred"], run[name], sizes=[len(attribute.words)])
            rows += group_metrics(counts, attribute.words, name)
    return pd.DataFrame(rows, columns=MEASURED)
