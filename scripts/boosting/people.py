"""The people of a data set as this study sees them: features, labels, one or several attributes, and splits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy.sparse

from scripts.boosting.fair import Rows
from scripts.boosting.stumps import Columns
from scripts.common.datasets import check_complete, check_labels, sample_rows, subset_rows
from scripts.common.logs import log
from scripts.common.protected import Attribute, Values
from scripts.common.stratified import stratified_split
from scripts.common.tabular import Table, attribute_of, encode, group_codes, require, table_of

# As in the loaders of AdaFair and MFBPP. The shared table knows marital status the other way round.
OTHERS = Values()
OWN_ATTRIBUTES = {
    ("bank", "marital"): Attribute("marital", (("married", Values(("married",))), ("not married", OTHERS))),
    ("bank", "age"): Attribute(
        "age",
        (("25 or younger, or 60 or older", OTHERS), ("26 to 59", Values(limits=(("above", 25), ("below", 60))))),
    ),
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
SUBSETS = {"compas": "black_and_white"}
SUBSET_WORDS = {"compas": "ProPublica's filter, Black and White only"}


@dataclass(frozen=True)
class People:
    """A data set: `y` int8 [n], `groups` int8 [n, attributes] with 0 the protected group, `words` of the groups.

    The boosters know two groups. An attribute with more is in `attributes` and `groups` by its two-group form, the
    privileged group against all others, and by its own name in `every`, int8 [n] with all groups.
    """

    table: Table
    frame: pd.DataFrame
    y: np.ndarray
    attributes: tuple[str, ...]
    groups: np.ndarray
    words: dict[str, tuple[str, str]]
    title: str
    every: dict[str, np.ndarray]

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
    frame = subset_rows(frame, table, SUBSETS.get(name, "all"))
    frame = sample_rows(frame, most_rows, "boosting rows", name).reset_index(drop=True)
    check_complete(frame, table)
    y = check_labels(frame["y"], name)
    found, words, every = {}, {}, {}
    for attribute in attributes:
        codes, protected = group_of(frame, table, attribute)
        two = attribute
        if len(protected.groups) > 2:
            two = f"{attribute}_privileged"
            every[attribute] = codes
            log.warning("%s: boosters know two groups of %s: %s", name, attribute, " and ".join(protected.two_words))
        found[two] = (codes == len(protected.groups) - 1).astype(np.int8)
        words[two] = protected.two_words
    title = table.title + (f", at most {most_rows:,} rows" if most_rows is not None else "")
    return People(table, frame, y, tuple(found), np.column_stack([*found.values()]), words, title, every)


def group_of(frame: pd.DataFrame, table: Table, attribute: str) -> tuple[np.ndarray, Attribute]:
    """Return the group of every row, int8 [n], 0 to k - 1 with the privileged group last, and what defines them.

    Raises:
        UserError: there is no such attribute, or a group has no rows.
    """
    protected = OWN_ATTRIBUTES.get((table.name, attribute)) or attribute_of(table, attribute)
    return group_codes(frame, table.name, attribute, protected), protected


def split(y: np.ndarray, name: str, train_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of training and test rows; both have the same share of positives.

    Raises:
        UserError: a label has too few rows to stand in both parts.
    """
    return stratified_split(y, name, train_share, "boosting split", name, train_share, seed)


def hold_out(y: np.ndarray, rows: np.ndarray, share: float, *names: object) -> tuple[np.ndarray, np.ndarray]:
    """Return positions to fit on and a held-out share of them, with the same share of positives."""
    kept, held = split(y[rows], " ".join(map(str, ("held out", *names))), 1 - share, 0)
    return rows[kept], rows[held]
