"""Gap and balanced accuracy while a plan is carried out to a growing fraction of its rows."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import RIGHT, label_marks, titled, without_data
from scripts.common.points import points
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
    place_title,
    places,
    plan_title,
)
from scripts.imbalance.names import CORRECTED, MAIN, NO_PLAN, REAL

SHOWN = (GAP, BALANCED)
COLUMNS = ["dataset", "attributes", "plan", "generator", "method", "dose", "metric", "value", "ci_low", "ci_high"]
COLUMNS += ["interval", "seeds"]


def dose_rows(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the corrected numbers of the methods that ran at several doses; real rows stand for dose 0."""
    rows = summary[(summary["protocol"] == CORRECTED) & (summary["variant"] == MAIN) & (summary["subgroup"] == "all")]
    rows = rows[rows["metric"].isin(SHOWN) & rows["value"].notna()]
    parts = []
    for place in places(rows):
        own = at(rows, place)
        real = own[own["generator"] == REAL]
        for method, curve in in_order(own[own["plan"] != NO_PLAN]).groupby("method", sort=False):
            if not curve["dose"].between(0, 1, inclusive="neither").any():
                continue
            about = {"method": method, "plan": curve["plan"].iloc[0], "generator": curve["generator"].iloc[0]}
            start = pd.DataFrame() if (curve["dose"] == 0).any() else real.assign(dose=0.0, **about)
            parts.append(pd.concat([start, curve]).sort_values(["metric", "dose"]))
    return figures.stack(parts, COLUMNS)


def finding(rows: pd.DataFrame, comparisons: pd.DataFrame) -> list[str]:
    """Return per dataset how the gap changes with half of the rows and with all, of the method that narrows it most.

    A change that the paired test cannot tell from chance is called so.
    """
    tests = differences_to(comparisons, REAL, (GAP,))
    sentences = []
    for place in places(rows):
        own = at(rows, place)
        wide = own[own["metric"] == GAP].pivot_table(index=["plan", "generator"], columns="dose", values="value")
        if not {0.0, 1.0} <= set(wide.columns):
            continue
        change = wide.sub(wide[0.0], axis=0).dropna(subset=[1.0])
        if change.empty or change[1.0].min() >= 0:
            sentences.append(f"{place_title(place)}: no plan that ran at several doses narrows the gap.")
            continue
        plan, generator = best = change[1.0].idxmin()
        test = at(tests, place)
        test = test[(test["plan"] == plan) & (test["generator"] == generator)]
        whole = points(change.loc[best, 1.0], signed=True)
        text = f"{place_title(place)}: {plan_title(plan)} with {generator_title(generator)} changes the gap by"
        inner = [dose for dose in change.columns if 0 < dose < 1 and pd.notna(change.loc[best, dose])]
        if test.empty or test["p_holm"].iloc[0] >= SURE:
            sentences.append(f"{text} {whole} points with all its rows, which may be chance.")
        elif inner:
            middle = min(inner, key=lambda dose: abs(dose - 0.5))
            part = points(change.loc[best, middle], signed=True)
            sentences.append(f"{text} {part} points with {100 * middle:.0f}\u00a0% of its rows, by {whole} with all.")
    return sentences[:3]


def draw_panel(axes: Axes, rows: pd.DataFrame) -> list[tuple[float, float, str, str]]:
    """Draw the curves of one dataset and metric; return the labels of the plans at their ends (x, y, text, colour).

    Of each plan, one method has a thick line and intervals: its first control, else its first generator.
    """
    labels = []
    for plan, curves in rows.groupby("plan", sort=False):
        colour = PLAN_COLOURS.get(plan, figures.PURPLE)
        for number, (generator, curve) in enumerate(curves.groupby("generator", sort=False)):
            first, x, y = number == 0, 100 * curve["dose"], 100 * curve["value"]
            bars = figures.offsets(y, 100 * curve.ci_low, 100 * curve.ci_high) if first else None
            face = {"mfc": "white" if generator in CONTROLS else colour, "ms": 6 if first else 4.5, "elinewidth": 1.0}
            lines = {"ls": "-", "lw": 1.8 if first else 0.8, "alpha": 1.0 if first else 0.75, "zorder": 3 - first}
            axes.errorbar(x, y, yerr=bars, color=colour, fmt=MARKERS.get(generator, "h"), **face, **lines)
            if first:
                labels.append((x.iloc[-1], y.iloc[-1], plan_title(plan), colour))
    return labels


def draw_dose(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw gap and balanced accuracy against the fraction of a plan's rows, a column per dataset."""
    rows = dose_rows(frames["summary"])
    if rows.empty:
        return without_data("No plan ran at several doses in these results.", COLUMNS)
    shown = places(rows)
    figure = figures.new_figure(max(1.6 + 4.4 * len(shown), 8.6), 7.0)
    grid = figure.subplots(len(SHOWN), len(shown), squeeze=False, sharex=True)
    labels = []
    for column, place in enumerate(shown):
        own = at(rows, place)
        for axes, metric in zip(grid[:, column], SHOWN, strict=True):
            mine = own[own["metric"] == metric]
            labels.append((axes, mine, draw_panel(axes, mine)))
            axes.set(xticks=[0, 25, 50, 75, 100], xlim=(-4, 126))  # room for labels
            if metric == GAP:
                axes.set_ylim(bottom=max(0, axes.get_ylim()[0]))  # a gap is not negative
            if column == 0:
                axes.set_ylabel(f"{METRICS[metric]},\npoints")
        grid[0, column].set_title(place_title(place), loc="left")
        grid[-1, column].set_xlabel("rows of the plan that are added, %")
    handles = {}
    for name in in_order(rows)["generator"].unique():
        face = "white" if name in CONTROLS else figures.BLACK
        mark = {"marker": MARKERS.get(name, "h"), "mfc": face, "mec": figures.BLACK, "ms": 6}
        handles[generator_title(name)] = Line2D([], [], color=figures.BLACK, lw=1.0, **mark)
    note = "0 %: real rows alone; 100 %: the whole plan. Intervals on one curve per plan."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows)}")
    titled(figure, finding(rows, frames["comparisons"]), handles)
    for axes, mine, texts in labels:
        label_marks(axes, list(zip(100 * mine["dose"], 100 * mine["value"], strict=True)), texts, RIGHT)
    return figure, rows
