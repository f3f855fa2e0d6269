"""The motivating picture: two groups, their labels, and where poisoning moves the boundary of each."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.common import figures
from scripts.frtrain.points import LABELS

GROUPS = {0: "group 0", 1: "group 1"}
LINES = {"LR": (figures.BLACK, "-"), "FR-Train": (figures.VERMILION, "--")}
LIMITS = {"xlim": (-9, 9), "ylim": (-8, 8)}


def draw_panel(axes: Axes, points: pd.DataFrame, lines: pd.DataFrame) -> dict:
    """Draw one group under one kind of labels; return the legend's handles."""
    handles = {}
    for value, words, colour, marker in ((1, "label +1", figures.BLUE, "+"), (-1, "label −1", figures.ORANGE, "_")):
        own = points[(points.seen == value) & ~points.flipped.astype(bool)]
        handles[words] = axes.scatter(own.x1, own.x2, s=30, marker=marker, color=colour, alpha=0.7, linewidths=1.3)
    flipped = points[points.flipped.astype(bool)]
    look = {"s": 38, "marker": "x", "color": figures.RED, "linewidths": 1.5, "zorder": 3}
    handles["label flipped by the poisoning"] = axes.scatter(flipped.x1, flipped.x2, **look)
    across = np.array(LIMITS["xlim"], dtype=float)
    for row in lines.itertuples():
        colour, dashes = LINES[row.method]
        if abs(row.b) > 1e-9:
            height = -(row.a * across + row.c) / row.b
            (handles[f"boundary of {row.method}"],) = axes.plot(
                across, height, color=colour, ls=dashes, lw=2.2, zorder=4
            )
    return handles


def draw(groups: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw groups in rows and kinds of labels in columns; call it inside `figures.style()`.

    Returns:
        The figure and the numbers drawn, as in the file.
    """
    figure = figures.new_figure(9.5, 8.6)
    handles = {}
    for row, (z, name) in enumerate(GROUPS.items()):
        for column, (labels, words) in enumerate(LABELS.items()):
            axes = figure.add_subplot(2, 2, 2 * row + column + 1)
            own = groups[(groups.z == z) & (groups.labels == labels)]
            handles |= draw_panel(axes, own[own.kind == "point"], own[own.kind == "boundary"])
            axes.set(**LIMITS, title=f"{name}, {words}")
            axes.set(xlabel="$x_1$" if row else "", ylabel="" if column else "$x_2$")
            axes.title.set_fontsize(10.5)
    figures.legend_above(figure, handles, columns=5)
    shown = int((groups.kind == "point").sum() / 2)
    figures.footer(
        figure,
        f"synthetic data; {shown:,} of the 2,000 training rows, first seed; points above a boundary are accepted. The "
        "poisoning flips labels of group 1 only, those that a classifier is surest of, 190 of 200 from +1 to −1.",
    )
    return figure, groups
