"""The findings of an audit in sentences, for the top of its page and the terminal."""

import numpy as np
import pandas as pd

from scripts.audits.measures import BY
from scripts.common.tables import format_interval, format_number


def percent(value: float) -> str:
    """Return "12.3 %"."""
    return f"{100 * value:.1f} %"


def largest_gap(metrics: pd.DataFrame) -> pd.Series | None:
    """Return the demographic parity difference of the attribute whose groups surely differ most; None if all are NaN.

    The one with the highest lower end, so that a few rows of a tiny group do not stand in front; the largest if all
    lower ends are 0.
    """
    rows = metrics[(metrics["metric"] == "demographic_parity_difference") & metrics["value"].notna()]
    rows = rows[~rows["attribute"].str.contains(BY, regex=False)]
    return None if rows.empty else rows.sort_values(["ci_low", "value"]).iloc[-1]


def combinations(metrics: pd.DataFrame) -> str:
    """Return the sentence on combinations of attributes; "" if none has a defined difference beyond chance."""
    rows = metrics[(metrics["metric"] == "demographic_parity_difference") & (metrics["ci_low"] > 0)]
    rows = rows[rows["attribute"].str.contains(BY, regex=False)]
    if rows.empty:
        return ""
    row = rows.loc[rows["ci_low"].idxmax()]
    gap = format_interval(row["value"], row["ci_low"], row["ci_high"])
    return f"Over combinations of attributes ({row['attribute']}) it is {gap}."


def selection(metrics: pd.DataFrame) -> str:
    """Return the sentence on selection rates: the groups farthest apart, and whether that is more than chance."""
    row = largest_gap(metrics)
    if row is None:
        return "No attribute has a demographic parity difference that is defined."
    rates = metrics[(metrics["attribute"] == row["attribute"]) & (metrics["metric"] == "selection_rate")]
    high, low = rates.loc[rates["value"].idxmax()], rates.loc[rates["value"].idxmin()]
    gap = format_interval(row["value"], row["ci_low"], row["ci_high"])
    if row["ci_low"] > 0:
        return (
            f"Of {row['attribute']}, {high['subgroup']} are selected in {percent(high['value'])} of cases and "
            f"{low['subgroup']} in {percent(low['value'])}: a demographic parity difference of {gap}."
        )
    return (
        "No attribute shows a difference in selection that exceeds chance: the largest demographic parity difference, "
        f"of {row['attribute']}, is {gap}."
    )


def leakage(leaking: pd.DataFrame) -> str:
    """Return the sentence on what the outputs give away."""
    known = leaking[leaking["attack_ba"].notna()]
    if known.empty:
        return "No attribute has enough rows in two groups to judge what the outputs give away."
    leaks = known[known["verdict"] == "leaks"]
    if leaks.empty:
        return "No attack on these outputs guesses an attribute better than chance, as far as these rows can tell."
    row = leaks.loc[(leaks["attack_ba"] - leaks["chance"]).idxmax()]
    what = {"label": "the predictions", "score": "the scores"}.get(row["exposure"], "the outputs")
    ends = format_interval(row["attack_ba"], row["ba_lo"], row["ba_hi"])
    return (
        f"From {what} alone {row['attribute']} is guessed with a balanced accuracy of {ends}, where guessing blindly "
        f"has {format_number(row['chance'])}."
    )


def comparison(comparisons: pd.DataFrame | None) -> str:
    """Return the sentence on two predictions; "" without a second one."""
    if comparisons is None:
        return ""
    rows = comparisons[comparisons["subgroup"] == "all"].set_index(["attribute", "metric"])
    accuracy = rows.loc[("none", "accuracy")]
    text = f"Against {accuracy['second']!r}, {accuracy['first']!r} {_change(accuracy, 'accuracy')}"
    gaps = rows[rows.index.get_level_values("metric") == "demographic_parity_difference"]
    gaps = gaps[gaps["value"].notna()]
    if gaps.empty:
        return f"{text}."
    row = gaps.loc[gaps["value"].abs().idxmax()]
    return f"{text}, and {_change(row, f'demographic parity difference of {row.name[0]}')}."


def _change(row: pd.Series, what: str) -> str:
    ends = format_interval(row["value"], row["ci_low"], row["ci_high"])
    if row["ci_low"] <= 0 <= row["ci_high"] or np.isnan(row["value"]):
        return f"does not differ beyond chance in {what} ({ends})"
    return f"has a {'higher' if row['value'] > 0 else 'lower'} {what} ({ends})"


def findings(metrics: pd.DataFrame, leaking: pd.DataFrame, comparisons: pd.DataFrame | None) -> list[str]:
    """Return the sentences of an audit, the first one the finding."""
    return [
        text for text in (selection(metrics), combinations(metrics), leakage(leaking), comparison(comparisons)) if text
    ]
