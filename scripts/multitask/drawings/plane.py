"""The plane of gains: accuracy against bias of every method, both against single-task networks trained with F."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from scripts.common import figures
from scripts.common.layout import label_marks, titled, without_data
from scripts.multitask.labels import (
    FAIRBRANCH,
    KINDS,
    ODDS,
    STL_FAIR,
    UNLIKE,
    accuracy_alone,
    at,
    chance,
    colour_of,
    compared,
    data_note,
    dataset_title,
    datasets,
    in_order,
    is_variant,
    kind_of,
    method_title,
    signed,
)

BOUNDS = ["value", "ci_low", "ci_high"]
COLUMNS = ["source", "dataset", "method", "x", "x_low", "x_high", "y", "y_low", "y_high", "interval", "seeds"]
FIXED = ("fixed_01", "fixed_03", "fixed_1", "fixed_3")  # the path of one network from accuracy to fairness
HARM = "#F6DADA"
LOUD = (FAIRBRANCH, "l2t_fmt", "vanilla", "wb_fair")  # methods whose intervals are drawn in full


def gains(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return gain of accuracy (x) and of bias (y) of every method against single-task networks with F, corrected."""
    rows = compared(comparisons, ["accuracy", ODDS], UNLIKE)
    rows = rows[(rows["second"] == STL_FAIR) & ~rows["first"].map(is_variant)].rename(columns={"first": "method"})
    across = rows[rows["metric"] == "accuracy"][["source", "dataset", "method", *BOUNDS, "interval", "seeds"]]
    up = rows[rows["metric"] == ODDS][["source", "method", *BOUNDS]]
    across = across.rename(columns=dict(zip(BOUNDS, ["x", "x_low", "x_high"], strict=True)))
    up = up.rename(columns=dict(zip(BOUNDS, ["y", "y_low", "y_high"], strict=True)))
    joined = across.merge(up, on=["source", "method"])
    parts = []
    for source in datasets(joined):
        own = at(joined, source).set_index("method", drop=False)
        parts.append(own.loc[in_order(own["method"])])
    return figures.stack(parts, COLUMNS)


def finding(gained: pd.DataFrame) -> list[str]:
    """Return per dataset what FairBranch gains, and how many methods surely gain in both or lose in both."""
    sentences = []
    for source in datasets(gained):
        own = at(gained, source)
        both = own[(own["x_low"] > 0) & (own["y_high"] < 0)]
        harmed = own[(own["x_high"] < 0) & (own["y_low"] > 0)]
        parts = []
        for row in own[own["method"] == FAIRBRANCH].itertuples():
            accuracy = f"{signed(row.x)} points of accuracy{chance(row.x_low, row.x_high)}"
            parts.append(f"FairBranch {accuracy}, {signed(row.y)} of bias{chance(row.y_low, row.y_high)}")
        parts.append(f"surely better in both: {_names(both['method'], len(own))}")
        parts += [f"surely worse in both: {_names(harmed['method'], len(own))}"] if len(harmed) else []
        sentences.append(f"{dataset_title(gained, source)}: {'; '.join(parts)}.")
    return sentences[:3]


def _names(methods: pd.Series, of: int) -> str:
    """Return up to three methods by name, else how many they are."""
    if methods.empty:
        return f"none of {of} methods"
    return ", ".join(map(method_title, methods)) if len(methods) < 4 else f"{len(methods)} of {of} methods"


def draw_panel(axes: Axes, gained: pd.DataFrame) -> None:
    """Draw the methods of one dataset in points of a percent, reference and quadrant of harm."""
    for row in gained.itertuples():
        colour, loud = colour_of(row.method), row.method in LOUD
        one = pd.DataFrame([row])
        bars = {
            "xerr": figures.offsets(100 * one.x, 100 * one.x_low, 100 * one.x_high),
            "yerr": figures.offsets(100 * one.y, 100 * one.y_low, 100 * one.y_high),
        }
        quiet = {"elinewidth": 1.4 if loud else 0.7, "alpha": 0.75 if loud else 0.3, "zorder": 3 + loud}
        axes.errorbar([100 * row.x], [100 * row.y], **bars, fmt="none", ecolor=colour, **quiet)
        face = "white" if accuracy_alone(row.method) else colour
        axes.scatter([100 * row.x], [100 * row.y], s=70 if loud else 40, fc=face, ec=colour, lw=1.4, zorder=5 + loud)
    path = gained[gained["method"].isin(FIXED)].sort_values("method")
    axes.plot(100 * path["x"], 100 * path["y"], color=KINDS["sums"][1], lw=1.0, ls=":", zorder=2)
    axes.scatter([0], [0], marker="*", s=170, color=colour_of(STL_FAIR), zorder=7)
    left, right, low, high = *axes.get_xlim(), *axes.get_ylim()
    axes.fill_between([left, 0], 0, high, color=HARM, zorder=0, lw=0)
    axes.axhline(0, color=figures.BLACK, lw=0.8)
    axes.axvline(0, color=figures.BLACK, lw=0.8)
    axes.set(xlim=(left, right), ylim=(low, high))


def draw_plane(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw gain of accuracy against gain of bias of every method, a panel per dataset."""
    gained = gains(frames["comparisons"])
    if gained.empty:
        return without_data("No methods beside single-task networks with F in these results.", COLUMNS)
    shown = datasets(gained)
    columns = min(2, len(shown))
    lines = -(-len(shown) // columns)
    figure = figures.new_figure(max(6.6 * columns, 8.4), 2.2 + 4.9 * lines)
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, source in zip(grid.flat, shown, strict=False):
        draw_panel(axes, at(gained, source))
        axes.set_title(dataset_title(gained, source), loc="left")
        axes.set_xlabel("knowledge gain: accuracy minus that of STL with F, points")
        axes.set_ylabel("discrimination gain: equalized odds\n(sum) minus that of STL with F, points")
    kinds = list(dict.fromkeys(map(kind_of, gained["method"])))
    handles = {KINDS[kind][0]: Line2D([], [], ls="", marker="o", color=KINDS[kind][1], ms=7) for kind in kinds}
    hollow = {"marker": "o", "mfc": "white", "mec": figures.BLACK, "ms": 7}
    handles["hollow: trained for accuracy alone"] = Line2D([], [], ls="", **hollow)
    handles["STL with F, the reference"] = Line2D([], [], ls="", marker="*", color=figures.BLACK, ms=11)
    handles["less accurate and less fair"] = Patch(color=HARM)
    if gained["method"].isin(FIXED).any():
        handles["weight of F from .1 to 3"] = Line2D([], [], color=KINDS["sums"][1], lw=1.0, ls=":")
    note = "Right and down is better. Means over tasks; corrected protocol."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, gained)}")
    titled(figure, finding(gained), handles)
    for axes, source in zip(grid.flat, shown, strict=False):
        own = at(gained, source)
        marks = [(100 * x, 100 * y) for x, y in zip(own["x"], own["y"], strict=True)]
        texts = [method_title(name) for name in own["method"]]
        colours = map(colour_of, own["method"])
        labels = [(*mark, *rest) for mark, *rest in zip(marks, texts, colours, strict=True)]
        label_marks(axes, [*marks, (0, 0)], labels, halo=True)
    return figure, gained
