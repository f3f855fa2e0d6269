"""Metrics over all groups of attributes with more than two: the rates of each group, and the gaps between them."""

import numpy as np
import pandas as pd

from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.intervals import MEASURED, bootstrap_counts, bootstrap_metrics, percentile_interval
from scripts.common.metrics import FAIRNESS, RATES, count_table
from scripts.common.tabular import Table

SHOWN = ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate", "prevalence")
GAPS = ("demographic_parity_difference", "demographic_parity_ratio", "equal_opportunity_difference",
        "equalized_odds_difference")  # fmt: skip


def k_group_metrics(run: pd.DataFrame, table: Table, replicates: int, seed: int) -> pd.DataFrame:
    """Return the metrics of every attribute of a table that has more than two groups and a column in the predictions.

    Gaps are the largest minus the smallest rate of all groups, as in fairlearn, with percentile bootstrap intervals
    over rows; where a group has no row (or, for a rate of one label, none of that label) a gap is NaN.

    Args:
        run: predictions of one run: y_true, y_pred and columns of group codes.
        table: which the run is of.

    Returns:
        Columns attribute, subgroup, metric, value, ci_low, ci_high, interval, n; no rows if there is no such attribute.
    """
    frames = []
    for name, attribute in table.attributes.items():
        words = attribute.words
        if name not in run or len(words) < 3:
            continue
        counts = count_table(run["y_true"], run["y_pred"], run[name], sizes=[len(words)])
        codes = {word: code for code, word in enumerate(words)}
        rates = {rate: RATES[rate] for rate in SHOWN}
        found = bootstrap_metrics(counts, codes, replicates, seed, rates, attribute=name)
        samples, rows = bootstrap_counts(counts, replicates, seed), []
        for metric in GAPS:
            value = float(FAIRNESS[metric](counts))
            low, high = map(float, percentile_interval(FAIRNESS[metric](samples)))
            known = not np.isnan([value, low, high]).any()
            low, high, kind = (low, high, BOOTSTRAP) if known else (np.nan, np.nan, None)
            rows.append((name, "all", metric, value, low, high, kind, len(run)))
        frames += [found[found["subgroup"] != "all"], pd.DataFrame(rows, columns=MEASURED)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=MEASURED)
