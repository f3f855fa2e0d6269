"""How often the fairness loss acts, by task and epoch: chosen by L2T-FMT's teacher, at random, or by FairBranch."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.common.points import points
from scripts.multitask.labels import (
    BETWEEN,
    FAIRBRANCH,
    ODDS,
    TEACHER,
    at,
    chance,
    compared,
    data_note,
    dataset_title,
    datasets,
    signed,
    task_title,
)

RANDOM = "teacher_random"
SHOWN = {
    TEACHER: "learned teacher of L2T-FMT",
    RANDOM: "random teacher, same shares",
    FAIRBRANCH: "FairBranch, steps with λ = 1",
}
COLOURS = LinearSegmentedColormap.from_list("share", ["#F4F4F4", "#F2C98A", figures.VERMILION])
COLUMNS = ["source", "dataset", "method", "seed", "task", "epoch", "value"]


def share_rows(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the share of steps in which the fairness loss acts, 0 to 1, by run, task and epoch."""
    rows = curves[(curves["quantity"] == "fairness_share") & curves["method"].isin(SHOWN)]
    return rows.astype({"task": object})[COLUMNS].reset_index(drop=True)


def finding(rows: pd.DataFrame, comparisons: pd.DataFrame) -> list[str]:
    """Return per dataset how often the teacher acts alike all epoch, its gain on random, and FairBranch's share."""
    paired = compared(comparisons, ["accuracy", ODDS], BETWEEN)
    sentences = []
    for source in datasets(rows):
        own, parts = at(rows, source), []
        learned = own[own["method"] == TEACHER]["value"]
        if len(learned):
            one = points(((learned == 0) | (learned == 1)).mean(), 0)
            parts.append(f"the teacher repeats one action all epoch in {one} %")
        pair = at(paired, source)
        pair = pair[(pair["first"] == TEACHER) & (pair["second"] == RANDOM)].set_index("metric")
        if {"accuracy", ODDS} <= set(pair.index):
            accuracy, bias = pair.loc[["accuracy", ODDS]].itertuples()
            doubts = [chance(row.ci_low, row.ci_high) for row in (accuracy, bias)]
            first, second = ["", doubts[1]] if doubts[0] == doubts[1] else doubts
            both = "both " if doubts[0] == doubts[1] == " (may be chance)" else ""
            text = f"against random {signed(accuracy.value)} points of accuracy{first}, {signed(bias.value)} of bias"
            parts.append(text + second.replace("(", f"({both}"))
        branched = own[own["method"] == FAIRBRANCH]["value"]
        if len(branched):
            parts.append(f"FairBranch uses F in {points(branched.mean(), 0)} % of its steps")
        sentences.append(f"{dataset_title(rows, source)}: {'; '.join(parts)}.")
    return sentences[:3]


def draw_panel(axes: Axes, rows: pd.DataFrame, tasks: list[str]) -> None:
    """Draw the share of one method as a field of task and epoch."""
    shares = rows.pivot_table(index="task", columns="epoch", values="value", sort=False).reindex(tasks)
    edges = {"edgecolors": "white", "linewidth": 0.6}
    axes.pcolormesh(range(shares.shape[1] + 1), range(len(tasks) + 1), shares, cmap=COLOURS, vmin=0, vmax=1, **edges)
    epochs = list(shares.columns)
    step = max(1, len(epochs) // 5)
    axes.set_xticks([place + 0.5 for place in range(len(epochs))][::step], epochs[::step])
    axes.set(ylim=(len(tasks), 0), yticks=[place + 0.5 for place in range(len(tasks))], yticklabels=[])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def draw_teacher(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw the share of the fairness loss by task and epoch, a row per dataset, a column per method."""
    rows = share_rows(frames["curves"])
    if rows.empty:
        return without_data("No choices of a teacher or of FairBranch in these results.", COLUMNS)
    shown = datasets(rows)
    names = {source: list(dict.fromkeys(at(rows, source)["task"])) for source in shown}
    columns = [name for name in SHOWN if (rows["method"] == name).any()]
    heights = [0.75 + 0.24 * len(names[source]) for source in shown]
    figure = figures.new_figure(max(2.4 + 3.6 * len(columns), 9.0), 2.4 + sum(heights))
    grid = figure.subplots(len(shown), len(columns), squeeze=False, gridspec_kw={"height_ratios": heights})
    first_seeds = rows.groupby("source")["seed"].min()
    for line, source in zip(grid, shown, strict=True):
        own = at(rows, source)
        own = own[own["seed"] == first_seeds[source]]
        for axes, method in zip(line, columns, strict=True):
            mine = own[own["method"] == method]
            if mine.empty:
                axes.text(0.5, 0.5, "not run", transform=axes.transAxes, ha="center", va="center", color=figures.GREY)
                axes.set(xticks=[], yticks=[])
                axes.grid(visible=False)
                continue
            draw_panel(axes, mine, names[source])
            axes.set_title(SHOWN[method] if source == shown[0] else "", fontsize=10.5)
            axes.set_xlabel("epoch" if source == shown[-1] else "", fontsize=10)
        line[0].set_yticks([place + 0.5 for place in range(len(names[source]))])
        line[0].set(ylim=(len(names[source]), 0), ylabel=dataset_title(rows, source).replace(", ", ",\n"))
        line[0].set_yticklabels([task_title(task) for task in names[source]], fontsize=9)
        line[0].yaxis.label.set(fontsize=10, fontweight="bold")
    bar = figure.colorbar(ScalarMappable(Normalize(0, 100), COLOURS), ax=grid, shrink=0.5, aspect=30, pad=0.015)
    bar.set_label("steps with the fairness loss, %")
    bar.outline.set_visible(False)
    note = "One seed is drawn, the numbers above are of all; no intervals but where said."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows[['seed']])}")
    titled(figure, finding(rows, frames["comparisons"]))
    return figure, rows
