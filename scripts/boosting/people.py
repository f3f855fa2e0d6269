"""The people of a data set as this study sees them: features, labels, one or several attributes, and splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.model_selection import train_test_split

from scripts.boosting.fair import Rows
from scripts.boosting.stumps import Columns
from scripts.common.errors import UserError
from scripts.common.seeds import seed_from
from scripts.common.tabular import Table, encode, groups, require, table_of


@dataclass(frozen=True)
class Own:
    """An attribute of this study's sources: group 1 where `of` says so; `words` of group 0 (protected) and 1."""

    of: Callable[[pd.DataFrame], pd.Series]
    words: tuple[str, str]
    columns: tuple[str, ...]


AGE = Own(
    lambda frame: frame["age"].gt(25) & frame["age"].lt(60), ("25 or younger, or 60 or older", "26 to 59"), ("age",)
)
# As in the loaders of AdaFair and MFBPP. The shared table knows marital status the other way round.
OWN_ATTRIBUTES = {
    ("bank", "marital"): Own(lambda frame: frame["marital"].ne("married"), ("married", "not married"), ("marital",)),
    ("bank", "age"): AGE,
    ("credit", "age"): AGE,
    ("credit", "marriage"): Own(lambda frame: frame["marriage"].ne("1"), ("married", "not married"), ("marriage",)),
}
# The features of AdaFair's loaders, where they are not those of the shared table: education as a category, no
# relationship; COMPAS without juvenile counts and with age in three classes.
FEATURES = {
    "adult": (
        ("age", "capital_gain", "capital_loss", "hours_per_week"),
        ("workclass", "education_num", "marital_status", "occupation", "race", "sex", "native_country"),
    ),
    "compas": (("priors_count",), ("age_cat", "race", "sex", "c_charge_degree")),
}
SUBSETS = {"compas": lambda frame: frame["filtered"] & frame["race"].isin(["African-American", "Caucasian"])}
SUBSET_WORDS = {"compas": "ProPublica's filter, Black and White only"}


@dataclass(frozen=True)
class People:
    """A data set: `y` int8 [n], `groups` int8 [n, attributes] with 0 the protected group, `words` of the groups."""

    table: Table
    frame: pd.DataFrame
    y: np.ndarray
    attributes: tuple[str, ...]
    groups: np.ndarray
    words: dict[str, tuple[str, str]]
    title: str

    def columns(self, rows: np.ndarray) -> Columns:
        """Return the features as codes, fitted on some rows."""
        return Columns.fit(self.frame.iloc[rows], self.table.numeric, self.table.categorical)

    def rows(self, columns: Columns, rows: np.ndarray) -> Rows:
        """Return some rows coded."""
        return Rows(columns.codes(self.frame.iloc[rows]), self.y[rows], self.groups[rows])

    def features(self, rows: np.ndarray) -> tuple[np.ndarray, scipy.sparse.csr_array, list[str]]:
        """Return the features of all rows by the shared encoder, float32 [n, d]: dense, and without what is 0.

        xgboost makes the same trees of both, of the second in half the time. A numeric 0 is kept.

        Returns:
            Dense, sparse, and the d names.
        """
        x, names = encode(self.frame, self.table, rows)
        held = x != 0
        held[:, : len(self.table.numeric)] = True
        place = np.nonzero(held)
        return x, scipy.sparse.csr_array((x[held], place), shape=x.shape), names


def people(frame: pd.DataFrame, name: str, attributes: Sequence[str], most_rows: int | None = None) -> People:
    """Return the checked people of a data set.

    Args:
        frame: as rule `tabular` writes it.
        most_rows: that many rows at most, chosen at random but always the same ones.

    Raises:
        UserError: there is no such data set or attribute, a column is missing, a label is not 0 or 1 or one only, an
            attribute has one value, or a value is missing.
    """
    table = table_of(name)
    if name in FEATURES:
        table = replace(table, numeric=FEATURES[name][0], categorical=FEATURES[name][1])
    require(frame, ["row_id", "y", *table.columns], name)
    if name in SUBSETS:
        require(frame, ["filtered"], name)
        frame = frame[SUBSETS[name](frame)]
    if most_rows is not None and most_rows < len(frame):
        chosen = np.random.default_rng(seed_from("boosting rows", name)).permutation(len(frame))[:most_rows]
        frame = frame.iloc[np.sort(chosen)]
    frame = frame.reset_index(drop=True)
    for column in [*table.columns, "y"]:
        if missing := int(frame[column].isna().sum()):
            raise UserError(f"{name}: {column} is missing in {missing} rows; drop or fill those rows")
    y = check_labels(frame["y"], name)
    found = [group_of(frame, table, attribute) for attribute in attributes]
    title = table.title + (f", at most {most_rows:,} rows" if most_rows is not None else "")
    words = {attribute: own_words for attribute, (_, own_words) in zip(attributes, found, strict=True)}
    return People(table, frame, y, tuple(attributes), np.column_stack([codes for codes, _ in found]), words, title)


def check_labels(labels: pd.Series, name: str) -> np.ndarray:
    """Return the labels, int8 [n].

    Raises:
        UserError: a label is not 0 or 1, or all are the same.
    """
    values = sorted(set(labels))
    if not set(values) <= {0, 1}:
        other = next(value for value in values if value not in (0, 1))
        raise UserError(f"{name}: y holds {other!r}, expected 0 or 1; delete the table and run the workflow")
    if len(values) < 2:
        raise UserError(
            f"{name}: all {len(labels)} rows have the label {values[0] if values else 'none'}; nothing to learn"
        )
    return labels.to_numpy(np.int8)


def group_of(frame: pd.DataFrame, table: Table, attribute: str) -> tuple[np.ndarray, tuple[str, str]]:
    """Return the group of every row, int8 [n], and the words of group 0 and 1.

    Raises:
        UserError: there is no such attribute, or only one group has rows.
    """
    own = OWN_ATTRIBUTES.get((table.name, attribute))
    if own is None:
        return groups(frame, table, attribute), table.attributes[attribute].words
    require(frame, own.columns, table.name)
    codes = own.of(frame).to_numpy(np.int8)
    for code, words in enumerate(own.words):
        if not (codes == code).any():
            raise UserError(f"{table.name}: the group {words!r} of {attribute} has no rows; take more rows")
    return codes, own.words


def split(y: np.ndarray, name: str, train_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of training and test rows; both have the same share of positives.

    Raises:
        UserError: a label has too few rows to stand in both parts.
    """
    state = seed_from("boosting split", name, train_share, seed)
    try:
        train, test = train_test_split(np.arange(len(y)), train_size=train_share, random_state=state, stratify=y)
    except ValueError as error:
        raise UserError(f"{name}: {len(y)} rows cannot be split by label ({error}); take more rows") from error
    return np.sort(train), np.sort(test)


def hold_out(y: np.ndarray, rows: np.ndarray, share: float, *names: object) -> tuple[np.ndarray, np.ndarray]:
    """Return positions to fit on and a held-out share of them, with the same share of positives."""
    kept, held = split(y[rows], " ".join(map(str, ("held out", *names))), 1 - share, 0)
    return rows[kept], rows[held]
