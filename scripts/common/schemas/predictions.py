"""Predictions: one row per image or person, with one further int8 column per sensitive attribute.

Which of the further columns are sensitive attributes is said by the file itself: a list under the key `attributes` of
its Parquet metadata, `[]` where there are none. No reader has to guess it from a column's type.
"""

import json
from collections.abc import Sequence
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
        ("y_true", pa.int8()),
        ("y_pred", pa.int8()),
        ("score", pa.float32()),  # log-odds for the positive class
    ]
)
ATTRIBUTES = "attributes"  # the key of the list


def write_predictions(frame: pd.DataFrame, path: str | Path, attributes: Sequence[str]) -> None:
    """Write predictions (schema `PREDICTIONS`, further columns as they are) with the list of their attributes.

    Args:
        attributes: columns of group codes 0 .. k - 1, int8; a run that does not carry one has null there.

    Raises:
        ValueError: the frame breaks the schema, or lacks an attribute.
        UserError: as `parquet.write`.
    """
    if missing := [name for name in attributes if name not in frame.columns or name in PREDICTIONS.names]:
        raise ValueError(f"{path}: no attributes of the frame: {missing}")
    parquet.write(frame, path, PREDICTIONS, metadata={ATTRIBUTES: json.dumps(list(attributes))})


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
