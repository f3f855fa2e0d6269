"""Paired differences to the classifier fitted on real rows, per plan and generator, with controls in grey."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.imbalance.drawings.layout import titled, without_data
from scripts.imbalance.generators import BOOTSTRAP
from scripts.imbalance.labels import (
    BALANCED,
    CONTROLS,
    GAP,
    METRICS,
    PLAN_COLOURS,
    Place,
    at,
    data_note,
    generator_title,
    in_order,
    is_control,
    main_runs,
    place_title,
    places,
    plan_title,
    points,
)
from scripts.imbalance.names import NO_PLAN, REAL

SHOWN = (BALANCED, GAP)
SURE = 0.05  # Holm's p below which a difference is drawn filled and counted


def differences_to(comparisons: pd.DataFrame, second: str, metrics: tuple[str, ...] = SHOWN) -> pd.DataFrame:
    """Return the corrected differences of whole plans to `second`: "real", or "bootstrap" of the same plan."""
    rows = main_runs(comparisons)
    against = rows["plan"] + " " + BOOTSTRAP if second == BOOTSTRAP else second
    rows = rows[(rows["second"] == against) & rows["metric"].isin(metrics) & (rows["subgroup"] == "all")]
    return in_order(rows[rows["value"].notna()]).reset_index(drop=True)


def with_generators(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the datasets with at least two generators beside the controls, or all if there is none."""
    rivals = rows["generator"].where(~is_control(rows["generator"]))
    several = rivals.groupby([rows["dataset"], rows["attributes"]]).transform("nunique") > 1
    return rows[several].reset_index(drop=True) if several.any() else rows


def finding(comparisons: pd.DataFrame) -> list[str]:
    """Return per dataset which plan narrows the gap most, and whether a generator beats copies; three at most."""
    to_real, to_copies = (differences_to(comparisons, second, (GAP,)) for second in (REAL, BOOTSTRAP))
    sentences = []
    for place in places(with_generators(to_real)):
        own = at(to_real, place)
        sure = own[(own["p_holm"] < SURE) & (own["value"] < 0) & (own["plan"] != NO_PLAN)]
        if sure.empty:
            sentences.append(f"{place_title(place)}: no plan narrows the gap significantly.")
            continue
        best = sure.loc[sure["value"].idxmin()]
        rival = at(to_copies, place)
        rival = rival[~is_control(rival["generator"])]
        better = rival[(rival["p_holm"] < SURE) & (rival["value"] < 0)]
        end = "no generator was compared with copies"
        if len(rival):
            names = list(dict.fromkeys(generator_title(name) for name in better["generator"]))
            end = f"{' and '.join(names)} beats copies" if len(names) == 1 else f"{', '.join(names)} beat copies"
            end = end if names else "no generator beats copies of real rows"
        text = f"{plan_title(best['plan'])} narrows the gap by {points(-best['value'])} points"
        sentences.append(f"{place_title(place)}: {text} ({generator_title(best['generator'])}); {end}.")
    return sentences[:3]


def draw_panel(axes: Axes, rows: pd.DataFrame, order: list[tuple[str, str]]) -> None:
    """Draw the differences of one metric in points, one line per method of `order`."""
    for row in rows.itertuples():
        place = order.index((row.plan, row.generator))
        colour = figures.GREY if row.generator in CONTROLS else PLAN_COLOURS.get(row.plan, figures.PURPLE)
        one = pd.DataFrame([row])
        bars = figures.offsets(100 * one.value, 100 * one.ci_low, 100 * one.ci_high)
        sure = row.p_holm < SURE
        face = {"mfc": colour if sure else "white", "mec": colour, "ms": 6.5, "elinewidth": 1.3}
        axes.errorbar(
            [100 * row.value], [place], xerr=bars, fmt="s" if colour == figures.GREY else "o", color=colour, **face
        )
    axes.axvline(0, color=figures.BLACK, lw=0.9)
    plans = [plan for plan, _ in order]
    for place in range(1, len(order)):
        if plans[place] != plans[place - 1]:
            axes.axhline(place - 0.5, color="#BBBBBB", lw=0.8)
    axes.set(ylim=(len(order) - 0.4, -0.6), yticks=range(len(order)), yticklabels=[])
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", nbins=5)


def draw_forest(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw paired differences of balanced accuracy and gap to real rows, two panels per dataset."""
    rows = with_generators(differences_to(frames["comparisons"], REAL))
    if rows.empty:
        return without_data("No paired differences to real rows in these results.", list(rows.columns))
    shown: list[Place] = places(rows)
    order = list(dict.fromkeys(zip(rows["plan"], rows["generator"], strict=True)))
    per_line = min(2, len(shown))
    lines = -(-len(shown) // per_line)
    figure = figures.new_figure(2.6 + 4.9 * per_line, 1.9 + lines * (0.8 + 0.235 * len(order)))
    grid = figure.subplots(lines, 2 * per_line, squeeze=False)
    for number, place in enumerate(shown):
        line, left = divmod(number, per_line)
        own = at(rows, place)
        for side, metric in enumerate(SHOWN):
            axes = grid[line, 2 * left + side]
            draw_panel(axes, own[own["metric"] == metric], order)
            axes.set_title(place_title(place) if side == 0 else "", loc="left", fontsize=11)
            axes.set_xlabel(f"{METRICS[metric]},\npoints", fontsize=10)
    for axes in grid.ravel()[2 * len(shown) :]:
        axes.set_visible(False)
    for line in grid:
        line[0].set_yticks(range(len(order)), [generator_title(name) for _, name in order], fontsize=9)
        plans = [plan for plan, _ in order]
        for plan in dict.fromkeys(plans):
            middle = plans.index(plan) + (plans.count(plan) - 1) / 2
            text = (
                "no plan"
                if plan == NO_PLAN
                else plan_title(plan).replace(" and ", "\nand ").replace(" ratio", "\nratio")
            )
            where = {"xycoords": line[0].get_yaxis_transform(), "ha": "center", "va": "center", "rotation": 90}
            colour = PLAN_COLOURS.get(plan, figures.PURPLE)
            line[0].annotate(
                text, (-0.78, middle), fontsize=9.5, color=colour, fontweight="bold", annotation_clip=False, **where
            )
    handles = {"generator, in the colour of its plan": _mark("o", figures.BLUE), "control": _mark("s", figures.GREY)}
    handles[f"hollow: Holm's p ≥ {SURE:g}"] = Line2D([], [], ls="", marker="o", mfc="white", mec=figures.BLACK, ms=6.5)
    note = "Method minus real rows on the same splits. Accuracy: right is better; gap: left is better."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows)}")
    titled(figure, finding(frames["comparisons"]), handles)
    return figure, rows


def _mark(marker: str, colour: str) -> Line2D:
    return Line2D([], [], ls="", marker=marker, color=colour, ms=6.5)
