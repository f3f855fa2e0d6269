"""Rule `income_tables`: all arms with all metrics, and what each arm changes on the same rows."""

from pathlib import Path

import pandas as pd

from scripts.common import parquet
from scripts.common.logs import job
from scripts.common.tables import UNDEFINED, format_interval, save_table
from scripts.income.names import PROTOCOLS

KEYS = ["dataset", "protocol", "method"]
ARMS = {  # title: metric and subgroup; 1 and 0 stand for the two groups
    "accuracy": ("accuracy", "all"),
    'demographic parity difference ("Zemel")': ("parity_difference", "all"),
    "disparate impact": ("disparate_impact", "all"),
    "TPR difference": ("tpr", "difference"),
    "FPR difference": ("fpr", "difference"),
    "accepted, group 1": ("acceptance_rate", 1),
    "accepted, group 0": ("acceptance_rate", 0),
    "TPR, group 1": ("tpr", 1),
    "TPR, group 0": ("tpr", 0),
    "FPR, group 1": ("fpr", 1),
    "FPR, group 0": ("fpr", 0),
    "accuracy, group 1": ("accuracy", 1),
    "accuracy, group 0": ("accuracy", 0),
    "calibration error": ("calibration_error", "all"),
    "calibration bias, group 1": ("calibration_bias", 1),
    "calibration bias, group 0": ("calibration_bias", 0),
}
DIFFERENCES = {
    "accuracy": ("accuracy", "all"),
    'demographic parity difference ("Zemel")': ("acceptance_rate", "difference"),
    "TPR difference": ("tpr", "difference"),
    "FPR difference": ("fpr", "difference"),
}


def table_of(summary: pd.DataFrame, quantity: str, columns: dict[str, tuple[str, str | int]]) -> pd.DataFrame:
    """Return one row per data set, protocol and arm, with a column of means and intervals per metric.

    Group 1 is the first named in `groups`. Where nothing was measured, or a value is undefined, stands a dash.
    """
    own = summary[summary.quantity == quantity]
    rows = []
    for (dataset, protocol, method), arm in own.groupby(KEYS, sort=False):
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


def write_tables(summary_path: str, folder: str | Path) -> None:
    """Write `arms` and `differences` (each csv, md, tex) into `folder`."""
    summary = parquet.read(summary_path)
    means = "Means over seeds with 95 % t intervals, corrected for the rows that the splits share"
    said = f"All arms. {means}. Differences are group 1 minus group 0; disparate impact is group 0 over group 1."
    save_table(table_of(summary, "value", ARMS), Path(folder) / "arms", said)
    said = f"What each arm changes: arm minus base model, on the same test rows and seeds. {means}."
    save_table(table_of(summary, "minus base", DIFFERENCES), Path(folder) / "differences", said)


if "snakemake" in globals():
    with job(snakemake):
        write_tables(snakemake.input.summary, Path(snakemake.output[0]).parent)
