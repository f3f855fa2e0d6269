"""Rows of a tabular data set: subsets, subsamples and orders to split by, all drawn by names.

Each study passes names of its own as seeds, so that an edit of one moves no split of another. Splits that keep the
shares of labels need scikit-learn and stand in stratified.py.
"""

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.seeds import shuffled
from scripts.common.tabular import Table, require


def subset_rows(frame: pd.DataFrame, table: Table, subset: str) -> pd.DataFrame:
    """Return the rows of a subset of a table, with their index; "all" are all.

    Raises:
        UserError: the table has no such subset, or the column that marks it is missing.
    """
    if subset == "all":
        return frame
    if subset in table.subsets:
        require(frame, [*table.subsets[subset]], table.name)
        return frame[np.logical_and.reduce([held.hold(frame[name]) for name, held in table.subsets[subset].items()])]
    require(frame, [subset], table.name)
    return frame[frame[subset]]


def sample_rows(frame: pd.DataFrame, most: int | None, *names: object) -> pd.DataFrame:
    """Return at most this many rows in their order, with their index, chosen at random but always the same ones.

    Args:
        names: what the choice is seeded by.
    """
    if most is None or most >= len(frame):
        return frame
    return frame.iloc[np.sort(shuffled(len(frame), *names)[:most])]


def check_complete(frame: pd.DataFrame, table: Table) -> None:
    """Check that a table has its features and labels, none of them missing.

    Raises:
        UserError: names a column that is missing or has gaps.
    """
    require(frame, ["row_id", "y", *table.columns], table.name)
    for column in [*table.columns, "y"]:
        if missing := int(frame[column].isna().sum()):
            raise UserError(f"{table.name}: {column} is missing in {missing} rows; drop or fill those rows")


def check_labels(labels: pd.Series, name: str) -> np.ndarray:
    """Return the labels, int8 [n].

    Raises:
        UserError: one is not 0 or 1, or all are the same.
    """
    values = sorted(set(labels))
    if unknown := [value for value in values if value not in (0, 1)]:
        raise UserError(f"{name}: y holds {unknown[0]!r}, expected 0 or 1; delete the table and run the workflow")
    if len(values) < 2:
        told = values[0] if values else "none"
        raise UserError(f"{name}: all {len(labels)} rows have the label {told}; nothing to learn")
    return labels.to_numpy(np.int8)
