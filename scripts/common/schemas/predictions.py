"""Predictions: one row per image or person, with one further int8 column per sensitive attribute.

Which of the further columns are sensitive attributes is said by the file itself: a list under the key `attributes` of
its Parquet metadata, `[]` where there are none. No reader has to guess it from a column's type. Under the key `groups`
it may name the groups of each attribute, in the order of their codes, so that readers print names.

Further columns with a meaning:
    `task` string                    where a run has several outputs per person (multi-task models): each with labels of
                                     its own, so that a row is found by run, task and row_id
    `score_0` .. `score_{K-1}` float the scores of K > 2 classes (log-probabilities or logits); `score` is null there
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.common import parquet
from scripts.common.errors import UserError

text, whole = pa.string(), pa.int64()

PREDICTIONS = pa.schema(
    [
        ("run", text),
        ("row_id", whole),
        ("split", text),
        ("y_true", pa.int8()),  # 0 .. K - 1
        ("y_pred", pa.int8()),
        ("score", pa.float32()),  # log-odds for the positive class of two
    ]
)
ATTRIBUTES = "attributes"  # the key of the list
GROUPS = "groups"  # the key of the groups' names
TASK = "task"


def class_scores(columns: Iterable[str]) -> list[str]:
    """Return the columns of wide class scores, `score_0` first; [] where there are none.

    Raises:
        ValueError: they are not numbered from 0 on, or are fewer than three.
    """
    numbers = sorted(
        int(match[1]) for match in (re.fullmatch(r"score_(0|[1-9]\d*)", name) for name in columns) if match
    )
    if numbers and (numbers != list(range(len(numbers))) or len(numbers) < 3):
        raise ValueError(f"scores of the classes {numbers}; K > 2 classes have score_0 to score_{{K-1}}")
    return [f"score_{number}" for number in numbers]


def write_predictions(
    frame: pd.DataFrame, path: str | Path, attributes: Sequence[str] | Mapping[str, Sequence[str]]
) -> None:
    """Write predictions (schema `PREDICTIONS`, further columns as they are) with the list of their attributes.

    Args:
        attributes: columns of group codes 0 .. k - 1, int8; a run that does not carry one has null there. As a mapping,
            with the names of each attribute's groups in the order of their codes.

    Raises:
        ValueError: the frame breaks the schema, lacks an attribute, holds a code without a name, a null task, or scores
            of classes that do not fit its labels.
        UserError: as `parquet.write`.
    """
    if missing := [name for name in attributes if name not in frame.columns or name in PREDICTIONS.names]:
        raise ValueError(f"{path}: no attributes of the frame: {missing}")
    if TASK in frame and frame[TASK].isna().any():
        raise ValueError(f"{path}: {int(frame[TASK].isna().sum())} rows are of no task")
    _check_classes(frame, path)
    metadata = {ATTRIBUTES: json.dumps(list(attributes))}
    if isinstance(attributes, Mapping):
        for name, groups in attributes.items():
            if (frame[name] >= len(groups)).any() or len(set(groups)) != len(groups):
                raise ValueError(f"{path}: {name} holds the codes 0 .. {frame[name].max()}, its groups are {groups}")
        metadata[GROUPS] = json.dumps({name: list(map(str, groups)) for name, groups in attributes.items()})
    parquet.write(frame, path, PREDICTIONS, metadata=metadata)


def _check_classes(frame: pd.DataFrame, path: str | Path) -> None:
    wide = class_scores(frame.columns)
    if not wide:
        return
    given = frame[wide].notna().to_numpy()
    classes = given.sum(1)
    holes = (given != (range(len(wide)) < classes[:, None])).any(axis=1) | (classes == 1) | (classes == 2)
    if holes.any() or ((classes > 0) & frame["score"].notna()).any():
        raise ValueError(f"{path}: a row has score_0 .. score_{{K-1}} of its K classes, or score; not both")
    if ((classes > 0) & (frame[["y_true", "y_pred"]].max(axis=1).to_numpy() >= classes)).any():
        raise ValueError(f"{path}: a label is a class that has no score")


def groups_of(path: str | Path) -> dict[str, list[str]]:
    """Return the names of the groups of each attribute, in the order of their codes; {} if the file names none.

    Raises:
        UserError: as `attributes_of`, or the names are not lists of text by attribute.
    """
    listed = attributes_of(path)
    try:
        named = json.loads((pq.read_schema(path).metadata or {}).get(GROUPS.encode(), b"{}"))
        return {name: [str(group) for group in named[name]] for name in listed if name in named}
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: the names of its groups cannot be read ({error}); delete it and rerun") from error


def attributes_of(path: str | Path) -> list[str]:
    """Return the sensitive attributes that a predictions file lists.

    Raises:
        UserError: the file is missing, damaged, holds no list, or lacks an int8 column that the list names.
    """
    again = "write it with scripts.common.schemas.predictions.write_predictions"
    try:
        schema = pq.read_schema(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the workflow to make it") from error
    except parquet.DAMAGE as error:
        raise UserError(f"{path}: damaged or no Parquet file ({error}); delete it and run the workflow") from error
    try:
        listed = json.loads((schema.metadata or {})[ATTRIBUTES.encode()])
    except (KeyError, ValueError) as error:
        raise UserError(f"{path}: does not list its sensitive attributes, [] where it has none; {again}") from error
    columns = {field.name for field in schema if field.type == pa.int8()} - {*PREDICTIONS.names}
    if not isinstance(listed, list) or not set(map(str, listed)) <= columns:
        raise UserError(f"{path}: lists the attributes {listed}, its int8 columns are {sorted(columns)}; {again}")
    return listed
