"""Numbers and differences as the tables of the study print them."""

from collections.abc import Iterable

import pandas as pd

from scripts.common.tables import UNDEFINED, format_interval

BOUNDS = ["value", "ci_low", "ci_high"]


def frame_of(rows: Iterable[dict], columns: list[str]) -> pd.DataFrame:
    """Return rows as a table with these columns; missing values are dashes."""
    return pd.DataFrame(list(rows), columns=columns).astype(object).fillna(UNDEFINED)


def number(value: float | None, digits: int = 3) -> str:
    """Return a number as text with thousands; a dash where it is missing."""
    return UNDEFINED if value is None or pd.isna(value) else f"{value:,.{digits}f}"


def significant(value: float | None) -> str:
    """Return a small number with two digits that count: "0.021", "3.1e-05"."""
    return UNDEFINED if value is None or pd.isna(value) else f"{value:.2g}"


def change_of(changes: pd.DataFrame, source: str, first: str, second: str | None) -> str:
    """Return first minus second with its interval, whichever way it was measured; a dash where it was not."""
    for sign, key in ((1, (source, first, second)), (-1, (source, second, first))):
        if key in changes.index:
            value, low, high = (sign * float(changes.loc[key, name]) for name in BOUNDS)
            return format_interval(value, *sorted((low, high)))
    return UNDEFINED
