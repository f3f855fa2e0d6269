"""Predictions files of any study: which carry a sensitive attribute, and whether they can be audited.

Beside the columns of `PREDICTIONS` a file may hold
    an int8 column per attribute    codes 0 .. k - 1 of the sensitive attributes that the file lists (whether one was
                                    also a feature of the model is for the study to say)
    `probability` float             P(label 1) of a model that draws its label; null where it does not draw
    `score_NAME` float              a further number that the model exposes per person
    `vector_NAME` float             one component of a vector that it exposes
Null in a whole run means that the run does not expose it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.schemas.predictions import PREDICTIONS, attributes_of

AGAIN = "delete the file and rerun its study"


@dataclass(frozen=True)
class Predictions:
    """A checked predictions file: its rows and what of them is an attribute, with its number of groups."""

    study: str
    path: str
    frame: pd.DataFrame
    groups: dict[str, int]  # attribute -> k


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
    return Predictions(study, str(path), frame, groups)


def check_rows(frame: pd.DataFrame, path: str | Path) -> None:
    """Check that every row of a run occurs once.

    Raises:
        UserError: a row id is missing, occurs twice in a split, or stands in two splits.
    """
    if frame.empty:
        raise UserError(f"{path}: holds no rows; {AGAIN}")
    twice = frame.duplicated(["run", "row_id"])
    if twice.any():
        first = frame[twice].iloc[0]
        splits = frame.loc[(frame["run"] == first["run"]) & (frame["row_id"] == first["row_id"]), "split"].unique()
        where = f"the splits {' and '.join(splits)}" if len(splits) > 1 else f"the split {splits[0]}"
        raise UserError(
            f"{path}: {int(twice.sum())} duplicate row ids, first {first['row_id']} of run {first['run']} in {where}; "
            f"an attack would be judged on people it has seen; {AGAIN}"
        )


def check_numbers(frame: pd.DataFrame, path: str | Path) -> None:
    """Check scores and probabilities.

    Raises:
        UserError: a score is nan, a label negative, or a probability outside [0, 1].
    """
    if frame["score"].isna().any():
        raise UserError(f"{path}: {int(frame['score'].isna().sum())} scores are no numbers; {AGAIN}")
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
