"""The style of all figures, and saving them as PNG, PDF and Parquet (the numbers drawn).

pyplot is not used, so figures share no global state and need no window system.
"""

import contextlib
import textwrap
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from scripts.common import parquet
from scripts.common.colours import (  # noqa: F401 (figures take them from here)
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    VERMILION,
    YELLOW,
)
from scripts.common.files import atomic_path

STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so figures are the same everywhere
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#808080",
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,  # text stays text in the PDF
}
DPI = 160


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Context in which figures are drawn and saved with the project's style."""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE, "backend": "agg"}):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of the given size in inches with constrained layout."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, plotted: pd.DataFrame, path_without_suffix: str | Path) -> None:
    """Write `NAME.png`, `NAME.pdf` and `NAME.parquet` (the numbers drawn, one row per mark).

    The files hold no date, so the same figure and numbers give the same bytes.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    base = Path(path_without_suffix)
    without_date = {".png": {"Software": None}, ".pdf": {"CreationDate": None}}
    for suffix, metadata in without_date.items():
        with atomic_path(base.with_name(base.name + suffix)) as temporary:
            figure.savefig(temporary, dpi=DPI, metadata=metadata)
    parquet.write(plotted, base.with_name(base.name + ".parquet"))


def footer(figure: Figure, text: str) -> None:
    """Add the data note under the figure, wrapped to its width."""
    columns = int(figure.get_figwidth() * 15)
    figure.supxlabel(textwrap.fill(text, columns), fontsize=8.5, color=GREY, x=0.01, ha="left")


def legend_above(figure: Figure, handles: dict[str, Artist], columns: int) -> None:
    """Add one legend above all panels, with opaque marks of readable size."""
    legend = figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=columns)
    for mark in legend.legend_handles:
        mark.set_alpha(1.0)
        if isinstance(mark, PathCollection):
            mark.set_sizes([50.0])


def empty_note(axes: Axes, text: str) -> None:
    """Write into an empty panel why it is empty."""
    axes.text(0.5, 0.5, textwrap.fill(text, 36), transform=axes.transAxes, ha="center", va="center", color=GREY)
    axes.set(xticks=[], yticks=[])


def edge_arrow(axes: Axes, text: str, y: float) -> None:
    """Draw an arrow to a mark beyond the right edge of the panel; `y` is in axes fractions, 0 to 1."""
    arrow = {"arrowstyle": "-|>", "color": BLACK, "shrinkA": 2, "shrinkB": 0}
    axes.annotate(
        text,
        xy=(1.0, y),
        xytext=(0.93, y),
        xycoords="axes fraction",
        textcoords="axes fraction",
        arrowprops=arrow,
        fontsize=9,
        ha="right",
        va="center",
        zorder=6,
        bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )


def stack(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Marks of all panels as one frame with these columns; a column that no panel has is empty."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled or [pd.DataFrame()], ignore_index=True).reindex(columns=columns)


def offsets(values: pd.Series, low: pd.Series, high: pd.Series) -> list[list[float]]:
    """Return an interval as matplotlib's error bars, shape (2, n); a missing bound has length 0.

    A percentile interval need not contain its estimate, so negative lengths become 0.
    """
    below = (values - low).clip(lower=0).fillna(0.0)
    above = (high - values).clip(lower=0).fillna(0.0)
    return [below.tolist(), above.tolist()]
