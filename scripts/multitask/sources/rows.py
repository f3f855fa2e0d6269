"""Splits, subsamples and feature numbers of people, as all sources make them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from scripts.common import tabular
from scripts.common.errors import UserError
from scripts.common.seeds import shuffled
from scripts.common.tabular import Table
from scripts.multitask.people import SPLITS

TEST = 0.3  # of all rows
VALID = 1 / 3  # of the rows that are left
TRAIN_CODE, VALID_CODE, TEST_CODE = range(3)


def with_validation(rows: int, *names: object) -> np.ndarray:
    """Return the split of rows that are no test rows, int8 [rows]: one third, drawn by the names, is validation."""
    split = np.full(rows, TRAIN_CODE, np.int8)
    split[shuffled(rows, "multitask", "valid", *names)[: round(rows * VALID)]] = VALID_CODE
    return split


def drawn(rows: int, *names: object) -> np.ndarray:
    """Return a split drawn by the names, int8 [rows]: .3 test, and one third of the rest validation."""
    split = np.full(rows, TEST_CODE, np.int8)
    others = np.sort(shuffled(rows, "multitask", "test", *names)[round(rows * TEST) :])
    split[others] = with_validation(len(others), *names)
    return split


def fewer(split: np.ndarray, most_rows: int | Mapping[str, int | None] | None, *names: object) -> np.ndarray:
    """Return the positions of the rows to take, sorted, int64.

    Args:
        split: of all rows, int8 [n].
        most_rows: None for all; a number of rows in all, shared among the splits as they are; or a number for each
            split by its name, where a split that is left out or None is taken whole.
        names: what the choice is seeded by; more rows contain fewer.
    """
    sizes = np.bincount(split, minlength=len(SPLITS))
    if most_rows is None:
        wanted = sizes
    elif isinstance(most_rows, Mapping):
        limits = [most_rows.get(name) for name in SPLITS]
        wanted = [size if limit is None else min(limit, size) for size, limit in zip(sizes, limits, strict=True)]
    else:
        ends = np.rint(np.cumsum([0, *sizes]) / max(len(split), 1) * min(most_rows, len(split)))
        wanted = np.diff(ends).astype(np.int64)
    taken = []
    for code, (size, count) in enumerate(zip(sizes, wanted, strict=True)):
        rows = np.flatnonzero(split == code)
        taken.append(rows if count == size else rows[shuffled(size, "multitask", "rows", SPLITS[code], *names)[:count]])
    return np.sort(np.concatenate(taken))


def title_of(title: str, taken: np.ndarray, split: np.ndarray) -> str:
    """Return a title that says how many training rows there are, if the rows `taken` are not all of `split`."""
    train = int((split[taken] == TRAIN_CODE).sum())
    return title if len(taken) == len(split) else f"{title}, {train:,} training rows"


def encode(
    frame: pd.DataFrame,
    numeric: Sequence[str],
    categorical: Sequence[str],
    split: np.ndarray,
    where: str,
    rarest: float = 0.0,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return features, float32 [n, d], and their names: standardised or one-hot by the training rows alone.

    Args:
        where: the place of the dataset in the config, for messages.
        rarest: categories of a smaller fraction of the training rows are merged.

    Raises:
        UserError: there is no feature, no training row, a column is missing, or a value is missing or no number.
    """
    columns = [*numeric, *categorical]
    if not columns:
        raise UserError(f"{where}: no feature is left; drop fewer, or make tasks of fewer columns")
    train = np.flatnonzero(split == TRAIN_CODE)
    if not len(train):
        raise UserError(f"{where}: there is no training row; raise most_rows")
    tabular.require(frame, columns, where)
    if gaps := [name for name in columns if frame[name].isna().any()]:
        raise UserError(
            f"{where}: the feature {gaps[0]} is missing in {frame[gaps[0]].isna().sum()} rows; drop it, or those rows"
        )
    table = Table(where, where, "", True, {}, "", tuple(numeric), tuple(categorical), {}, {})
    features, names = tabular.encode(frame, table, train, rarest)
    return features, tuple(names)


def standardised(values: np.ndarray, split: np.ndarray) -> np.ndarray:
    """Return numbers with mean 0 and deviation 1 in the training rows, float32 [n, d]; a constant becomes 0."""
    train = values[split == TRAIN_CODE]
    spread = train.std(axis=0)
    return ((values - train.mean(axis=0)) / np.where(spread > 0, spread, np.inf)).astype(np.float32)
