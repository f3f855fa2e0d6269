"""Paired differences to the classifier fitted on real rows, per plan and generator, with controls in grey."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.common.points import points
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
        rival = rival[(rival["plan"] == best["plan"]) & ~is_control(rival["generator"])]
        better = rival[(rival["p_holm"] < SURE) & (rival["value"] < 0)]
        names = [generator_title(name) for name in better["generator"]]
        if rival.empty:
            end = "no generator was compared with copies"
        elif names:
            verb = "beats" if len(names) == 1 else "beat"
            end = f"of its generators, {' and '.join(names)} {verb} copies of real rows"
        else:
            end = "none of its generators beats copies of real rows"
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


def order_of(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the plans and generators of some rows, in the order of all figures."""
    one = in_order(rows.assign(dataset="", attributes=""))
    return list(dict.fromkeys(zip(one["plan"], one["generator"], strict=True)))


def name_rows(axes: Axes, order: list[tuple[str, str]]) -> None:
    """Write the generators at the left of a line of panels, and their plans further left."""
    axes.set_yticks(range(len(order)), [generator_title(name) for _, name in order], fontsize=9)
    plans = [plan for plan, _ in order]
    for plan in dict.fromkeys(plans):
        middle = plans.index(plan) + (plans.count(plan) - 1) / 2
        title = "no plan" if plan == NO_PLAN else plan_title(plan)
        title = title.replace(" and ", "\nand ").replace(" ratio", "\nratio")
        where = {"xycoords": axes.get_yaxis_transform(), "annotation_clip": False}
        style = {"ha": "center", "va": "center", "rotation": 90, "fontsize": 9.5, "fontweight": "bold"}
        axes.annotate(title, (-0.78, middle), color=PLAN_COLOURS.get(plan, figures.PURPLE), **where, **style)


def draw_forest(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw paired differences of balanced accuracy and gap to real rows, two panels per dataset."""
    rows = with_generators(differences_to(frames["comparisons"], REAL))
    if rows.empty:
        return without_data("No paired differences to real rows in these results.", list(rows.columns))
    number = {place: len(at(rows, place).drop_duplicates(["plan", "generator"])) for place in places(rows)}
    shown: list[Place] = sorted(number, key=number.get, reverse=True)  # those with as many rows side by side
    per_line = min(2, len(shown))
    pairs = [shown[start : start + per_line] for start in range(0, len(shown), per_line)]
    orders = [order_of(pd.concat([at(rows, place) for place in pair])) for pair in pairs]
    heights = [0.85 + 0.235 * len(order) for order in orders]
    figure = figures.new_figure(2.6 + 4.9 * per_line, 1.9 + sum(heights))
    grid = figure.subplots(len(pairs), 2 * per_line, squeeze=False, gridspec_kw={"height_ratios": heights})
    for line, pair, order in zip(grid, pairs, orders, strict=True):
        for axes in line[2 * len(pair) :]:
            axes.set_visible(False)
        for left, place in enumerate(pair):
            own = at(rows, place)
            for axes, metric in zip(line[2 * left : 2 * left + 2], SHOWN, strict=True):
                draw_panel(axes, own[own["metric"] == metric], order)
                axes.set_title(place_title(place) if metric == SHOWN[0] else "", loc="left", fontsize=11)
                axes.set_xlabel(f"{METRICS[metric]},\npoints", fontsize=10)
        name_rows(line[0], order)
    handles = {"generator, in the colour of its plan": _mark("o", figures.BLUE), "control": _mark("s", figures.GREY)}
    handles[f"hollow: Holm's p ≥ {SURE:g}"] = Line2D([], [], ls="", marker="o", mfc="white", mec=figures.BLACK, ms=6.5)
    note = "Method minus real rows on the same splits. Accuracy: right is better; gap: left is better."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows)}")
    titled(figure, finding(frames["comparisons"]), handles)
    return figure, rows


def _mark(marker: str, colour: str) -> Line2D:
    return Line2D([], [], ls="", marker=marker, color=colour, ms=6.5)
