"""Splits of the published protocol, repeated k-fold, and filling of gaps from the training rows of a split."""

from dataclasses import dataclass

import numpy as np

from scripts.common.errors import UserError
from scripts.common.mixed_table import MISSING, MixedTable
from scripts.imbalance.people import People


@dataclass(frozen=True)
class Splitting:
    """Repeated k-fold: `folds` x `repeats` splits, drawn by scikit-learn with `seed`; by cell if `stratify`."""

    folds: int = 3
    repeats: int = 2
    seed: int = 42
    stratify: bool = False

    @property
    def test_by_train(self) -> float:
        """Return test rows / training rows, which corrects intervals over splits that share rows."""
        return 1 / (self.folds - 1)


def splits(people: People, splitting: Splitting) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return positions of training and test rows of every split, as scikit-learn's RepeatedKFold orders them.

    Raises:
        UserError: there are fewer rows than folds, or, by cell, a cell has fewer rows than folds.
    """
    name = people.table.name
    fewest = np.bincount(people.cells).min() if splitting.stratify else len(people.y)
    if fewest < splitting.folds:
        what = "the smallest cell of group and label" if splitting.stratify else "the table"
        raise UserError(f"{name}: {what} has {fewest} rows, fewer than {splitting.folds} folds; take fewer folds")
    return _by_cell(people.cells, splitting) if splitting.stratify else _repeated(len(people.y), splitting)


def _repeated(rows: int, splitting: Splitting) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the splits of scikit-learn's RepeatedKFold, bit for bit; importing it takes longer than a small fit."""
    random, found = np.random.RandomState(splitting.seed), []
    for _ in range(splitting.repeats):
        order = np.arange(rows)
        random.shuffle(order)
        for test in np.array_split(order, splitting.folds):
            held = np.zeros(rows, bool)
            held[test] = True
            found.append((np.flatnonzero(~held), np.flatnonzero(held)))
    return found


def _by_cell(cells: np.ndarray, splitting: Splitting) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import RepeatedStratifiedKFold

    kind = RepeatedStratifiedKFold(n_splits=splitting.folds, n_repeats=splitting.repeats, random_state=splitting.seed)
    return [(np.sort(train), np.sort(test)) for train, test in kind.split(cells, cells)]


def fill_gaps(features: MixedTable, train: np.ndarray) -> MixedTable:
    """Return all rows with gaps filled from the training rows: the median, and the most frequent category.

    A tie goes to the first category in alphabetical order. Test rows are filled with the same values, so no statistic
    of theirs is used.

    Raises:
        UserError: a column has no value in any training row.
    """
    numeric, codes = features.numeric.copy(), features.codes.copy()
    for place, name in enumerate(features.schema.numeric):
        gaps = np.isnan(numeric[:, place])
        if gaps.any():
            values = numeric[train, place]
            values = values[~np.isnan(values)]
            _require_values(values, name)
            middle = np.median(values)
            numeric[gaps, place] = np.floor(middle) if features.schema.whole[place] else middle
    for place, name in enumerate(features.schema.categorical):
        gaps = codes[:, place] == MISSING
        if gaps.any():
            values = codes[train, place]
            values = values[values != MISSING]
            _require_values(values, name)
            codes[gaps, place] = np.bincount(values).argmax()
    return MixedTable(features.schema, numeric, codes)


def lost_categories(features: MixedTable, train: np.ndarray) -> dict[str, list[str]]:
    """Return by column the categories that occur, but in no training row."""
    lost = {}
    for place, name in enumerate(features.schema.categorical):
        kept = set(np.unique(features.codes[train, place]))
        if missing := [word for code, word in enumerate(features.schema.categories[place]) if code not in kept]:
            lost[name] = missing
    return lost


def _require_values(values: np.ndarray, name: str) -> None:
    if not len(values):
        raise UserError(f"{name}: has no value in the training rows of a split; leave the column out")
