"""A user's delimited text file: its encoding, delimiter and header, and its rows as columns of text."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from scripts.common.errors import UserError

SAMPLE = 2**18  # bytes from which delimiter and header are read
BLOCK = 2**23
DELIMITERS = ",;\t|"
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
OTHERS = {  # first bytes of files that are often taken for tables
    b"\x1f\x8b": "is compressed with gzip; unpack it first",
    b"%PDF": "is a PDF; get the table as CSV",
    b"SQLite format 3": "is a database; export the table as CSV",
    b"version https://git-lfs": "is only a pointer of Git LFS; download the file itself",
}
csv.field_size_limit(2**26)


@dataclass(frozen=True)
class Dialect:
    """How a text file is written."""

    encoding: str  # Python's name
    delimiter: str
    header: tuple[str, ...]
    skipped: int  # lines before the header: one that says "sep=;"


def sniff(source: str, content: Path | bytes, delimiter: str | None = None) -> Dialect:
    """Encoding, delimiter and header of a text file.

    Args:
        source: how messages call it.
        content: its path, or its bytes.
        delimiter: given if it is known.

    Raises:
        UserError: it is empty or no text, or its first line is no header.
    """
    start = _start(content)
    if not start:
        raise UserError(f"{source}: is empty; export the table again")
    _refuse_others(source, start)
    encoding = _encoding(source, content, start)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(start).removeprefix("\ufeff")
    if not text.strip():
        raise UserError(f"{source}: holds only blanks; export the table again")
    skipped = 1 if text[:4].lower() == "sep=" else 0
    if skipped:
        first, _, text = text.partition("\n")
        delimiter = delimiter or first.strip()[4:5] or None
    delimiter = delimiter or _delimiter(text)
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True))
    return Dialect(encoding, delimiter, tuple(name.strip() for name in header), skipped)


def read_columns(
    source: str, content: Path | bytes, dialect: Dialect, names: Sequence[str], wanted: Sequence[str], header: bool
) -> pa.Table:
    """Columns of a text file as strings, blanks at their ends removed.

    Args:
        names: of all columns, each once.
        wanted: those to read.
        header: whether the first line holds the names.

    Raises:
        UserError: a row has more or fewer fields than there are names, a quote is not closed, or it is no text.
    """
    if _quotes(content) % 2 and (fault := _fault(content, dialect, len(names))):
        raise UserError(f"{source}: {fault}")  # one left open would take in all rows that follow
    try:
        table = pa.csv.read_csv(
            str(content) if isinstance(content, Path) else pa.BufferReader(content),
            pa.csv.ReadOptions(
                column_names=list(names),
                skip_rows=dialect.skipped,
                skip_rows_after_names=int(header),
                encoding={"utf-8-sig": "utf-8"}.get(dialect.encoding, dialect.encoding),
                block_size=BLOCK,
            ),
            pa.csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
            pa.csv.ConvertOptions(
                include_columns=list(wanted),
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,  # checked when the encoding was determined
            ),
        )
    except (pa.ArrowException, UnicodeError) as error:
        fault = _fault(content, dialect, len(names)) or f"cannot be parsed ({error}); export it again as CSV"
        raise UserError(f"{source}: {fault}") from error
    return pa.table({name: pc.utf8_trim_whitespace(table[name]) for name in wanted})


def _start(content: Path | bytes) -> bytes:
    if isinstance(content, bytes):
        return content[:SAMPLE]
    with content.open("rb") as file:
        return file.read(SAMPLE)


def _refuse_others(source: str, start: bytes) -> None:
    """Check that the first bytes can be those of a table.

    Raises:
        UserError: says what the file is instead.
    """
    for magic, fault in OTHERS.items():
        if start.startswith(magic):
            raise UserError(f"{source}: {fault}")
    if start.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        raise UserError(f"{source}: is a web page, no table; download the file itself")
    if b"\0" in start and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError(f"{source}: is no text (it holds zero bytes); give a CSV or Parquet file")


def _encoding(source: str, content: Path | bytes, start: bytes) -> str:
    """Python's name of the encoding: by the byte-order mark, else the first that can decode the whole file."""
    for bom, name in BOMS.items():
        if start.startswith(bom):
            if not _decodes(content, name):
                raise UserError(f"{source}: is damaged: it is no {name.removesuffix('-sig')} as it says; get it again")
            return name
    return next(name for name in ("utf-8", "cp1252", "latin-1") if _decodes(content, name))


def _blocks(content: Path | bytes) -> Iterator[bytes]:
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _decodes(content: Path | bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _blocks(content):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _quotes(content: Path | bytes) -> int:
    return sum(block.count(b'"') for block in _blocks(content))


def _delimiter(text: str) -> str:
    """The delimiter that gives most rows one and the same number of fields, of at least two; a comma if none does."""
    rated = []
    for place, delimiter in enumerate(DELIMITERS):
        lines = io.StringIO(text, newline="")
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
        widths = widths[:-1] if len(widths) > 2 else widths  # the sample may end within a row
        width, times = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if width > 1:
            rated.append((times / len(widths), width, -place, delimiter))
    return max(rated)[-1] if rated else ","


def _fault(content: Path | bytes, dialect: Dialect, width: int) -> str | None:
    """What is wrong with the first line that does not fit, in words; None if all do. Slow: row by row."""
    opened = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    encoding = dialect.encoding
    with opened, io.TextIOWrapper(opened, encoding=encoding, newline="") as text:
        for _ in range(dialect.skipped):
            text.readline()
        rows = csv.reader(text, delimiter=dialect.delimiter, strict=True)
        begins = 1
        try:
            for row in rows:
                if row and len(row) != width:
                    line = begins + dialect.skipped
                    return (
                        f"line {line} has {len(row)} fields where {width} are expected (delimiter "
                        f"{dialect.delimiter!r}); correct the line, or put fields that hold a delimiter in quotes"
                    )
                begins = rows.line_num + 1
        except csv.Error as fault:
            return f"line {begins + dialect.skipped} cannot be parsed ({fault}); a quote may not be closed"
    return None
