"""Predictions: one row per image or person, with one further int8 column per sensitive attribute."""

import pyarrow as pa

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
