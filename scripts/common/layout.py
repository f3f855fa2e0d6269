"""What the figures share: a title that states the finding, a figure without data, labels that avoid one another."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from scripts.common import figures

RIGHT = [(1, 0), (1, 1), (1, -1)]
AROUND = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
CENTRED = {1: "left", 0: "center", -1: "right"}
RAISED = {1: "bottom", 0: "center", -1: "top"}


def titled(figure: Figure, sentences: Sequence[str], handles: Mapping[str, Artist] | None = None) -> None:
    """Put what the figure shows above it, a sentence per line, and the legend below; call it when all else is drawn."""
    columns = int(figure.get_figwidth() * 10.0)
    text = "\n".join(textwrap.fill(sentence, columns) for sentence in sentences if sentence)
    columns = legend_columns(figure.get_figwidth(), list(handles or ()))
    room = "\n " * -(-len(handles or ()) // columns)  # lines for the legend
    title = figure.suptitle(text + room, x=0.01, ha="left", fontsize=12, fontweight="bold", linespacing=1.3)
    figure.draw_without_rendering()  # so that the layout has put the title where it stays
    figure.set_layout_engine("none")  # all is in its place; solving again costs a second per file written
    if not handles:
        return
    low = title.get_window_extent().transformed(figure.transFigure.inverted()).y0
    place = {"loc": "lower left", "bbox_to_anchor": (0.0, low), "borderaxespad": 0.0}
    figure.legend(handles.values(), handles.keys(), ncols=columns, columnspacing=1.6, **place)


def legend_columns(width: float, labels: Sequence[str]) -> int:
    """Return how many columns of a legend fit into a figure of some inches."""
    for columns in range(len(labels), 1, -1):
        widths = [max(len(label) for label in labels[place::columns]) + 6 for place in range(columns)]
        if sum(widths) <= 11.5 * width:
            return columns
    return 1


def without_data(text: str, columns: Sequence[str]) -> tuple[Figure, pd.DataFrame]:
    """Return a small figure that says why it is empty, and an empty frame with the columns of the drawn numbers."""
    figure = figures.new_figure(6.0, 2.2)
    figures.empty_note(figure.add_subplot(), text)
    return figure, pd.DataFrame(columns=list(columns))


def label_marks(
    axes: Axes,
    marks: Sequence[tuple[float, float]],
    labels: Sequence[tuple[float, float, str, str]],
    around: Sequence[tuple[int, int]] = AROUND,
    halo: bool = False,
) -> None:
    """Write labels next to their points where they cover as little as possible; call it when all else is drawn.

    Places are tried around the point, near ones first. One further away gets a line to its point.

    Args:
        marks: data coordinates of all marks, which labels avoid.
        labels: x, y, text and colour of each, the most important first.
        around: directions (right, up) in which a label may lie.
        halo: whether letters have a white rim, to be read on lines.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    unit = figure.dpi / 72
    pixels = axes.transData.transform(np.array(marks, float).reshape(-1, 2))
    taken = [Bbox.from_bounds(x - 5 * unit, y - 5 * unit, 10 * unit, 10 * unit) for x, y in pixels]
    frame = axes.get_window_extent(renderer)
    rim = {"path_effects": [withStroke(linewidth=2.5, foreground="white")]} if halo else {}
    for x, y, text, colour in labels:
        best = None
        for distance in (8, 16, 26, 40, 56, 75):
            for across, up in around:
                offset = (across * distance, up * distance)
                options = {"ha": CENTRED[across], "va": RAISED[up], "fontsize": 8.5, "color": colour, "zorder": 7}
                label = axes.annotate(text, (x, y), offset, textcoords="offset points", **options)
                box = label.get_window_extent(renderer).padded(1.5 * unit)
                cost = sum(_common(box, other) for other in taken) + 5 * (_area(box) - _common(box, frame))
                label.remove()
                if best is None or cost < best[0] - 1e-6:
                    best = (cost, offset, options, box, distance)
            if best[0] <= 1e-6:
                break
        _, offset, options, box, distance = best
        line = {"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 0, "shrinkB": 3} if distance > 8 else None
        axes.annotate(text, (x, y), offset, textcoords="offset points", arrowprops=line, **options, **rim)
        taken.append(box)


def _area(box: Bbox) -> float:
    return box.width * box.height


def _common(one: Bbox, other: Bbox) -> float:
    """Return the area in which two boxes overlap."""
    both = Bbox.intersection(one, other)
    return 0.0 if both is None else _area(both)
