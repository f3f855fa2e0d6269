"""The Parquet schemas of the project, and their atomic, byte-stable writing and checked reading."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.common.errors import UserError
from scripts.common.files import atomic_path

text, whole, real = pa.string(), pa.int64(), pa.float64()

# What a damaged file makes pyarrow raise (found by flipping every bit of one).
DAMAGE = (pa.ArrowException, OSError, ValueError, MemoryError)

# One line per number that anyone may want to look up or draw.
METRICS = pa.schema(
    [
        ("study", text),  # tradeoffs, income, ...
        ("dataset", text),  # what the numbers rest on, e.g. "rendered faces"
        ("method", text),  # what is compared, e.g. "adversarial eps=0.005"
        ("protocol", text),  # as_published or corrected
        ("run", text),  # the trained model, unique in the study
        ("seed", whole),
        ("split", text),  # train, valid or test
        ("subgroup", text),  # all, one group, or "difference"
        ("metric", text),
        ("value", real),
        ("ci_low", real),  # 95 % interval; null where none is defined
        ("ci_high", real),
        ("n", whole),  # rows that the value rests on
    ]
)

# One line per image or person; one further int8 column per sensitive attribute.
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

# One line per epoch of a training and quantity ("train_loss", "valid_accuracy", ...).
CURVES = pa.schema(
    [("run", text), ("epoch", whole), ("quantity", text), ("value", real)],
)

# One line per claim and protocol, with everything that its verdict was computed from.
CLAIMS = pa.schema(
    [
        ("study", text),
        ("claim", text),  # unique in the study
        ("protocol", text),
        ("kind", text),  # published: the paper says so; finding: we say so of the paper
        ("place", text),  # where the claim stands
        ("says", text),
        ("published", real),  # null where the source gives no number
        ("unit", text),
        ("read_from", text),  # table, text, slides or picture
        ("value", real),  # ours; null where there is none
        ("ci_low", real),
        ("ci_high", real),
        ("n", whole),
        ("seeds", whole),
        ("dataset", text),
        ("rule", text),  # equals, at_least or at_most
        ("bound", real),
        ("tolerance", real),
        ("tolerance_from", text),
        ("tolerance_why", text),
        ("verdict", text),
        ("reason", text),
        ("comment", text),
    ]
)


def write(frame: pd.DataFrame, path: str | Path, schema: pa.Schema | None = None) -> None:
    """Write a frame to Parquet, whole or not at all.

    The same frame gives the same bytes, and every page carries a checksum: without one, two of three flipped bits would
    be read as other numbers. With a `schema`, its columns must be there and are cast
    and put first; further columns keep their own type.

    Raises:
        ValueError: a column of the schema is missing or does not hold its type.
        UserError: the disk is full or the folder cannot be written to.
    """
    if schema is not None:
        missing = [name for name in schema.names if name not in frame.columns]
        if missing:
            raise ValueError(f"{path}: the frame lacks the columns {missing}")
        further = [name for name in frame.columns if name not in schema.names]
        frame = frame[[*schema.names, *further]]
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if schema is not None:
        fields = [schema.field(name) if name in schema.names else table.field(name) for name in table.column_names]
        table = table.cast(pa.schema(fields))
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(None), temporary, compression="zstd", write_page_checksum=True)


def read(path: str | Path, schema: pa.Schema | None = None, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file into a frame; with a `schema`, check its columns and types.

    Raises:
        UserError: the file is missing, is no Parquet file, or has another schema.
    """
    try:
        table = pq.read_table(path, columns=columns, page_checksum_verification=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the workflow to make it") from error
    except DAMAGE as error:
        raise UserError(f"{path}: damaged or no Parquet file ({error}); delete it and run the workflow") from error
    if schema is not None:
        for field in schema:
            if columns is not None and field.name not in columns:
                continue
            if field.name not in table.column_names or table.schema.field(field.name).type != field.type:
                raise UserError(f"{path}: column {field.name!r} of type {field.type} is missing; delete it and rerun")
    return table.to_pandas()


def gather(paths: list[str | Path], schema: pa.Schema | None = None) -> pd.DataFrame:
    """Read several files of one schema and stack their rows in the order given."""
    return pd.concat([read(path, schema) for path in paths], ignore_index=True)


def select(metrics: pd.DataFrame, metric: str, subgroup: str = "all", split: str = "test") -> pd.DataFrame:
    """Return the rows of one metric.

    Raises:
        UserError: there are none.
    """
    chosen = metrics[(metrics.metric == metric) & (metrics.subgroup == subgroup) & (metrics.split == split)]
    if chosen.empty:
        raise UserError(
            f"metrics: no rows of {metric!r} for subgroup {subgroup!r} in the {split} split; "
            "measure the runs again (delete the study's metrics and rerun)"
        )
    return chosen
