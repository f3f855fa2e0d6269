"""What each fault of the published code changes, one by one and all at once."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.multitask.labels import (
    ALL,
    METRICS,
    ODDS,
    PUBLISHED,
    WITHOUT,
    at,
    chance,
    colour_of,
    compared,
    data_note,
    dataset_title,
    datasets,
    fault_title,
    in_order,
    method_title,
    signed,
)
from scripts.multitask.methods import METHODS

SHOWN = ("accuracy", ODDS)
COLUMNS = ["source", "dataset", "method", "variant", "metric", "value", "ci_low", "ci_high", "interval", "seeds"]


def fault_rows(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return what every fault changes of the corrected method, means over tasks; all at once comes last."""
    rows = compared(comparisons, SHOWN, WITHOUT, protocol=None).rename(columns={"first": "method"})
    parts = []
    for source in datasets(rows):
        own = at(rows, source)
        several = set(own.loc[own["variant"] != ALL, "method"])
        for method in sorted(in_order(own["method"]), key=lambda name: name not in several):
            mine = own[own["method"] == method]
            parts += [mine[mine["variant"] != ALL], mine[mine["variant"] == ALL]]
    return figures.stack(parts, COLUMNS)


def finding(rows: pd.DataFrame) -> list[str]:
    """Return per dataset and method the fault that changes bias most, and how many surely change anything."""
    sentences = []
    for source in datasets(rows):
        single = at(rows, source)
        single = single[single["variant"] != ALL]
        for method in dict.fromkeys(single["method"]):
            own = single[single["method"] == method]
            odds = own[own["metric"] == ODDS]
            if len(odds) < 2:
                continue
            row = odds.loc[odds["value"].abs().idxmax()]
            sure = own[(own["ci_low"] > 0) | (own["ci_high"] < 0)]["variant"].nunique()
            text = f"{dataset_title(rows, source)}, {method_title(method)}: \u201c{fault_title(row.variant)}\u201d"
            text += f" changes bias most, {signed(row.value)} points{chance(row.ci_low, row.ci_high)}"
            sentences.append(f"{text}; {sure or 'none'} of {own['variant'].nunique()} faults surely change anything.")
    return sentences[:3]


def whole_title(method: str) -> str:
    """Return the words for all faults of a method: the only one by its name."""
    entry = METHODS.get(f"{method}_{PUBLISHED}")
    faults = entry.faults if entry else ()
    return fault_title(faults[0]) if len(faults) == 1 else fault_title(ALL)


def draw_panel(axes: Axes, rows: pd.DataFrame, order: list[tuple[str, str]]) -> None:
    """Draw one metric's bars in points, a line per method and fault."""
    for row in rows.itertuples():
        place, colour = order.index((row.method, row.variant)), colour_of(row.method)
        one = pd.DataFrame([row])
        bars = figures.offsets(100 * one.value, 100 * one.ci_low, 100 * one.ci_high)
        style = {"ecolor": figures.BLACK, "elinewidth": 1.1, "capsize": 2.5}
        whole = {"hatch": "////", "edgecolor": "white", "lw": 0} if row.variant == ALL else {}
        axes.barh(place, 100 * row.value, height=0.62, color=colour, alpha=0.7, **whole)
        axes.errorbar([100 * row.value], [place], xerr=bars, fmt="none", **style)
    axes.axvline(0, color=figures.BLACK, lw=0.9)
    axes.set(ylim=(len(order) - 0.4, -0.6), yticks=range(len(order)), yticklabels=[])
    axes.grid(axis="y", visible=False)
    methods = [method for method, _ in order]
    for place in np.flatnonzero(np.array(methods[1:]) != np.array(methods[:-1])):
        axes.axhline(place + 0.5, color="#BBBBBB", lw=0.8)


def draw_faults(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw the change of accuracy and of equalized odds by every published fault, a row of panels per dataset."""
    rows = fault_rows(frames["comparisons"])
    if rows.empty:
        return without_data("No published faults were switched on in these results.", COLUMNS)
    shown = datasets(rows)
    orders = {
        source: list(dict.fromkeys(zip(at(rows, source)["method"], at(rows, source)["variant"], strict=True)))
        for source in shown
    }
    heights = [0.8 + 0.3 * len(orders[source]) for source in shown]
    figure = figures.new_figure(13.0, 2.0 + sum(heights))
    grid = figure.subplots(len(shown), 2, squeeze=False, gridspec_kw={"height_ratios": heights})
    for line, source in zip(grid, shown, strict=True):
        own = at(rows, source)
        for axes, metric in zip(line, SHOWN, strict=True):
            draw_panel(axes, own[own["metric"] == metric], orders[source])
            better = "left is fairer" if metric == ODDS else "right is more accurate"
            axes.set_xlabel(f"change of {METRICS[metric]}, points ({better})")
        names = [
            f"{method_title(method)}: {whole_title(method)}" if variant == ALL else fault_title(variant)
            for method, variant in orders[source]
        ]
        line[0].set_yticklabels(names, fontsize=9.5)
        line[0].set_title(dataset_title(rows, source), loc="left", fontsize=11.5)
    handles = {method_title(name): Patch(color=colour_of(name), alpha=0.7) for name in dict.fromkeys(rows["method"])}
    hatched = {"facecolor": "#888888", "edgecolor": "white", "hatch": "////", "lw": 0}
    handles["all faults at once"] = Patch(**hatched)
    note = "The method with one published fault minus the corrected method, same seed; means over tasks."
    note += " With one seed an interval covers the choice of tasks alone." if (rows["seeds"] == 1).any() else ""
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows)}")
    titled(figure, finding(rows), handles)
    return figure, rows
