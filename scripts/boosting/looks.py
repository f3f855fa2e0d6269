"""How the arms are drawn and called, and what the figures say of their data."""

import pandas as pd

from scripts.boosting import names, notions
from scripts.boosting.measures import ADDITIVE, WORST, combined
from scripts.common import colours
from scripts.common.errors import UserError
from scripts.common.interval_kinds import in_words
from scripts.common.schemas.metrics import EVERYONE, NO_ATTRIBUTE

FAMILIES = {  # beginning of an arm's name: colour, marker, words
    names.ADABOOST: (colours.GREY, "o", "boosting without fairness"),
    names.SKLEARN: (colours.GREY, "o", "boosting without fairness"),
    names.XGBOOST: (colours.GREY, "o", "boosting without fairness"),
    "AdaFair": (colours.BLUE, "s", "AdaFair"),
    "MFBPP": (colours.GREEN, "D", "MFBPP"),
    "fair xgboost": (colours.VERMILION, "^", "fair gradient boosting"),
    names.REDUCTIONS: (colours.PURPLE, "X", "fairlearn"),
    names.THRESHOLDS: (colours.PURPLE, "X", "fairlearn"),
}
COMBINATIONS = "combinations"  # stands for the attribute "sex x race", whatever attributes a cell has
MEASURES_ONE = {  # (metric, attribute): words
    ("balanced_accuracy", NO_ATTRIBUTE): "balanced accuracy",
    (notions.PARITY, WORST): "demographic parity\ndifference",
    (notions.OPPORTUNITY, WORST): "equal opportunity\ndifference",
    (notions.ODDS_SUM, WORST): "equalized odds, sum",
    (notions.ODDS, WORST): "equalized odds, max",
}
MEASURES_SEVERAL = {
    ("balanced_accuracy", NO_ATTRIBUTE): "balanced accuracy",
    (notions.ODDS, WORST): "worst attribute (MMM:\nequalized odds, max)",
    (notions.ODDS, ADDITIVE): "sum over attributes\n(equalized odds, max)",
    (notions.OPPORTUNITY, COMBINATIONS): "combinations:\nequal opportunity",
    (notions.PARITY, COMBINATIONS): "combinations:\ndemographic parity",
    ("differential_fairness", COMBINATIONS): "differential fairness ε",
    (notions.SUBGROUP_PARITY, COMBINATIONS): "subgroup fairness\n(statistical parity)",
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


def attribute_in(attributes: str, attribute: str) -> str:
    """Return what the column `attribute` of a cell holds for the `attribute` of a measure.

    The worst, the sum and the combinations of one attribute are that attribute.
    """
    if attribute == COMBINATIONS:
        return combined(attributes.split(", "))
    return attributes if attribute in (WORST, ADDITIVE) and "," not in attributes else attribute


def of_measure(summary: pd.DataFrame, metric: str, attribute: str) -> pd.DataFrame:
    """Return the rows of one metric of `summary.parquet`, of everybody; maybe none."""
    wanted = summary["attributes"].map(lambda attributes: attribute_in(attributes, attribute))
    own = (summary.metric == metric) & (summary.attribute == wanted) & (summary.subgroup == EVERYONE)
    return summary[own & (summary.condition == "")]


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


def rows_note(facts: pd.DataFrame, shown: list[tuple[str, str]]) -> str:
    """Say which data sets a figure shows, with their rows and groups."""
    parts = []
    for own in facts.itertuples():
        if (own.dataset, own.attributes) in shown:
            subset = "" if own.subset == "all rows" else f" ({own.subset})"
            protected = own.group_0.replace("; ", " and ")
            parts.append(f"{own.dataset}{subset}: {own.test_rows:,} test rows, protected {protected}")
    return "; ".join(parts)


def data_note(facts: pd.DataFrame, shown: list[tuple[str, str]], rows: pd.DataFrame) -> str:
    """Say what a figure's means rest on: data sets with rows and groups, splits, kind of interval.

    Args:
        rows: what is drawn, with seeds and interval.
    """
    kind = f"{in_words(rows['interval'])}; gaps are taken per split"
    return "; ".join([rows_note(facts, shown), f"mean of {int(rows['seeds'].max())} splits", kind]) + "."
