"""Gap and balanced accuracy while a plan is carried out to a growing fraction of its rows."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from scripts.common import figures
from scripts.imbalance.drawings.layout import titled, without_data
from scripts.imbalance.labels import (
    BALANCED,
    GAP,
    MARKERS,
    METRICS,
    PLAN_COLOURS,
    at,
    data_note,
    in_order,
    method_title,
    place_title,
    places,
    points,
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


def finding(rows: pd.DataFrame) -> list[str]:
    """Return per dataset how much of the change of the gap half of the rows bring, for the plan that narrows it most."""
    sentences = []
    for place in places(rows):
        wide = at(rows, place).query("metric == @GAP").pivot_table(index=["plan", "generator"], columns="dose", values="value")
        if not {0.0, 1.0} <= set(wide.columns):
            continue
        change = wide.sub(wide[0.0], axis=0).dropna(subset=[1.0])
        if change.empty or change[1.0].min() >= 0:
            sentences.append(f"{place_title(place)}: no plan that ran at several doses narrows the gap.")
            continue
        best = change[1.0].idxmin()
        inner = [dose for dose in change.columns if 0 < dose < 1 and pd.notna(change.loc[best, dose])]
        if not inner:
            continue
        middle = min(inner, key=lambda dose: abs(dose - 0.5))
        text = f"{method_title(*best)} changes the gap by {points(change.loc[best, middle], signed=True)} points with"
        text += f" {100 * middle:.0f}\u00a0% of its rows, by {points(change.loc[best, 1.0], signed=True)} with all"
        sentences.append(f"{place_title(place)}: {text}.")
    return sentences[:3]


def draw_dose(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw gap and balanced accuracy against the fraction of a plan's rows, a column per dataset."""
    rows = dose_rows(frames["summary"])
    if rows.empty:
        return without_data("No plan ran at several doses in these results.", COLUMNS)
    shown = places(rows)
    figure = figures.new_figure(max(2.4 + 4.2 * len(shown), 8.6), 7.0)
    grid = figure.subplots(len(SHOWN), len(shown), squeeze=False, sharex=True)
    handles = {}
    for column, place in enumerate(shown):
        for line, metric in enumerate(SHOWN):
            axes = grid[line, column]
            own = at(rows, place)
            own = own[own["metric"] == metric]
            methods = list(dict.fromkeys(zip(own["plan"], own["generator"], strict=True)))
            for number, (plan, generator) in enumerate(methods):
                curve = own[(own["plan"] == plan) & (own["generator"] == generator)]
                colour = PLAN_COLOURS.get(plan, figures.PURPLE)
                bars = figures.offsets(100 * curve.value, 100 * curve.ci_low, 100 * curve.ci_high)
                # Side by side, so that intervals do not cover one another.
                x = 100 * curve["dose"] + 0.9 * (number - (len(methods) - 1) / 2)
                mark = {"fmt": MARKERS.get(generator, "h"), "ls": "-", "ms": 6, "lw": 1.5, "elinewidth": 0.9}
                face = "white" if generator in ("bootstrap", "weights") else colour
                drawn = axes.errorbar(x, 100 * curve["value"], yerr=bars, color=colour, mfc=face, **mark)
                handles[method_title(plan, generator)] = drawn
            axes.set_xticks([0, 25, 50, 75, 100])
            if column == 0:
                axes.set_ylabel(f"{METRICS[metric]},\npoints")
        grid[0, column].set_title(place_title(place), loc="left")
        grid[-1, column].set_xlabel("rows of the plan that are added, %")
    note = "0 %: real rows alone; 100 %: the whole plan. Hollow marks are controls."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows)}")
    titled(figure, finding(rows), handles)
    return figure, rows
