"""Every task from its single-task network to the shared one: accuracy, equalized odds, selection rate."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.multitask.labels import (
    FAIRBRANCH,
    LIKE,
    MAJORITY,
    METRICS,
    ODDS,
    SELECTED,
    STL,
    STL_FAIR,
    at,
    colour_of,
    compared,
    data_note,
    dataset_title,
    datasets,
    method_title,
    single_values,
    task_title,
)

SHOWN = ("accuracy", ODDS, SELECTED)
DUMBBELLS = (("vanilla", STL), (FAIRBRANCH, STL_FAIR))  # a shared network and the single-task networks trained alike
FIRST = tuple(first for first, _ in DUMBBELLS)
NEAR = 0.01  # of the majority's accuracy
OFFSETS = (-0.17, 0.17)
COLUMNS = ["source", "dataset", "task", "method", "metric", "value", "tick", "seeds"]


def task_values(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds of every task, method of the dumbbells and metric.

    `tick` is the accuracy of the majority class, and beside selection rates the fraction of label 1.
    """
    rows = single_values(metrics, [*SHOWN, "prevalence"])
    constant = rows[rows["method"] == MAJORITY].replace({"metric": {SELECTED: "none", "prevalence": SELECTED}})
    constant = constant[constant["metric"].isin(("accuracy", SELECTED))].set_index(["source", "task", "metric"])
    rows = rows[rows["method"].isin([name for pair in DUMBBELLS for name in pair]) & rows["metric"].isin(SHOWN)]
    keys = ["source", "dataset", "task", "method", "metric"]
    found = rows.groupby(keys, sort=False).agg(value=("value", "mean"), seeds=("seed", "nunique")).reset_index()
    places = pd.MultiIndex.from_frame(found[["source", "task", "metric"]])
    return found.assign(tick=constant["value"].reindex(places).to_numpy())[COLUMNS]


def transfers(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the differences of single tasks to single-task networks trained alike."""
    rows = compared(comparisons, ["accuracy", ODDS], LIKE, mean=False)
    return rows[rows["first"].isin(FIRST)]


def finding(values: pd.DataFrame, differences: pd.DataFrame) -> list[str]:
    """Return per dataset how many tasks are less fair than alone, and how many accuracies are near the majority."""
    sentences = []
    for source in datasets(values):
        own, parts = at(values, source), []
        for method in FIRST:
            odds = at(differences, source)
            odds = odds[(odds["first"] == method) & (odds["metric"] == ODDS)]
            if len(odds):
                sure = int((odds["ci_low"] > 0).sum())
                said = f" ({sure} surely)" if sure else ""
                parts.append(f"{(odds['value'] > 0).sum()}{said} with {method_title(method)}")
        if not parts:
            continue
        text = f"{dataset_title(values, source)}: {', '.join(parts)} of {own['task'].nunique()} tasks"
        text += " are less fair than alone"
        mine = own[(own["metric"] == "accuracy") & (own["method"] == FAIRBRANCH) & own["tick"].notna()]
        if len(mine):
            text += f"; FairBranch is within a point of the majority in {(mine['value'] < mine['tick'] + NEAR).sum()}"
        sentences.append(f"{text}.")
    return sentences[:3]


def draw_panel(axes: Axes, values: pd.DataFrame, tasks: list[str]) -> None:
    """Draw the dumbbells of one metric, a line per task and pair; a tick for the majority class or the base rate."""
    places = pd.Series(range(len(tasks)), index=tasks)
    ticks = values.drop_duplicates("task").set_index("task")["tick"].dropna()
    y = places[ticks.index]
    axes.vlines(100 * ticks, y - 0.38, y + 0.38, color=figures.BLACK, lw=2.2, zorder=2)
    wide = 100 * values.pivot_table(index="task", columns="method", values="value").reindex(tasks)
    for offset, (first, second) in zip(OFFSETS, DUMBBELLS, strict=True):
        colour, y = colour_of(first), places.to_numpy() + offset
        if {first, second} <= set(wide.columns):
            axes.hlines(y, wide[first], wide[second], color=colour, lw=2.0, alpha=0.6, zorder=3)
        for name in (second, first):
            if name in wide.columns:
                face = {"fc": "white" if name == second else colour, "ec": colour, "lw": 1.3, "zorder": 4}
                axes.scatter(wide[name], y, s=30, **face)
    axes.set(ylim=(len(tasks) - 0.45, -0.55), yticks=range(len(tasks)), yticklabels=[])
    axes.grid(axis="y", visible=False)
    axes.hlines(places[1:] - 0.5, 0, 1, transform=axes.get_yaxis_transform(), color="#E8E8E8", lw=0.8, zorder=0)
    axes.locator_params(axis="x", nbins=6)


def draw_tasks(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw every task's accuracy, equalized odds and selection rate, from single-task to shared networks."""
    values = task_values(frames["metrics"])
    if values.empty:
        return without_data("No single-task networks, vanilla or FairBranch in these results.", COLUMNS)
    shown = datasets(values)
    names = {source: list(dict.fromkeys(at(values, source)["task"])) for source in shown}
    heights = [0.7 + 0.36 * len(names[source]) for source in shown]
    figure = figures.new_figure(13.0, 2.2 + sum(heights))
    grid = figure.subplots(len(shown), len(SHOWN), squeeze=False, gridspec_kw={"height_ratios": heights})
    for line, source in zip(grid, shown, strict=True):
        own = at(values, source)
        for axes, metric in zip(line, SHOWN, strict=True):
            mine = own[own["metric"] == metric]
            if len(mine):
                draw_panel(axes, mine, names[source])
            if source == shown[-1]:
                better = {"accuracy": " (right is better)", ODDS: " (left is better)"}.get(metric, "")
                axes.set_xlabel(f"{METRICS[metric]}, {'points' if metric == ODDS else '%'}{better}")
        line[0].set_yticklabels([task_title(task) for task in names[source]], fontsize=9.5)
        line[0].set_title(dataset_title(values, source), loc="left", fontsize=11.5)
    handles = {}
    for first, second in DUMBBELLS:
        colour = colour_of(first)
        if first in set(values["method"]) or second in set(values["method"]):
            style = {"color": colour, "marker": "o", "ms": 6.5}
            handles[method_title(second)] = Line2D([], [], mfc="white", lw=0, **style)
            handles[f"→ {method_title(first)}"] = Line2D([], [], lw=2.0, **style)
    handles["majority class; right: base rate"] = Line2D([], [], ls="", marker="|", mew=2.2, ms=11, color=figures.BLACK)
    note = (
        "Each shared network beside single-task networks trained with the same losses; means over seeds, no intervals."
    )
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, values)}")
    titled(figure, finding(values, transfers(frames["comparisons"])), handles)
    return figure, values
