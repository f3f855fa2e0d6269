"""From a table to what a method is fitted on: features, labels as seen, groups, and which rows are which part.

Parts: `train` has the labels under attack, `clean` is the small validation set that FR-Train and RML learn from,
`valid` chooses the knob in the corrected protocol, `test` is reported.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scripts.common.datasets import subset_rows
from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.common.seeds import seed_from, shuffled
from scripts.common.tabular import encode, require, table_of, two_group_name, two_groups
from scripts.frtrain.checks import check_features, check_groups, signed_labels
from scripts.frtrain.crowd import load_crowd, simulated_labels
from scripts.frtrain.poison import poison

FR_TRAIN_ROWS = 1800  # FR-Train's notebooks train on these of the 2,000 training rows; the other methods on all
PUBLISHED_CLEAN = 200
SYNTHETIC_COLUMNS = ("row_id", "split", "x1", "x2", "y", "z", "y_poisoned")


@dataclass(frozen=True)
class Data:
    """What a method sees. n rows in all; parts hold positions."""

    attribute: str  # the name of the group column in predictions; NAME_privileged where the table has more groups
    x: np.ndarray  # float32 [n, d], the group among the features
    y: np.ndarray  # float32 [n], true labels -1/+1
    z: np.ndarray  # float32 [n], groups 0/1
    row_id: np.ndarray
    parts: dict[str, np.ndarray]
    labels: np.ndarray  # float32 [n]: `y` with the training part poisoned and the clean part as labelled

    def part(self, name: str, rows: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return features, labels as seen, and groups of a part, or of its first `rows` rows."""
        where = self.parts[name][:rows]
        return self.x[where], self.labels[where], self.z[where]


def checked(data: Data, names: list[str], title: str) -> Data:
    """Return the data after the checks that every data set must pass.

    Raises:
        UserError: NaN features, other labels than -1/+1 or 0/1, or a group that is empty in some part.
    """
    check_features(data.x, names, title)
    signed_labels(data.y, title)
    for name in ("train", "valid", "test"):
        check_groups(data.z[data.parts[name]], f"{title}, part {name}")
    return data


def synthetic_data(
    table: pd.DataFrame,
    rate: float,
    rule: str = "targeted",
    clean_rows: int = PUBLISHED_CLEAN,
    seed: int = 0,
) -> Data:
    """Return the synthetic data with a share of its training labels flipped.

    Args:
        table: as written by rule `frtrain_synthetic`.
        rate, rule: see poison.py; 0.1 "targeted" is the published poisoning.
        clean_rows: size of the validation set; beyond the published 200 rows, unused ones follow.
        seed: of rule "random".

    Raises:
        UserError: a column is missing, a value is not what it must be, or there are too few rows.
    """
    require(table, SYNTHETIC_COLUMNS, "synthetic data")
    x = table[["x1", "x2", "z"]].to_numpy(np.float32)
    y, z = signed_labels(table["y"], "synthetic data"), table["z"].to_numpy(np.float32)
    where = {name: np.flatnonzero(table["split"] == name) for name in ("train", "clean", "valid", "test", "unused")}
    pool = np.concatenate([where["clean"], where.pop("unused")])
    if clean_rows > len(pool):
        raise UserError(f"frtrain: a validation set of {clean_rows} rows is asked for, there are {len(pool)}")
    train = where["train"]
    check_features(x, ["x1", "x2", "z"], "synthetic data")
    labels = y.copy()
    labels[train] = poison(x[train], y[train], z[train], rate, rule=rule, seed=seed_from("frtrain poison", seed))
    data = Data("z", x, y, z, table["row_id"].to_numpy(), where | {"clean": pool[:clean_rows]}, labels)
    return checked(data, ["x1", "x2", "z"], "synthetic data")


@dataclass(frozen=True)
class RealSettings:
    """How a real table is cut and poisoned."""

    table: str
    attribute: str
    subset: str  # a bool column of the table, or "all"
    train_rows: int | None  # at most; None takes all
    test_share: float
    valid_share: float
    clean_share: float  # of the rows for training
    rarest: float
    rate: float
    target_group: int
    crowd: str  # path of a published crowd file; empty simulates one


def real_data(frame: pd.DataFrame, settings: RealSettings, poisoned: bool, crowd: bool, seed: int) -> Data:
    """Return a real data set, split anew by each seed, poisoned by the rule of the synthetic data.

    Args:
        frame: as written by rule `tabular`.
        poisoned: whether training labels are flipped.
        crowd: whether the clean part has labels of a crowd in place of the true ones.

    Raises:
        UserError: a column is missing, the subset is unknown, a group is empty, or the rate does not fit.
    """
    table = table_of(settings.table)
    if settings.subset != "all":
        frame = subset_rows(frame, table, settings.subset).reset_index(drop=True)
    require(frame, ["row_id", "y"], table.name)
    y = signed_labels(frame["y"], table.name)
    z = two_groups(frame, table, settings.attribute).astype(np.float32)
    if (name := two_group_name(table, settings.attribute)) != settings.attribute:
        words = " and ".join(table.attributes[settings.attribute].two_words)
        log.warning("%s: the methods know two groups of %s: %s", table.name, settings.attribute, words)
    order = shuffled(len(frame), "frtrain split", table.name, seed)
    labelled = load_crowd(settings.crowd, frame, table.name) if settings.crowd else None
    if labelled is not None:  # the crowd's rows are the clean part, under both kinds of labels
        order = order[~np.isin(order, labelled["position"])]
    test, valid = (round(share * len(frame)) for share in (settings.test_share, settings.valid_share))
    left = order[test + valid :]
    train_rows = min(settings.train_rows or len(left), len(left))
    count = round(settings.clean_share * train_rows)
    clean = labelled["position"].to_numpy() if labelled is not None else left[:count]
    train = left[0 if labelled is not None else count :][:train_rows]
    x, names = encode(frame, table, train, settings.rarest)
    labels = y.copy()
    if poisoned:
        labels[train] = poison(x[train], y[train], z[train], settings.rate, group=settings.target_group)
    if crowd and labelled is not None:
        labels[clean] = labelled["label"]
    elif crowd:
        labels[clean] = simulated_labels(y[clean], table.name, seed_from("frtrain crowd", table.name, seed))
    parts = {"train": train, "clean": clean, "valid": order[test : test + valid], "test": order[:test]}
    data = Data(name, x, y, z, frame["row_id"].to_numpy(), parts, labels)
    return checked(data, names, table.title)
