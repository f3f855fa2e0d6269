"""Parquet files: atomic, byte-stable writing and checked reading."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.common.errors import UserError
from scripts.common.files import atomic_path

# Exceptions that pyarrow raises on a damaged file (determined by flipping every bit of one).
DAMAGE = (pa.ArrowException, OSError, ValueError, MemoryError)


_CHECKS: list[tuple[pa.Schema, Callable[[pd.DataFrame, str | Path], None]]] = []


def checked(schema: pa.Schema, check: Callable[[pd.DataFrame, str | Path], None]) -> pa.Schema:
    """Return the schema; `write` calls `check(frame, path)` of every frame that it writes with it."""
    _CHECKS.append((schema, check))
    return schema


def write(
    frame: pd.DataFrame, path: str | Path, schema: pa.Schema | None = None, metadata: dict[str, str] | None = None
) -> None:
    """Write a frame to Parquet, whole or not at all.

    The same frame gives the same bytes, and every page carries a checksum: without one, two of three flipped bits would
    be read as other numbers. With a `schema`, its columns must be there and are cast
    and put first; further columns keep their own type. `metadata` is stored beside the schema.

    Raises:
        ValueError: a column of the schema is missing or does not hold its type, or it is refused by the schema's
            check.
        UserError: the disk is full or the folder cannot be written to.
    """
    if schema is not None:
        missing = [name for name in schema.names if name not in frame.columns]
        if missing:
            raise ValueError(f"{path}: the frame lacks the columns {missing}")
        further = [name for name in frame.columns if name not in schema.names]
        frame = frame[[*schema.names, *further]]
        for checked_schema, check in _CHECKS:
            if checked_schema is schema:
                check(frame, path)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if schema is not None:
        fields = [schema.field(name) if name in schema.names else table.field(name) for name in table.column_names]
        table = table.cast(pa.schema(fields))
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd", write_page_checksum=True)


def read(path: str | Path, schema: pa.Schema | None = None, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file into a frame; with a `schema`, check its columns and types.

    Raises:
        UserError: the file is missing, is not a Parquet file, or has another schema.
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
    """Rows of several files of one schema as one frame, in the order given."""
    return pd.concat([read(path, schema) for path in paths], ignore_index=True)


def join(paths: list[str | Path], output: str | Path) -> None:
    """Write the rows of several files of one schema to one file, in the order given; metadata are the first file's.

    Raises:
        UserError: a file is missing or damaged, the disk is full or the folder cannot be written to.
    """
    try:
        tables = [pq.read_table(path, page_checksum_verification=True) for path in paths]
    except DAMAGE as error:
        raise UserError(f"{output}: a part of it is damaged ({error}); delete its folder and run again") from error
    table = pa.concat_tables(tables, promote_options="default").combine_chunks()
    with atomic_path(output) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
