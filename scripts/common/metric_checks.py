"""Checks of the vocabulary when a frame of metrics or comparisons is written: ids, conditions, kinds of interval."""

import pandas as pd

from scripts.common.conditions import parameters_of
from scripts.common.interval_kinds import KINDS
from scripts.common.metric_registry import registry


def check_vocabulary(frame: pd.DataFrame, where: object) -> None:
    """Check the columns metric, attribute, subgroup, condition and interval.

    Raises:
        ValueError: a metric or kind of interval is not registered, a condition is malformed, or bounds and kind of an
            interval do not go together.
    """
    if unknown := sorted(set(frame["metric"]) - set(registry())):
        raise ValueError(f"{where}: metrics that scripts/common/metrics.yaml lacks: {unknown}")
    if unknown := sorted(set(frame["interval"].dropna()) - set(KINDS)):
        raise ValueError(f"{where}: kinds of interval that scripts/common/interval_kinds.py lacks: {unknown}")
    for column in ("attribute", "subgroup", "condition"):
        if frame[column].isna().any():
            raise ValueError(f"{where}: {column} is missing in {int(frame[column].isna().sum())} rows")
    for text in frame["condition"].unique():
        try:
            parameters_of(text)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    bounded = frame["ci_low"].notna() | frame["ci_high"].notna()
    unnamed = frame[bounded & frame["interval"].isna()]
    if len(unnamed):
        raise ValueError(f"{where}: {unnamed['metric'].iloc[0]} has an interval of no named kind")
