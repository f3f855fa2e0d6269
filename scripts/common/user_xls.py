"""The sheet of an old Excel workbook (.xls) as CSV text, so that all that holds for text files holds for it too."""

import csv
import io
import re
from datetime import time
from pathlib import Path

from scripts.common.errors import UserError

MAGIC = b"\xd0\xcf\x11\xe0"  # OLE2, the container of Excel 5 to 2003, and of other old office files
PLACEHOLDER = re.compile(r"[A-Za-z]\d*|")  # X1, X2, ..., Y: what stands above the names in UCI's file on credit default


def as_csv(source: str, content: Path | bytes) -> tuple[bytes, str]:
    """Return the one filled sheet of a workbook as CSV in UTF-8, and a note on lines that were left out, or "".

    Whole numbers have no decimal point, dates are written YYYY-MM-DD. Blank lines and columns around the table are left
    out, and so is a line of placeholders (X1, X2, Y) above the line of names.

    Args:
        source: how messages call the file.
        content: its path or its bytes.

    Raises:
        UserError: the file is no workbook, damaged or has a password, no sheet or several hold anything, or a cell
            holds an error.
    """
    import xlrd  # here alone: no other file needs it

    data = content if isinstance(content, bytes) else content.read_bytes()
    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=True)
        sheets = {name: _filled(book, book.sheet_by_name(name), source) for name in book.sheet_names()}
    except UserError:
        raise
    except Exception as error:  # the parser raises whatever a damaged file leads it to
        raise UserError(
            f"{source}: is no Excel workbook that can be read, is damaged or has a password ({error}); save the sheet "
            "as CSV"
        ) from error
    held = {name: rows for name, rows in sheets.items() if rows}
    if not held:
        raise UserError(f"{source}: its sheets are empty; give a file with a line of names and rows")
    if len(held) > 1:
        named = ", ".join(map(repr, held))
        raise UserError(f"{source}: the sheets {named} hold something; save the table's sheet as CSV")
    (rows,) = held.values()
    note = ""
    if len(rows) > 2 and _is_above_names(*rows[:3]):
        placeholders = ", ".join(rows[0][:3]).strip(", ")
        rows, note = rows[1:], f"its first line ({placeholders} ...) was left out: the second has the names"
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8"), note


def _filled(book, sheet, source: str) -> list[list[str]]:
    """Return the cells of a sheet as text, without blank lines at its start and end and blank columns at its end."""
    rows = [[_text(book, cell, source) for cell in sheet.row(place)] for place in range(sheet.nrows)]
    while rows and not any(rows[-1]):
        rows.pop()
    while rows and not any(rows[0]):
        rows.pop(0)
    width = max((place + 1 for row in rows for place, text in enumerate(row) if text), default=0)
    return [row[:width] + [""] * (width - len(row)) for row in rows]


def _text(book, cell, source: str) -> str:
    """Return a cell as it would stand in a CSV file."""
    import xlrd

    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return str(int(cell.value)) if cell.value.is_integer() else repr(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        moment = xlrd.xldate_as_datetime(cell.value, book.datemode)
        return str(moment.date() if moment.time() == time() else moment)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    if cell.ctype == xlrd.XL_CELL_ERROR:
        error = xlrd.error_text_from_code.get(cell.value, "an error")
        if error == "#N/A":
            return "NA"
        raise UserError(f"{source}: a cell holds {error}; correct its formula, or clear the cell")
    return str(cell.value)


def _is_above_names(first: list[str], second: list[str], third: list[str]) -> bool:
    """Return whether the first line holds placeholders, the second the names, and the third the first row."""
    placeholders = all(PLACEHOLDER.fullmatch(text) for text in first)
    names = all(second) and not any(_is_number(text) for text in second)
    return placeholders and names and any(_is_number(text) for text in third)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
