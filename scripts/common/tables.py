"""Tables as CSV, Markdown and LaTeX."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from scripts.common.files import atomic_path

UNDEFINED = "–"  # shown for NaN
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
HARMLESS = re.compile(r"[-+][\d.]+(?:[eE][-+]?\d+)?(?: ± [\d.]+| \[[-+\d., –]+\])?")


def format_number(value: float | None, digits: int = 3) -> str:
    """Return the number with a fixed number of decimals; "–" for NaN, no minus sign before a zero."""
    if value is None or math.isnan(value):
        return UNDEFINED
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def format_interval(value: float, low: float = math.nan, high: float = math.nan, digits: int = 3) -> str:
    """Return "0.694 [0.685, 0.703]"; the value alone where the interval is NaN."""
    shown = format_number(value, digits)
    if shown == UNDEFINED or pd.isna(low) or pd.isna(high):
        return shown
    return f"{shown} [{format_number(low, digits)}, {format_number(high, digits)}]"


def format_mean(values: Iterable[float], digits: int = 3) -> str:
    """Return "0.694 ± 0.012": mean and standard deviation (n - 1) over seeds.

    A single value is shown without a deviation. An undefined (NaN) value makes the mean undefined.
    """
    values = np.asarray(list(values), dtype=float)
    if not len(values) or np.isnan(values).any():
        return UNDEFINED
    mean = format_number(values.mean(), digits)
    return mean if len(values) == 1 else f"{mean} ± {format_number(values.std(ddof=1), digits)}"


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV without its index; no cell or name is a formula to a spreadsheet."""
    texts = [place for place, dtype in enumerate(frame.dtypes) if not pd.api.types.is_numeric_dtype(dtype)]
    safe = frame.copy()
    safe.columns = [no_formula(name) for name in frame.columns]
    for place in texts:
        safe.isetitem(place, frame.iloc[:, place].map(no_formula))
    return safe.to_csv(index=False, lineterminator="\n")


def no_formula(value: object) -> object:
    """Return text that a spreadsheet would run as a formula with an apostrophe in front; all else unchanged.

    A formula begins with = + - @ or a control character (OWASP, CSV injection). A number with its sign and its interval
    is none.
    """
    if not isinstance(value, str) or not value.lstrip(" ").startswith(FORMULA) or HARMLESS.fullmatch(value):
        return value
    return f"'{value}"


def save_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame as CSV (`csv_text`), whole or not at all.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(csv_text(frame), encoding="utf-8", newline="\n")


def save_table(frame: pd.DataFrame, path: str | Path, caption: str, label: str = "", digits: int = 3) -> None:
    """Write `path`.csv, `path`.md and `path`.tex atomically, without the index.

    CSV holds the unrounded numbers and no caption; texts that would be formulas have an apostrophe in front. Markdown
    and LaTeX hold the caption, and floats rounded to `digits`; text columns are unchanged except that the format's
    special characters are escaped. Missing values are empty in CSV and "–" elsewhere.

    Args:
        path: path without a suffix.
        label: LaTeX label; by default `tab:` and the name.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    shown = pd.DataFrame(
        {name: [_cell(value, digits) for value in frame[name]] for name in frame.columns}, columns=frame.columns
    )
    numeric = [pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype) for dtype in frame.dtypes]
    texts = {
        ".csv": csv_text(frame),
        ".md": _markdown(shown, numeric, caption),
        ".tex": _latex(shown, numeric, caption, label or f"tab:{path.name}"),
    }
    for suffix, text in texts.items():
        with atomic_path(path.with_name(path.name + suffix)) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")


def _cell(value: object, digits: int) -> str:
    if pd.isna(value):
        return UNDEFINED
    return format_number(float(value), digits) if isinstance(value, (float, np.floating)) else str(value)


def _markdown(shown: pd.DataFrame, numeric: list[bool], caption: str) -> str:
    def escape(text: object) -> str:
        return " ".join(str(text).split()).replace("|", r"\|")

    table = tabulate(
        [[escape(cell) for cell in row] for row in shown.itertuples(index=False)],
        headers=[escape(name) for name in shown.columns],
        tablefmt="pipe",
        colalign=["right" if right else "left" for right in numeric] if len(shown) else None,
        disable_numparse=True,  # else "0.690" loses its last digit
    )
    return f"{' '.join(caption.split())}\n\n{table}\n"


LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "–": "--",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
    }
    | {character: f"\\{character}" for character in "&%$#_{}"}
)


def _latex(shown: pd.DataFrame, numeric: list[bool], caption: str, label: str) -> str:
    def escape(text: object) -> str:
        return " ".join(str(text).split()).translate(LATEX)

    # Not by pandas' `to_latex`: it imports a template engine, and leaves captions and some characters unescaped.
    rows = [[escape(cell) for cell in row] for row in [shown.columns, *shown.itertuples(index=False)]]
    header, *body = [f"{' & '.join(row)} \\\\" for row in rows]
    lines = [r"\begin{table}[htbp]", *([rf"\caption{{{escape(caption)}}}"] if caption else []), rf"\label{{{label}}}"]
    lines += [rf"\begin{{tabular}}{{{''.join('r' if right else 'l' for right in numeric)}}}", r"\toprule", header]
    lines += [r"\midrule", *body, r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"
