"""A table that a user brings, read as it comes: CSV, TSV, Parquet or Excel's .xls, alone or in a zip archive.

Delimiter, encoding, byte-order mark, quotes, line ends, thousands separators and decimal commas are found out from the
file's content, never from its name. `UserFrame.notes` says what was found out, for the user to check.
"""

import difflib
import io
import zipfile
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scripts.common import parquet, user_text, user_xls
from scripts.common.errors import UserError
from scripts.common.own_files import is_clutter
from scripts.common.user_numbers import parse_numbers, shows_decimal_comma

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
LARGEST = 2**32  # bytes of an unpacked member, against archives that unpack to far more than they hold
DAMAGE = (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError)
ENDINGS = (".csv", ".tsv", ".txt", ".data", ".parquet", ".xls", ".zip")
SHOWN = 12  # names in a message


@dataclass(frozen=True)
class UserFrame:
    """A table that was read, and how."""

    frame: pd.DataFrame
    source: str  # the path; of an archive with the member's name
    names: tuple[str, ...]  # of all columns, also of those not read
    notes: tuple[str, ...]  # what was found out about the file, one clause each


def read_user_frame(
    path: str | Path,
    columns: Sequence[str] | None = None,
    *,
    names: Sequence[str] | None = None,
    member: str | None = None,
    delimiter: str | None = None,
    typed: bool = True,
    missing: Collection[str] = MISSING,
    repeated: bool = False,
) -> UserFrame:
    """Read a user's table.

    Args:
        path: a CSV, TSV, Parquet or .xls file, or a zip archive of one (or of an archive of one). A workbook is read
            like the CSV file that its one filled sheet would be saved as.
        columns: those to read, in this order; None: all.
        names: of the columns of a text file that has no line of names.
        member: base name of the file in an archive that holds several.
        delimiter: of a text file; None: found out.
        typed: whether columns of a text file that hold only numbers become int64 or float64; otherwise, and where a
            value is no number, they are text (object, None where a value is missing). Parquet keeps its own types.
        missing: text that stands for a missing value.
        repeated: whether a name may stand twice in a text file; the later columns are called NAME.1, as pandas does.

    Raises:
        UserError: the file is missing, empty, damaged or no table, names occur twice, a row has another number of
            fields, a column of `columns` is not there or is nested. The message is one line that says what to do.
    """
    source, content = _content(path, member)
    if _start(content, 4) == b"PAR1":
        return _read_parquet(source, content, columns)
    content, sheet = _as_text(source, content)
    if names is None:
        dialect = user_text.sniff(source, content, delimiter)
        found = _named(source, dialect.header)
    else:
        dialect, found = user_text.sniff(source, content, delimiter), list(names)
    if repeated:
        before = [found[:place].count(name) for place, name in enumerate(found)]
        found = [f"{name}.{times}" if times else name for name, times in zip(found, before, strict=True)]
    _refuse_duplicates(source, found)
    wanted = _wanted(source, found, columns)
    table = user_text.read_columns(source, content, dialect, found, wanted, header=names is None)
    if not len(table):
        raise UserError(f"{source}: has a line of names and no rows; export the table again")
    notes = [sheet] if sheet else []
    if dialect.delimiter != ",":
        notes.append(f"fields are separated by {'tabs' if dialect.delimiter == chr(9) else repr(dialect.delimiter)}")
    if dialect.encoding not in ("utf-8", "utf-8-sig"):
        notes.append(f"the text is not UTF-8 and was read as {dialect.encoding}")
    frame, more = _to_frame(table, typed, missing)
    if columns is None:  # delimiters at the ends of lines make a column without name and values
        frame = frame.drop(
            columns=[name for name in frame if name.startswith("Unnamed: ") and frame[name].isna().all()]
        )
    return UserFrame(frame, source, tuple(found), (*notes, *more))


def column_names(path: str | Path, member: str | None = None) -> list[str]:
    """Names of the columns of a user's table, without reading its rows.

    Raises:
        UserError: as `read_user_frame`.
    """
    source, content = _content(path, member)
    if _start(content, 4) == b"PAR1":
        return list(_parquet(source, content).schema_arrow.names)
    return _named(source, user_text.sniff(source, _as_text(source, content)[0]).header)


def as_numbers(column: pd.Series) -> pd.Series | None:
    """A column as int64 or float64 (missing values as NaN); None if it holds something else than numbers.

    Text is read as `parse_numbers` reads it. True and false are no numbers.
    """
    if pd.api.types.is_bool_dtype(column):
        return None
    if pd.api.types.is_numeric_dtype(column):
        return column
    text = pa.array([None if pd.isna(value) else str(value) for value in column], pa.string())
    parsed = parse_numbers(text)
    return None if parsed is None else pd.Series(parsed[0].to_pandas().to_numpy(), column.index, name=column.name)


def _content(path: str | Path, member: str | None) -> tuple[str, Path | bytes]:
    """How messages call a file, and where its content is: the path of a plain file, the bytes of a member."""
    place = Path(path).expanduser()
    if place.is_dir():
        raise UserError(f"{path}: is a folder; give the path of one file")
    if not place.exists():
        raise UserError(f"{path}: no such file; correct the path{_nearest(place)}")
    try:
        with place.open("rb") as file:
            zipped = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
        return _unzipped(str(path), place, member) if zipped else (str(path), place)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from error


def _nearest(place: Path) -> str:
    """Advice that names a file of a similar name in the same folder, or ""."""
    if not place.parent.is_dir():
        return f" (there is no folder {place.parent})"
    near = difflib.get_close_matches(place.name, [other.name for other in place.parent.iterdir()], n=1)
    return f" (there is {near[0]!r} beside it)" if near else ""


def _unzipped(source: str, archive: Path | io.BytesIO, member: str | None, nested: bool = False) -> tuple[str, bytes]:
    """How messages call the one table in an archive, and its bytes."""
    try:
        with zipfile.ZipFile(archive) as opened:
            if "[Content_Types].xml" in opened.namelist():
                raise UserError(f"{source}: is an Excel workbook (.xlsx) or another office file; save the sheet as CSV")
            files = [about for about in opened.infolist() if not about.is_dir() and not is_clutter(about.filename)]
            chosen = [about for about in files if PurePosixPath(about.filename).name == member]
            if not chosen:
                wanted = ENDINGS if member is None else (".zip",)
                chosen = [about for about in files if about.filename.lower().endswith(wanted)]
            if member is None and len(files) == 1:
                chosen = files
            if len(chosen) != 1:
                held = _listed([about.filename for about in files]) or "nothing"
                raise UserError(f"{source}: one table is expected in the archive, it holds {held}; unpack it, give one")
            if chosen[0].file_size > LARGEST:
                raise UserError(f"{source}: {chosen[0].filename!r} says that it has {chosen[0].file_size:,} bytes")
            name, content = chosen[0].filename, opened.read(chosen[0])
    except DAMAGE as error:
        raise UserError(f"{source}: damaged zip archive, or one with a password ({error}); get it again") from error
    if content[:4] == b"PK\x03\x04":
        if nested:
            raise UserError(f"{source}: holds archives within archives; unpack it and give the table")
        return _unzipped(f"{source}: {name}", io.BytesIO(content), member, nested=True)
    return f"{source}: {name}", content


def _as_text(source: str, content: Path | bytes) -> tuple[Path | bytes, str]:
    """A text file as it is; of an Excel workbook the CSV of its sheet, and a note on it or ""."""
    return user_xls.as_csv(source, content) if _start(content, 4) == user_xls.MAGIC else (content, "")


def _start(content: Path | bytes, size: int) -> bytes:
    if isinstance(content, bytes):
        return content[:size]
    with content.open("rb") as file:
        return file.read(size)


def _named(source: str, header: Sequence[str]) -> list[str]:
    """Names of the columns by the first line; a column without one is called by its place, as pandas does."""
    numbers = [name for name in header if name and parse_numbers(pa.array([name])) is not None]
    if len(numbers) == len(header):
        raise UserError(f"{source}: its first line holds numbers where names are expected; add a line of names")
    return [name or f"Unnamed: {place}" for place, name in enumerate(header)]


def _refuse_duplicates(source: str, names: Sequence[str]) -> None:
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise UserError(f"{source}: the column {_listed(twice)} stands there more than once; rename or remove one")


def _wanted(source: str, names: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    """The columns to read.

    Raises:
        UserError: one is not there; the message names the nearest and what there is.
    """
    if columns is None:
        return list(names)
    for column in columns:
        if column not in names:
            folded = {name.lower(): name for name in names}
            near = difflib.get_close_matches(column.lower(), folded, n=1)
            hint = f"did you mean {folded[near[0]]!r}? " if near else ""
            raise UserError(f"{source}: there is no column {column!r}; {hint}it has {_listed(names)}")
    return list(dict.fromkeys(columns))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:SHOWN]))
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _to_frame(table: pa.Table, typed: bool, missing: Collection[str]) -> tuple[pd.DataFrame, list[str]]:
    """Columns of text as a frame, numbers as numbers if `typed`, and notes of what was undone."""
    markers, undone, columns = pa.array(list(missing), pa.string()), {}, {}
    for name in table.column_names:
        column = table[name]
        columns[name] = pc.if_else(pc.is_in(column, markers), pa.scalar(None, pa.string()), column)
    if typed:
        decimal_comma = any(shows_decimal_comma(column) for column in columns.values())
        for name, column in columns.items():
            parsed = parse_numbers(column, decimal_comma)
            if parsed is not None:
                columns[name] = parsed[0]
                if parsed[1]:
                    undone.setdefault(parsed[1], []).append(name)
    frame = pd.DataFrame({name: column.to_pandas() for name, column in columns.items()})
    return frame, [f"{kind} were read in {_listed(names)}" for kind, names in undone.items()]


def _parquet(source: str, content: Path | bytes) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(content if isinstance(content, Path) else pa.BufferReader(content))
    except parquet.DAMAGE as error:
        raise UserError(f"{source}: damaged Parquet file ({error}); export it again") from error


def _read_parquet(source: str, content: Path | bytes, columns: Sequence[str] | None) -> UserFrame:
    file = _parquet(source, content)
    schema = file.schema_arrow
    names = [name for name in schema.names if not name.startswith("__index_level_")]
    _refuse_duplicates(source, names)
    wanted = _wanted(source, names, columns)
    for name in wanted:
        kind = schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise UserError(
                f"{source}: the column {name!r} is of type {kind}, which is no single value per row; "
                "write a plain column in its place"
            )
    if not file.metadata.num_rows:
        raise UserError(f"{source}: has no rows; export the table again")
    try:
        table = file.read(columns=wanted)
    except parquet.DAMAGE as error:
        raise UserError(f"{source}: damaged Parquet file ({error}); export it again") from error
    fields = [
        pa.field(name, pa.float64() if pa.types.is_decimal(table.schema.field(name).type) else
                 table.schema.field(name).type)
        for name in wanted
    ]  # fmt: skip
    frame = table.select(wanted).cast(pa.schema(fields)).to_pandas(ignore_metadata=True)
    return UserFrame(frame, source, tuple(names), ())
