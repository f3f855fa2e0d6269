"""All arms with all metrics, and what each arm changes on the same rows."""

from pathlib import Path

import pandas as pd

from scripts.common import parquet
from scripts.common.interval_kinds import in_words
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import EVERYONE
from scripts.common.tables import UNDEFINED, format_interval, save_table
from scripts.income.looks import FPR_GAP, TPR_GAP
from scripts.income.measures import PARITY, RATIO
from scripts.income.names import PROTOCOLS

KEYS = ["dataset", "protocol", "method"]
ARMS = {  # title: metric and subgroup; 1 and 0 stand for the two groups
    "accuracy": ("accuracy", EVERYONE),
    'selection rate difference ("Zemel")': (PARITY, EVERYONE),
    "disparate impact": (RATIO, EVERYONE),
    "TPR difference": (TPR_GAP, EVERYONE),
    "FPR difference": (FPR_GAP, EVERYONE),
    "accepted, group 1": ("selection_rate", 1),
    "accepted, group 0": ("selection_rate", 0),
    "TPR, group 1": ("true_positive_rate", 1),
    "TPR, group 0": ("true_positive_rate", 0),
    "FPR, group 1": ("false_positive_rate", 1),
    "FPR, group 0": ("false_positive_rate", 0),
    "accuracy, group 1": ("accuracy", 1),
    "accuracy, group 0": ("accuracy", 0),
    "calibration error": ("calibration_error", EVERYONE),
    "calibration bias, group 1": ("calibration_bias", 1),
    "calibration bias, group 0": ("calibration_bias", 0),
}
DIFFERENCES = {
    "accuracy": ("accuracy", EVERYONE),
    'selection rate difference ("Zemel")': (PARITY, EVERYONE),
    "TPR difference": (TPR_GAP, EVERYONE),
    "FPR difference": (FPR_GAP, EVERYONE),
}


def table_of(summary: pd.DataFrame, columns: dict[str, tuple[str, str | int]]) -> pd.DataFrame:
    """Return one row per data set, protocol and arm, with a column of means and intervals per metric.

    Group 1 is the first named in `groups`. Where nothing was measured, or a value is undefined, stands a dash.
    """
    rows = []
    for (dataset, protocol, method), arm in summary.groupby(KEYS, sort=False):
        groups = arm.groups.iloc[0]
        words = dict(zip((1, 0), groups.split(" minus "), strict=True))
        values = arm.set_index(["metric", "subgroup"])[["value", "ci_low", "ci_high"]]
        row = {"data": dataset, "groups 1 and 0": groups.replace(" minus ", ", "), "protocol": PROTOCOLS[protocol]}
        row |= {"arm": method, "seeds": int(arm.seeds.max())}
        for title, (metric, subgroup) in columns.items():
            key = (metric, words.get(subgroup, subgroup))
            row[title] = format_interval(*values.loc[key]) if key in values.index else UNDEFINED
        rows.append(row)
    return pd.DataFrame(rows)


def write_tables(summary_path: str, comparisons_path: str, folder: str | Path) -> None:
    """Write `arms` and `differences` (each csv, md, tex) into `folder`."""
    summary, compared = parquet.read(summary_path), parquet.read(comparisons_path, COMPARISONS)
    means = f"Means over seeds with {in_words(summary.interval)}"
    said = f"All arms. {means}. Differences are group 1 minus group 0; disparate impact is group 0 over group 1."
    save_table(table_of(summary, ARMS), Path(folder) / "arms", said)
    said = f"What each arm changes: arm minus base model, on the same test rows and seeds. {means}."
    own = compared[compared.paired_by == "splits"].rename(columns={"first": "method"})
    save_table(table_of(own, DIFFERENCES), Path(folder) / "differences", said)
