"""How the arms of the study are drawn, and what its figures say of their data."""

import pandas as pd

from scripts.common import figures
from scripts.common.data_notes import span
from scripts.common.errors import UserError
from scripts.income import names

ARMS = {  # colour, marker
    names.LABELS: (figures.BLACK, "*"),
    names.BASE: (figures.GREY, "o"),
    names.BLIND: (figures.SKY, "v"),
    names.REWEIGHING: (figures.GREEN, "D"),
    names.MASSAGING: (figures.BLUE, "s"),
    names.LABEL_MASSAGING: (figures.BLUE, "P"),
    names.BLIND_MASSAGING: (figures.SKY, "s"),
    names.THRESHOLDS: (figures.ORANGE, "^"),
    names.GRADIENT: (figures.PURPLE, "X"),
    names.UNTOUCHED: (figures.VERMILION, "s"),
    names.WORKING: (figures.BLUE, "p"),
    names.WORKING_UNTOUCHED: (figures.VERMILION, "p"),
}
METRICS = {  # metric and subgroup: words, fair value
    ("accuracy", "all"): ("accuracy", None),
    ("parity_difference", "all"): ('demographic parity difference ("Zemel")', 0.0),
    ("disparate_impact", "all"): ("disparate impact", 1.0),
    ("tpr", "difference"): ("true-positive rates, difference", 0.0),
    ("fpr", "difference"): ("false-positive rates, difference", 0.0),
    ("calibration_error", "all"): ("calibration error", 0.0),
}


def of_metric(summary: pd.DataFrame, metric: str, subgroup: str = "all", quantity: str = "value") -> pd.DataFrame:
    """Return the rows of one metric of `summary.parquet`.

    Raises:
        UserError: there are none.
    """
    rows = summary[
        (summary.metric == metric) & (summary.subgroup == subgroup) & (summary.quantity == quantity)
    ].reset_index(drop=True)
    if rows.empty:
        raise UserError(
            f"summary: no rows of {metric!r} for {subgroup!r}; delete results/income/summary.parquet and rerun"
        )
    return rows


def data_note(rows: pd.DataFrame) -> str:
    """Say what a figure's numbers rest on: data sets with their test rows, seeds, kind of interval."""
    parts = [
        f"{dataset}: {span(int(own.n.min()), int(own.n.max()))} test rows"
        for dataset, own in rows.groupby("dataset", sort=False)
    ]
    seeds = span(int(rows.seeds.min()), int(rows.seeds.max()))
    many = "seed" if rows.seeds.max() == 1 else "seeds"
    kind = "95 % t intervals over seeds, corrected for the rows that the splits share"
    signs = rows.groupby("groups", sort=False)["dataset"].unique()
    signs = "; ".join(f"{groups} in {' and '.join(datasets)}" for groups, datasets in signs.items())
    return "; ".join([*parts, f"mean of {seeds} {many}", kind]) + f". Differences are {signs}."
