"""Training curves: one row per epoch and quantity ("train_loss", "valid_accuracy", ...)."""

import pyarrow as pa

text, whole, real = pa.string(), pa.int64(), pa.float64()

CURVES = pa.schema(
    [("run", text), ("epoch", whole), ("quantity", text), ("value", real)],
)
