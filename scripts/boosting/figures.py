"""All figures of the study, and the explorer beside the Pareto fronts."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from scripts.boosting.drawings_rounds import draw_rounds, draw_weights
from scripts.boosting.explorer import write_explorer
from scripts.boosting.looks import (
    FAMILIES,
    KEYS,
    MEASURES_ONE,
    MEASURES_SEVERAL,
    cells,
    data_note,
    family,
    is_single,
    labelled,
    need,
    of_measure,
)
from scripts.boosting.measures import WORST
from scripts.boosting.notions import ODDS, PARITY
from scripts.common import figures, parquet
from scripts.common.interval_kinds import in_words
from scripts.common.pareto import pareto_mask
from scripts.common.schemas.metrics import NO_ATTRIBUTE

BOUNDS = ["value", "ci_low", "ci_high"]
STAGES = {  # attribute, condition: words
    ("first", "stage=1"): "shortlist, by the first",
    ("second", "stage=2"): "hire among the shortlisted,\nby the second",
    ("first", ""): "end to end,\nby the first",
    ("second", ""): "end to end,\nby the second",
    ("first x second", ""): "end to end,\nall combinations",
}


def draw_methods(
    summary: pd.DataFrame, facts: pd.DataFrame, measures: dict[tuple[str, str], str]
) -> tuple[Figure, pd.DataFrame]:
    """Draw every arm with its interval, a row of panels per cell and a panel per measure; inside `figures.style()`."""
    parts = [of_measure(summary, *key) for key in measures]
    shown = labelled(need(pd.concat(parts, ignore_index=True), "the compared measures"))
    places = cells(shown)
    sizes = [shown[(shown.dataset == d) & (shown.attributes == a)]["arm"].nunique() for d, a in places]
    figure = figures.new_figure(4.4 + 1.95 * len(measures), 1.8 + sum(0.27 * size + 0.75 for size in sizes))
    grid = figure.subplots(len(places), len(measures), squeeze=False, gridspec_kw={"height_ratios": sizes})
    handles = {}
    for row, (dataset, attributes) in enumerate(places):
        cell = shown[(shown.dataset == dataset) & (shown.attributes == attributes)]
        order = list(dict.fromkeys(cell["arm"]))
        for axes, ((metric, attribute), words) in zip(grid[row], measures.items(), strict=True):
            own = of_measure(cell, metric, attribute)
            for point in own.itertuples():
                colour, marker, kind = family(point.method)
                place = order.index(point.arm)
                if pd.isna(point.value):
                    axes.annotate(
                        "undecided", (0.02, place), xycoords=axes.get_yaxis_transform(), va="center", fontsize=8
                    )
                    continue
                one = pd.DataFrame([point])
                handles[kind] = axes.errorbar(
                    [point.value], [place], xerr=figures.offsets(one.value, one.ci_low, one.ci_high), fmt=marker,
                    color=colour, ms=6, elinewidth=1.1,
                )  # fmt: skip
            axes.set(ylim=(len(order) - 0.5, -0.5), yticks=range(len(order)), yticklabels=[])
            if metric != "balanced_accuracy":
                axes.set_xlim(left=0)
            axes.locator_params(axis="x", nbins=4)
            if row == 0:
                axes.set_title(words, fontsize=10)
        grid[row, 0].set_yticks(range(len(order)), order, fontsize=9)
        grid[row, 0].set_ylabel(f"{dataset}\n{attributes}", fontweight="bold")
    order = [kind for kind in dict.fromkeys(words for *_, words in FAMILIES.values()) if kind in handles]
    figures.legend_above(figure, {kind: handles[kind] for kind in order}, columns=len(order))
    figures.footer(figure, data_note(facts, places, shown))
    return figure, shown


def fronts(summary: pd.DataFrame) -> pd.DataFrame:
    """Return balanced error (x) and the worst attribute's equalized odds gap, max form (y), and who is efficient."""
    across = of_measure(summary, "balanced_accuracy", NO_ATTRIBUTE)[[*KEYS, *BOUNDS, "interval", "n", "seeds"]]
    across = across.assign(x=1 - across.value, x_low=1 - across.ci_high, x_high=1 - across.ci_low).drop(columns=BOUNDS)
    up = of_measure(summary, ODDS, WORST)[[*KEYS, *BOUNDS]]
    up = up.set_axis([*KEYS, "y", "y_low", "y_high"], axis=1)
    joined = labelled(across.merge(up, on=KEYS))
    marked = []
    for dataset, attributes in cells(joined):
        own = joined[(joined.dataset == dataset) & (joined.attributes == attributes)]
        marked.append(own.assign(efficient=pareto_mask(own[["x", "y"]])))
    return pd.concat(marked, ignore_index=True)


def draw_fronts(summary: pd.DataFrame, rounds: pd.DataFrame, facts: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the plane of balanced error and gap with all arms and their front; call it inside `figures.style()`."""
    shown = need(fronts(summary), "arms")
    places = cells(shown)
    columns = min(2, len(places))
    lines = -(-len(places) // columns)
    figure, handles = figures.new_figure(6.2 * columns, 1.8 + 4.4 * lines), {}
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes, (dataset, attributes) in zip(grid.ravel(), places, strict=False):
        own = shown[(shown.dataset == dataset) & (shown.attributes == attributes)]
        cloud = rounds[(rounds.dataset == dataset) & (rounds.attributes == attributes) & (rounds.part == "test")]
        cloud = cloud[cloud["balanced_error"] < own["x_high"].max() + 0.04]
        handles["rounds of all boosters, first split"] = axes.scatter(
            cloud["balanced_error"], cloud[ODDS], s=4, color="#C8C8C8", zorder=1
        )
        for point in own.itertuples():
            colour, marker, kind = family(point.method)
            one = pd.DataFrame([point])
            handles[kind] = axes.errorbar(
                [point.x], [point.y], xerr=figures.offsets(one.x, one.x_low, one.x_high),
                yerr=figures.offsets(one.y, one.y_low, one.y_high), fmt=marker, color=colour, ms=7, mec="white",
                elinewidth=0.8, zorder=3,
            )  # fmt: skip
        front = own[own["efficient"]].sort_values("x")
        handles["Pareto front of the arms' means"] = axes.step(
            front["x"], front["y"], where="post", color=figures.BLACK, lw=1.5, ls="--", zorder=2
        )[0]
        for number, point in enumerate(front.itertuples(), start=1):
            axes.annotate(str(number), (point.x, point.y), (5, 4), textcoords="offset points", fontsize=10, zorder=5)
        words = "\n".join(f"{number}  {arm}" for number, arm in enumerate(front["arm"], start=1))
        box = {"facecolor": "white", "edgecolor": "#D0D0D0", "alpha": 0.9, "boxstyle": "square,pad=0.3"}
        axes.text(
            0.98,
            0.98,
            words,
            transform=axes.transAxes,
            fontsize=8.5,
            ha="right",
            va="top",
            ma="left",
            bbox=box,
            zorder=6,
        )
        axes.set(title=f"{dataset}: {attributes}", xlabel="balanced error", ylabel="equalized odds gap, max")
        axes.set_ylim(0, max(own["y_high"].max(), own["y"].max()) * 1.05)
    for axes in grid.ravel()[len(places) :]:
        axes.set_visible(False)
    figures.legend_above(figure, handles, columns=3)
    note = "Of several attributes the worst. Thresholds per group need the group to decide."
    figures.footer(figure, f"{data_note(facts, places, shown)} {note}")
    return figure, shown


def draw_stages(stages: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the gaps of each stage and end to end, per arm; call it inside `figures.style()`."""
    shown = need(stages[stages["metric"] == PARITY].reset_index(drop=True), "the two stages")
    arms = list(dict.fromkeys(shown["method"]))
    colours = dict(zip(arms, (figures.GREY, figures.ORANGE, figures.BLUE, figures.GREEN), strict=False))
    figure, handles = figures.new_figure(10.5, 4.8), {}
    axes = figure.add_subplot(ylabel="gap of the share that passes")
    for number, arm in enumerate(arms):
        own = shown[shown["method"] == arm].set_index(["attribute", "condition"]).loc[list(STAGES)].reset_index()
        places = [place + (number - (len(arms) - 1) / 2) * 0.16 for place in range(len(own))]
        bars = figures.offsets(own.value, own.ci_low, own.ci_high)
        handles[arm] = axes.errorbar(places, own.value, yerr=bars, fmt="o", color=colours[arm], ms=7, capsize=2)
    axes.set_xticks(range(len(STAGES)), STAGES.values())
    axes.set_ylim(0, None)
    figures.legend_above(figure, handles, columns=2)
    seeds, n, kind = int(shown["seeds"].max()), int(shown["n"].min()), in_words(shown["interval"])
    note = f"{shown['dataset'].iloc[0]}: {n:,} test applicants per seed; mean of {seeds} seeds; {kind}."
    figures.footer(figure, note)
    return figure, shown


def draw_all(paths: dict[str, str], folder: Path) -> None:
    """Write all figures and the explorer into `folder`."""
    data = {name: parquet.read(path) for name, path in paths.items()}
    summary, rounds, facts = data["summary"], data["rounds"], data["facts"]
    one = is_single(summary["attributes"])
    works = {
        "rounds": lambda: draw_rounds(rounds, facts),
        "weights": lambda: draw_weights(data["masses"], facts),
        "methods": lambda: draw_methods(summary[one], facts, MEASURES_ONE),
        "several_attributes": lambda: draw_methods(summary[~one], facts, MEASURES_SEVERAL),
        "fronts": lambda: draw_fronts(summary, rounds, facts),
        "two_stages": lambda: draw_stages(data["stages"]),
    }
    for name, work in works.items():
        with figures.style():
            figure, plotted = work()
            figures.save(figure, plotted, folder / name)
    write_explorer(data["candidates"], rounds, facts, folder / "fronts.html")
