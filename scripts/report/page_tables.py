"""Tables of the page: formatted cells and flags of the numeric columns."""

import csv
import re
from pathlib import Path
from typing import NamedTuple

from scripts.common.errors import UserError
from scripts.common.tables import UNDEFINED, format_number

NUMBER = re.compile(r"[-−+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?(?=$|[ %×])", re.I)
FLOAT = re.compile(r"[-+]?\d+\.\d+(e[-+]?\d+)?|[-+]?\d+e[-+]?\d+", re.I)
INTERVAL = re.compile(r"(.+?) (\[[^\[\]]+\]|± \S+)")


class Cell(NamedTuple):
    """A table cell: its text, and its interval or standard deviation, which may go on a separate line."""

    text: str
    interval: str = ""


class Table(NamedTuple):
    """Column names, flags of the numeric columns, and rows of cells."""

    columns: list[str]
    numeric: list[bool]
    rows: list[list[Cell]]


def cell(text: str, digits: int | None = None) -> Cell:
    """Return a cell of a CSV file: an empty one as "–", "0.69 [0.68, 0.70]" in two parts.

    Floats have `digits` decimals, by default at most three; whole numbers from 1,000 on have none.
    """
    text = text.strip()
    if not text:
        return Cell(UNDEFINED)
    if FLOAT.fullmatch(text):
        value = float(text)
        if value.is_integer() and abs(value) >= 1000:
            return Cell(f"{value:,.0f}")
        decimals = min(len(text.partition(".")[2]), 3) if "e" not in text.lower() else 3
        return Cell(format_number(value, digits or decimals))
    parts = INTERVAL.fullmatch(text)
    return Cell(parts[1], parts[2]) if parts and NUMBER.match(text) else Cell(text)


def cells(texts: list[str]) -> list[Cell]:
    """Return the cells of a column; in a column of floats alone, all have the same number of decimals."""
    only_floats = all(FLOAT.fullmatch(text.strip()) for text in texts if text.strip())
    return [cell(text, 3 if only_floats else None) for text in texts]


def is_numeric(texts: list[str]) -> bool:
    """Return whether all texts except "–" begin with a number, and there is at least one."""
    defined = [text for text in texts if text != UNDEFINED]
    return bool(defined) and all(NUMBER.match(text) for text in defined)


def read_table(path: str | Path) -> Table:
    """Return a CSV file as a table of the page.

    Raises:
        UserError: the file is missing, empty, or its rows differ in length.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            columns, *lines = csv.reader(file)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the workflow to make it") from error
    except ValueError as error:
        raise UserError(f"{path}: empty; delete it and run the workflow") from error
    if any(len(line) != len(columns) for line in lines):
        raise UserError(f"{path}: rows of different length; delete it and run the workflow")
    filled = [cells([line[place] for line in lines]) for place in range(len(columns))]
    numeric = [is_numeric([one.text for one in column]) for column in filled]
    return Table(columns, numeric, [list(row) for row in zip(*filled, strict=True)])
