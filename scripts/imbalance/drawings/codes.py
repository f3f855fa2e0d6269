"""Published numbers against our splits with moved and with kept category codes: which splits the fault damages."""

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.common.points import points
from scripts.imbalance.labels import (
    BALANCED,
    METRICS,
    Place,
    at,
    data_note,
    in_order,
    main_runs,
    method_title,
    place_title,
    places,
    published_method,
    published_numbers,
)
from scripts.imbalance.names import CORRECTED, NO_PLAN
from scripts.imbalance.names import PUBLISHED as AS_PUBLISHED

SHOWN = ("f1_score", BALANCED)
COLOURS = {AS_PUBLISHED: figures.VERMILION, CORRECTED: figures.BLUE}
TITLES = {AS_PUBLISHED: "codes as published", CORRECTED: "codes kept"}
COLUMNS = ["dataset", "attributes", "protocol", "plan", "generator", "metric", "split", "lost", "value"]
COLUMNS += ["published", "published_deviation"]


def lost_splits(facts: pd.DataFrame, place: Place) -> list[int]:
    """Return the splits in which a category occurs in the test part only."""
    text = ", ".join(at(facts, place)["lost"].dropna().astype(str))
    return [int(number) for number in text.split(",") if number.strip()]


def shown_splits(splits: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Return the values per split of the methods that ran in both protocols, with the published mean and deviation.

    Where a dataset has published numbers, only methods that have one are kept, and where any dataset has published
    deviations, only such datasets.
    """
    rows = main_runs(splits, None)
    rows = rows[rows["metric"].isin(SHOWN)]
    both = rows.groupby(["dataset", "attributes", "method"])["protocol"].transform("nunique") == 2
    parts = []
    for place in places(rows[both]):
        own = in_order(at(rows[both], place))
        means, deviations = published_numbers(place), published_numbers(place, deviations=True)
        named = [
            published_method(plan, generator) for plan, generator in zip(own["plan"], own["generator"], strict=True)
        ]
        keys = list(zip(named, own["metric"], strict=True))
        own = own.assign(
            published=[means.get(name, {}).get(metric, math.nan) for name, metric in keys],
            published_deviation=[deviations.get(name, {}).get(metric, math.nan) for name, metric in keys],
            lost=own["split"].isin(lost_splits(facts, place)),
        )
        known = own.groupby("method")["published"].transform("count") > 0
        parts.append(own[known] if known.any() else own)
    published = [own for own in parts if own["published_deviation"].notna().any()]
    return figures.stack(published or parts, COLUMNS)


def finding(rows: pd.DataFrame) -> list[str]:
    """Return per dataset what moved codes do to balanced accuracy and to its deviation, beside the published one."""
    sentences = []
    for place in places(rows):
        own = at(rows, place)
        own = own[(own["metric"] == BALANCED) & (own["plan"] != NO_PLAN)]
        wide = own.pivot_table(index=["plan", "generator", "split", "lost"], columns="protocol", values="value")
        if wide.empty:
            continue
        change = (wide[AS_PUBLISHED] - wide[CORRECTED]).rename("change").reset_index()
        inside, outside = change[change["lost"]]["change"], change[~change["lost"]]["change"]
        if inside.empty:
            largest = points(outside.abs().max())
            text = f"no split loses a category, and no balanced accuracy moves by more than {largest} points"
        else:
            text = (
                f"{own[own['lost']]['split'].nunique()} of {own['split'].nunique()} splits lose a category; there the"
            )
            text += f" shifted codes change balanced accuracy by {points(inside.mean(), signed=True)} points"
            text += f", elsewhere by {points(outside.mean(), signed=True)}" if len(outside) else ""
        sentences.append(f"{place_title(place)}: {text}.{_deviations(own)}")
    return sentences[:3]


def _deviations(rows: pd.DataFrame) -> str:
    """Return the published standard deviation (ddof 0) beside ours, as means over methods; "" without any."""
    known = rows[rows["published_deviation"].notna()]
    if known.empty:
        return ""
    methods = known.groupby(["protocol", "plan", "generator"])
    ours = methods["value"].std(ddof=0).groupby("protocol").mean()
    published = points(methods["published_deviation"].first().mean())
    shifted, kept = (points(ours[protocol]) for protocol in COLOURS)
    text = f" Its standard deviation over splits is {published} points in the paper, {shifted} with the shift"
    return f"{text} and {kept} without (means over methods)."


def draw_panel(axes: Axes, rows: pd.DataFrame, order: list[tuple[str, str]]) -> None:
    """Draw the published mean and deviation as a bar and each split as a dot, per method."""
    for place, (plan, generator) in enumerate(order):
        own = rows[(rows["plan"] == plan) & (rows["generator"] == generator)]
        if own.empty:
            continue
        mean, deviation = own[["published", "published_deviation"]].iloc[0]
        if pd.notna(mean):
            wide = 0.0 if pd.isna(deviation) else deviation
            axes.plot([mean - wide, mean + wide], [place - 0.26] * 2, color="#9A9A9A", lw=5, solid_capstyle="butt")
            axes.plot([mean], [place - 0.26], marker="|", ms=9, mew=2, color=figures.BLACK)
        for height, (protocol, colour) in zip((0.0, 0.26), COLOURS.items(), strict=True):
            ours = own[own["protocol"] == protocol]["value"].mean()
            axes.plot([ours], [place + height], marker="|", ms=9, mew=2, color=colour)
            for lost, marker in ((False, "o"), (True, "X")):
                dots = own[(own["protocol"] == protocol) & (own["lost"] == lost)]
                face = {"color": colour, "edgecolor": "white", "lw": 0.5, "zorder": 3}
                axes.scatter(dots["value"], [place + height] * len(dots), marker=marker, s=58 if lost else 30, **face)
    for place in range(1, len(order)):
        axes.axhline(place - 0.5, color="#D0D0D0", lw=0.8)
    axes.set(ylim=(len(order) - 0.5, -0.5), yticks=range(len(order)), yticklabels=[])
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", nbins=6)


def draw_codes(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw published numbers beside ours per split, F1 and balanced accuracy, a row of panels per dataset."""
    rows = shown_splits(frames["splits"], frames["facts"])
    if rows.empty:
        return without_data("No method ran both with the codes as published and with codes kept.", COLUMNS)
    shown = places(rows)
    orders = {}
    for place in shown:
        own = at(rows, place)
        orders[place] = list(dict.fromkeys(zip(own["plan"], own["generator"], strict=True)))
    heights = [len(orders[place]) + 1.2 for place in shown]
    figure = figures.new_figure(11.0, 1.9 + 0.42 * sum(heights) + 0.5 * len(shown))
    grid = figure.subplots(len(shown), len(SHOWN), squeeze=False, gridspec_kw={"height_ratios": heights})
    for line, place in zip(grid, shown, strict=True):
        own = at(rows, place)
        for axes, metric in zip(line, SHOWN, strict=True):
            draw_panel(axes, own[own["metric"] == metric], orders[place])
            axes.set_xlabel(METRICS[metric], fontsize=10)
        line[0].set_yticks(range(len(orders[place])), [method_title(*key) for key in orders[place]], fontsize=9)
        line[0].set_title(place_title(place), loc="left", fontsize=11)
    handles = {"published, mean ± sd": Line2D([], [], color="#9A9A9A", lw=5)}
    handles |= {f"{TITLES[name]}, one split": _dot("o", colour) for name, colour in COLOURS.items()}
    if rows["lost"].any():
        handles["split that loses a category"] = _dot("X", figures.BLACK)
    note = "Each dot is one split, a tick the mean; published: mean and standard deviation of 6 splits; no intervals."
    note += " Our copula and VAE stand beside sdv's Gaussian copula and TVAE."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows)}")
    titled(figure, finding(rows), handles)
    return figure, rows


def _dot(marker: str, colour: str) -> Line2D:
    return Line2D([], [], ls="", marker=marker, color=colour, ms=7)
