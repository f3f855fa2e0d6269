"""Predictions files of any study: which carry a sensitive attribute, and whether they can be audited.

Beside the columns of `PREDICTIONS` a file may hold
    an int8 column per attribute    codes 0 .. k - 1 of the sensitive attributes that the file lists (whether one was
                                    also a feature of the model is for the study to say)
    `probability` float             P(label 1) of a model that draws its label; null where it does not draw
    `score_NAME` float              a further number that the model exposes per person
    `vector_NAME` float             one component of a vector that it exposes
    `task`, `score_0` .. float      several outputs per person, K > 2 classes: see schemas/predictions.py
Null in a whole run means that the run does not expose it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.schemas.predictions import PREDICTIONS, attributes_of, class_scores, groups_of

AGAIN = "delete the file and rerun its study"


@dataclass(frozen=True)
class Predictions:
    """A checked predictions file: its rows and what of them is an attribute, with its number of groups."""

    study: str
    path: str
    frame: pd.DataFrame
    groups: dict[str, int]  # attribute -> k
    names: dict[str, list[str]]  # attribute -> names of its groups, where the file has them


def read_predictions(path: str | Path) -> Predictions | None:
    """Read and check a predictions file `results/STUDY/predictions/...`; None if it lists no sensitive attribute.

    Raises:
        UserError: the file does not list its attributes, a column is missing, a row occurs twice or in two splits, a
            group is absent, an attribute has one value, or a number is none or no probability.
    """
    frame = parquet.read(path, PREDICTIONS)
    attributes = attributes_of(path)
    if not attributes:
        return None
    check_rows(frame, path)
    check_numbers(frame, path)
    groups = {name: count_groups(frame[name].dropna(), name, path) for name in attributes}
    study = Path(path).parts[Path(path).parts.index("predictions") - 1]
    return Predictions(study, str(path), frame, groups, groups_of(path))


def check_rows(frame: pd.DataFrame, path: str | Path) -> None:
    """Check that every row of a run occurs once.

    Raises:
        UserError: a row id is missing, occurs twice in a split, or stands in two splits.
    """
    if frame.empty:
        raise UserError(f"{path}: holds no rows; {AGAIN}")
    keys = ["run", *(["task"] if "task" in frame else []), "row_id"]
    twice = frame.duplicated(keys)
    if twice.any():
        first = frame[twice].iloc[0]
        splits = frame.loc[(frame[keys] == first[keys]).all(axis=1), "split"].unique()
        where = f"the splits {' and '.join(splits)}" if len(splits) > 1 else f"the split {splits[0]}"
        raise UserError(
            f"{path}: {int(twice.sum())} duplicate row ids, first {first['row_id']} of run {first['run']} in {where}; "
            f"an attack would be judged on people it has seen; {AGAIN}"
        )


def check_numbers(frame: pd.DataFrame, path: str | Path) -> None:
    """Check scores and probabilities.

    Raises:
        UserError: a score is nan, a label negative or a class without a score, or a probability outside [0, 1].
    """
    try:
        wide = class_scores(frame.columns)
    except ValueError as error:
        raise UserError(f"{path}: {error}; {AGAIN}") from error
    classes = frame[wide].notna().sum(axis=1)
    if (missing := frame["score"].isna() & (classes < 3)).any():
        raise UserError(f"{path}: {int(missing.sum())} scores are no numbers; {AGAIN}")
    beyond = (classes > 0) & (frame[["y_true", "y_pred"]].max(axis=1) >= classes)
    if beyond.any():
        raise UserError(f"{path}: {int(beyond.sum())} labels are classes that have no score; {AGAIN}")
    if (frame[["y_true", "y_pred"]] < 0).any(axis=None):
        raise UserError(f"{path}: a label is negative; labels are 0, 1, ...; {AGAIN}")
    if "probability" in frame:
        values = frame["probability"].dropna()
        outside = values[(values < 0) | (values > 1)]
        if len(outside):
            raise UserError(f"{path}: {len(outside)} probabilities outside [0, 1], first {outside.iloc[0]:g}; {AGAIN}")


def count_groups(codes: pd.Series, name: str, path: str | Path) -> int:
    """Return the number of groups of an attribute.

    Raises:
        UserError: a code is negative, there is one group only, or a group between 0 and the largest has no rows.
    """
    present = np.unique(codes).astype(int)
    if not len(present):
        raise UserError(f"{path}: attribute {name!r} is empty; {AGAIN}")
    if present[0] < 0:
        raise UserError(f"{path}: attribute {name!r} holds {present[0]}; groups are numbered 0, 1, ...; {AGAIN}")
    if len(present) == 1:
        raise UserError(
            f"{path}: attribute {name!r} has the one value {present[0]}; an audit needs two groups; {AGAIN}"
        )
    absent = sorted(set(range(int(present[-1]) + 1)) - set(present.tolist()))
    if absent:
        raise UserError(
            f"{path}: attribute {name!r}: group {absent[0]} is absent; number the groups 0 to k - 1; {AGAIN}"
        )
    return len(present)
