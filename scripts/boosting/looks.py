"""How the arms are drawn and called, and what the figures say of their data."""

import pandas as pd

from scripts.boosting import names
from scripts.boosting.measures import ADDITIVE, COMBINATIONS, WORST
from scripts.common import figures
from scripts.common.errors import UserError

FAMILIES = {  # beginning of an arm's name: colour, marker, words
    names.ADABOOST: (figures.GREY, "o", "boosting without fairness"),
    names.SKLEARN: (figures.GREY, "o", "boosting without fairness"),
    names.XGBOOST: (figures.GREY, "o", "boosting without fairness"),
    "AdaFair": (figures.BLUE, "s", "AdaFair"),
    "MFBPP": (figures.GREEN, "D", "MFBPP"),
    "fair xgboost": (figures.VERMILION, "^", "fair gradient boosting"),
    names.REDUCTIONS: (figures.PURPLE, "X", "fairlearn"),
    names.THRESHOLDS: (figures.PURPLE, "X", "fairlearn"),
}
MEASURES_ONE = {  # (metric, subgroup): words
    ("balanced_accuracy", "all"): "balanced accuracy",
    ("SP", WORST): "SP gap",
    ("EOpp", WORST): "EOpp gap",
    ("EOdds_sum", WORST): "equalized odds, sum",
    ("EOdds_max", WORST): "equalized odds, max",
}
MEASURES_SEVERAL = {
    ("balanced_accuracy", "all"): "balanced accuracy",
    ("EOdds_max", WORST): "worst attribute (MMM:\nequalized odds, max)",
    ("EOdds_max", ADDITIVE): "sum over attributes\n(equalized odds, max)",
    ("intersectional_TPR", COMBINATIONS): "intersectional TPR range",
    ("intersectional_SP", COMBINATIONS): "intersectional SP range",
    ("differential_fairness", COMBINATIONS): "differential fairness ε",
    ("subgroup_fairness_SP", COMBINATIONS): "subgroup fairness (SP)",
}
KEYS = ["dataset", "attributes", "protocol", "method"]


def family(method: str) -> tuple[str, str, str]:
    """Return colour, marker and words of an arm; the longest beginning of its name counts."""
    fitting = [start for start in FAMILIES if method.startswith(start)]
    return FAMILIES[max(fitting, key=len)]


def label(protocol: str, method: str, both: bool) -> str:
    """Return an arm's name as figures and tables write it; the protocol where an arm has both."""
    return f"{method} ({protocol.replace('_', ' ')})" if both else method


def labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `arm`, the name to show."""
    found = rows.groupby("method")["protocol"].transform("nunique").gt(1)
    words = [label(*own) for own in zip(rows["protocol"], rows["method"], found, strict=True)]
    return rows.assign(arm=words)


def is_single(attributes: pd.Series) -> pd.Series:
    """Return which rows are about one attribute."""
    return ~attributes.str.contains(",")


def of_measure(summary: pd.DataFrame, metric: str, subgroup: str, quantity: str = "value") -> pd.DataFrame:
    """Return the rows of one metric of `summary.parquet`; maybe none."""
    return summary[(summary.metric == metric) & (summary.subgroup == subgroup) & (summary.quantity == quantity)]


def need(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return the rows.

    Raises:
        UserError: there are none.
    """
    if rows.empty:
        raise UserError(f"no rows of {what} in the results of boosting; delete results/boosting/*.parquet and rerun")
    return rows


def cells(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return (data set, attributes) in the order of the file."""
    return list(dict.fromkeys(zip(frame["dataset"], frame["attributes"], strict=True)))


def data_note(facts: pd.DataFrame, shown: list[tuple[str, str]], seeds: int) -> str:
    """Say what a figure's numbers rest on: data sets with rows and groups, splits, kind of interval."""
    parts = []
    for own in facts.itertuples():
        if (own.dataset, own.attributes) in shown:
            subset = "" if own.subset == "all rows" else f" ({own.subset})"
            protected = own.group_0.replace("; ", " and ")
            parts.append(f"{own.dataset}{subset}: {own.test_rows:,} test rows, protected {protected}")
    kind = "95 % t intervals over splits, corrected for the rows that splits share; gaps are taken per split"
    return "; ".join([*parts, f"mean of {seeds} splits", kind]) + "."
