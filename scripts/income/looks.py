"""How the arms of the study are drawn, and what its figures say of their data."""

import pandas as pd

from scripts.common import colours
from scripts.common.data_notes import span
from scripts.common.errors import UserError
from scripts.common.interval_kinds import in_words
from scripts.common.metrics import signed
from scripts.common.schemas.metrics import EVERYONE
from scripts.income import names
from scripts.income.measures import PARITY, RATIO

ARMS = {  # colour, marker
    names.LABELS: (colours.BLACK, "*"),
    names.BASE: (colours.GREY, "o"),
    names.BLIND: (colours.SKY, "v"),
    names.REWEIGHING: (colours.GREEN, "D"),
    names.MASSAGING: (colours.BLUE, "s"),
    names.LABEL_MASSAGING: (colours.BLUE, "P"),
    names.BLIND_MASSAGING: (colours.SKY, "s"),
    names.THRESHOLDS: (colours.ORANGE, "^"),
    names.GRADIENT: (colours.PURPLE, "X"),
    names.UNTOUCHED: (colours.VERMILION, "s"),
    names.WORKING: (colours.BLUE, "p"),
    names.WORKING_UNTOUCHED: (colours.VERMILION, "p"),
}
TPR_GAP, FPR_GAP = signed("true_positive_rate"), signed("false_positive_rate")
METRICS = {  # of everybody: words, fair value
    "accuracy": ("accuracy", None),
    PARITY: ('selection rates, difference ("Zemel")', 0.0),
    RATIO: ("disparate impact", 1.0),
    TPR_GAP: ("true-positive rates, difference", 0.0),
    FPR_GAP: ("false-positive rates, difference", 0.0),
    "calibration_error": ("calibration error", 0.0),
}


def of_metric(summary: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the rows of one metric of `summary.parquet`, of everybody.

    Raises:
        UserError: there are none.
    """
    rows = summary[(summary.metric == metric) & (summary.subgroup == EVERYONE)].reset_index(drop=True)
    if rows.empty:
        raise UserError(f"summary: no rows of {metric!r}; delete results/income/summary.parquet and rerun")
    return rows


def data_note(rows: pd.DataFrame) -> str:
    """Say what a figure's numbers rest on: data sets with their test rows, seeds, kind of interval."""
    parts = [
        f"{dataset}: {span(int(own.n.min()), int(own.n.max()))} test rows"
        for dataset, own in rows.groupby("dataset", sort=False)
    ]
    seeds = span(int(rows.seeds.min()), int(rows.seeds.max()))
    many = "seed" if rows.seeds.max() == 1 else "seeds"
    kind = in_words(rows.interval)
    signs = rows.groupby("groups", sort=False)["dataset"].unique()
    signs = "; ".join(f"{groups} in {' and '.join(datasets)}" for groups, datasets in signs.items())
    return "; ".join([*parts, f"mean of {seeds} {many}", kind]) + f". Differences are {signs}."
