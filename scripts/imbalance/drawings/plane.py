"""The plane of balanced accuracy and gap, with the methods that no other one beats in both."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import label_marks, titled, without_data
from scripts.common.pareto import pareto_mask
from scripts.imbalance.drawings.forest import SURE, differences_to
from scripts.imbalance.labels import (
    BALANCED,
    CONTROLS,
    GAP,
    MARKERS,
    METRICS,
    PLAN_COLOURS,
    at,
    data_note,
    generator_title,
    in_order,
    main_runs,
    method_title,
    place_title,
    places,
    plan_title,
)
from scripts.imbalance.names import NO_PLAN, REAL

KEYS = ["dataset", "attributes", "plan", "generator"]
BOUNDS = ["value", "ci_low", "ci_high"]
COLUMNS = [*KEYS, "x", "x_low", "x_high", "y", "y_low", "y_high", "interval", "seeds", "efficient"]


def fronts(summary: pd.DataFrame) -> pd.DataFrame:
    """Return balanced accuracy (x) and gap (y) of every corrected method, and whether another one beats it in both."""
    rows = main_runs(summary)
    rows = rows[rows["subgroup"] == "all"]
    across = rows[rows["metric"] == BALANCED][[*KEYS, *BOUNDS, "interval", "seeds"]]
    up = rows[rows["metric"] == GAP][[*KEYS, *BOUNDS]]
    across = across.rename(columns={"value": "x", "ci_low": "x_low", "ci_high": "x_high"})
    up = up.rename(columns={"value": "y", "ci_low": "y_low", "ci_high": "y_high"})
    joined = in_order(across.merge(up, on=KEYS)).dropna(subset=["x", "y"])
    parts = []
    for place in places(joined):
        own = at(joined, place)
        parts.append(own.assign(efficient=pareto_mask(own[["x", "y"]].to_numpy() * [-1, 1])))
    return figures.stack(parts, COLUMNS)


def finding(points: pd.DataFrame, comparisons: pd.DataFrame) -> list[str]:
    """Return per dataset how many methods are significantly better than real rows in both, or what the front spans."""
    differences = differences_to(comparisons, REAL)
    better = differences["value"].where(differences["metric"] == BALANCED, -differences["value"]) > 0
    sure = differences[better & (differences["p_holm"] < SURE)]
    sentences = []
    for place in places(points):
        own = at(points, place)
        both = at(sure, place).groupby(["plan", "generator"], sort=False)["metric"].nunique()
        both = [plan for (plan, _), number in both.items() if number == 2]
        if both:
            titles = ", ".join("no plan" if plan == NO_PLAN else plan_title(plan) for plan in dict.fromkeys(both))
            number = f"{len(both)} of {(own['generator'] != REAL).sum()} methods"
            verb = "improves" if len(both) == 1 else "improve"
            text = f"{number} {verb} both accuracy and gap of real rows significantly ({titles})"
        else:
            ends = own[own["efficient"]].sort_values("x").iloc[[0, -1]]
            low, high = (method_title(row.plan, row.generator) for row in ends.itertuples())
            text = "no method improves both accuracy and gap of real rows significantly"
            text += f"; the front runs from {low} to {high}" if low != high else ""
        sentences.append(f"{place_title(place)}: {text}.")
    return sentences[:3]


def draw_panel(axes: Axes, points: pd.DataFrame) -> None:
    """Draw the methods of one dataset in points of a percent, and the steps of their front."""
    for row in points.itertuples():
        colour = PLAN_COLOURS.get(row.plan, figures.PURPLE)
        control = row.generator in CONTROLS
        face = {
            "facecolor": "white" if control else colour,
            "edgecolor": colour,
            "linewidth": 1.3,
            "zorder": 4 + (row.generator == REAL),
        }
        size = 130 if row.generator == REAL else 44
        axes.scatter([100 * row.x], [100 * row.y], marker=MARKERS.get(row.generator, "h"), s=size, **face)
    for row in labelled_points(points).itertuples():
        one, colour = pd.DataFrame([row]), PLAN_COLOURS.get(row.plan, figures.PURPLE)
        bars = {
            "xerr": figures.offsets(100 * one.x, 100 * one.x_low, 100 * one.x_high),
            "yerr": figures.offsets(100 * one.y, 100 * one.y_low, 100 * one.y_high),
        }
        axes.errorbar([100 * row.x], [100 * row.y], **bars, fmt="none", ecolor=colour, elinewidth=0.8, alpha=0.6)
    front = points[points["efficient"]].sort_values("x")
    axes.step(100 * front["x"], 100 * front["y"], where="pre", color=figures.BLACK, lw=1.0, ls="--", zorder=2)


def labelled_points(points: pd.DataFrame) -> pd.DataFrame:
    """Return real rows and both ends of the front, each once: they get their whole name and their intervals."""
    front = points[points["efficient"]].sort_values("x")
    chosen = [points[points["generator"] == REAL], front.head(1), front.tail(1)]
    return pd.concat(chosen).drop_duplicates(["plan", "generator"])


def labels_of(points: pd.DataFrame) -> list[tuple[float, float, str, str]]:
    """Return x, y, text and colour of labels: those of `labelled_points`, and each further plan once."""
    rows = labelled_points(points)
    labels = [(row.x, row.y, method_title(row.plan, row.generator), row.plan) for row in rows.itertuples()]
    for plan in dict.fromkeys(points["plan"]):
        own = points[points["plan"] == plan]
        if plan != NO_PLAN and plan not in set(rows["plan"]):
            nearest = ((own[["x", "y"]] - own[["x", "y"]].mean()) ** 2).sum(axis=1).idxmin()
            labels.append((*own.loc[nearest, ["x", "y"]], plan_title(plan), plan))
    return [(100 * x, 100 * y, text, PLAN_COLOURS.get(plan, figures.PURPLE)) for x, y, text, plan in labels]


def draw_plane(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw balanced accuracy against the gap with the front of all methods, a panel per dataset."""
    points = fronts(frames["summary"])
    if points.empty:
        return without_data("No corrected methods in these results.", COLUMNS)
    shown = places(points)
    columns = min(2, len(shown))
    lines = -(-len(shown) // columns)
    figure = figures.new_figure(max(6.2 * columns, 8.4), 1.9 + 4.3 * lines)
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes, place in zip(grid.ravel(), shown, strict=False):
        draw_panel(axes, at(points, place))
        axes.set_title(place_title(place), loc="left")
        axes.set(xlabel=f"{METRICS[BALANCED]}, points", ylabel=f"{METRICS[GAP]}, points")
        axes.set_ylim(bottom=max(0, axes.get_ylim()[0]))
    for axes in grid.ravel()[len(shown) :]:
        axes.set_visible(False)
    handles = {}
    for name in dict.fromkeys(points["generator"]):
        face = "white" if name in CONTROLS else figures.BLACK
        mark = {"marker": MARKERS.get(name, "h"), "mfc": face, "mec": figures.BLACK, "ms": 11 if name == REAL else 7}
        handles[generator_title(name)] = Line2D([], [], ls="", **mark)
    handles["front"] = Line2D([], [], color=figures.BLACK, lw=1.0, ls="--")
    note = "Right and down is better. Colours are plans; hollow marks are controls. Only real rows and the ends of the"
    note += " front have their intervals drawn."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, points)}")
    titled(figure, finding(points, frames["comparisons"]), handles)
    for axes, place in zip(grid.ravel(), shown, strict=False):
        own = at(points, place)
        marks = list(zip(100 * own["x"], 100 * own["y"], strict=True))
        for row in labelled_points(own).itertuples():  # labels avoid the drawn intervals, too
            marks += [(100 * x, 100 * row.y) for x in np.linspace(row.x_low, row.x_high, 60) if pd.notna(x)]
            marks += [(100 * row.x, 100 * y) for y in np.linspace(row.y_low, row.y_high, 60) if pd.notna(y)]
        label_marks(axes, marks, labels_of(own))
    return figure, points
