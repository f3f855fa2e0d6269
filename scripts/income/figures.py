"""Before and after mitigation, accuracy against parity, swapped labels against the gap."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from scripts.common import figures, parquet
from scripts.common.tables import format_number
from scripts.income.looks import ARMS, METRICS, TPR_GAP, data_note, of_metric
from scripts.income.measures import PARITY
from scripts.income.names import BASE, MASSAGING, OWN_SPLIT, PROTOCOLS, UNTOUCHED

BEFORE_AFTER = {"before": (figures.GREY, -0.2), "after": (figures.BLUE, 0.2)}  # colour, shift
GAPS = {  # metric of swaps.parquet: words, colour, marker
    PARITY: ('selection rates ("Zemel")', figures.BLUE, "o"),
    TPR_GAP: ("true-positive rates (equal opportunity)", figures.VERMILION, "^"),
}
BOUNDS = ["value", "ci_low", "ci_high"]


def pairs(summary: pd.DataFrame) -> pd.DataFrame:
    """Return base and massaging per metric and `case`: data set, protocol, and what rows they are judged on.

    Returns:
        The columns of the summary, and case, time ("before" or "after").
    """
    parts = []
    for metric in METRICS:
        rows = of_metric(summary, metric)
        for (dataset, protocol), own in rows.groupby(["dataset", "protocol"], sort=False):
            cases = {f"{dataset}, {PROTOCOLS[protocol]}": MASSAGING}
            if protocol == "as_published":
                cases = {f"{dataset}, as published,\nown altered test part": MASSAGING}
                cases |= {f"{dataset}, as published,\nuntouched test part": UNTOUCHED}
            for case, after in cases.items():
                for time, method in (("before", BASE), ("after", after)):
                    parts.append(own[own.method == method].assign(case=case, time=time))
    return pd.concat(parts, ignore_index=True)


def draw_before_after(summary: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw bars for every metric; call it inside `figures.style()`."""
    shown = pairs(summary)
    cases = list(shown.case.unique())
    figure = figures.new_figure(12.5, 2.2 + 1.15 * len(cases))
    grid = figure.subplots(2, 3, sharey=True)
    for axes, (metric, (words, fair)) in zip(grid.ravel(), METRICS.items(), strict=True):
        own = shown[shown.metric == metric]
        for time, (colour, shift) in BEFORE_AFTER.items():
            rows = own[own.time == time]
            places = rows.case.map(cases.index) + shift
            axes.barh(places, rows.value.fillna(0), height=0.36, color=colour, label=time)
            axes.errorbar(
                rows.value, places, xerr=figures.offsets(rows.value, rows.ci_low, rows.ci_high), fmt="none",
                ecolor=figures.BLACK, elinewidth=1.1, capsize=2.5,
            )  # fmt: skip
            for place, (_, row) in zip(places, rows.iterrows(), strict=True):
                label_bar(axes, place, row)
        axes.set_title(words, fontsize=11)
        axes.axvline(0, color="#808080", lw=0.8)
        if fair is not None:
            axes.axvline(fair, color=figures.BLACK, ls=":", lw=1.2)
        axes.margins(x=0.2)
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(cases)), cases, fontsize=9.5)
    grid[0, 0].set_ylim(len(cases) - 0.5, -0.5)
    handles = dict(zip(*grid[0, 0].get_legend_handles_labels()[::-1], strict=True))
    names = {"before": "before: base model", "after": "after: massaging"}
    figures.legend_above(figure, {names[time]: handles[time] for time in BEFORE_AFTER}, columns=2)
    figures.footer(figure, f"{data_note(shown[shown.metric == 'accuracy'])} Dotted: the fair value.")
    return figure, shown


def label_bar(axes: Axes, place: float, row: pd.Series) -> None:
    """Write the value beyond the bar's interval, and "undefined" where there is none."""
    if np.isnan(row.value):
        axes.annotate("undefined", (0, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
        return
    left = row.value < 0
    ends = [0.0, *(end for end in (row.value, row.ci_low, row.ci_high) if not np.isnan(end))]
    end, shift, side = (min(ends), -4, "right") if left else (max(ends), 4, "left")
    text = format_number(row.value)
    axes.annotate(text, (end, place), (shift, 0), textcoords="offset points", va="center", ha=side, fontsize=8)


def plane(summary: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy (y) and parity difference (x) of every arm with their bounds, n and seeds."""
    keys = ["dataset", "groups", "protocol", "method"]
    across, up = of_metric(summary, PARITY), of_metric(summary, "accuracy")
    across = across[[*keys, *BOUNDS]].set_axis([*keys, "x", "x_low", "x_high"], axis=1)
    further = ["interval", "n", "seeds"]
    up = up[[*keys, *BOUNDS, *further]].set_axis([*keys, "y", "y_low", "y_high", *further], axis=1)
    joined = up.merge(across, on=keys)
    return joined[joined.y < 1].reset_index(drop=True)  # without the labels themselves, and what only repeats them


def draw_plane(summary: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy against parity difference, a panel per data set and protocol; call it inside `figures.style()`."""
    shown, labels = plane(summary), of_metric(summary, PARITY)
    labels = labels[labels.method == next(iter(ARMS))]
    cases = list(shown.groupby(["dataset", "protocol"], sort=False))
    columns = 2
    rows = -(-len(cases) // columns)
    figure = figures.new_figure(12.0, 1.9 + 3.7 * rows)
    grid, handles = figure.subplots(rows, columns, squeeze=False), {}
    for axes, ((dataset, protocol), own) in zip(grid.ravel(), cases, strict=False):
        for arm, (colour, marker) in ARMS.items():
            row = own[own.method == arm]
            if row.empty:
                continue
            own_part = protocol == "as_published" and arm in OWN_SPLIT
            handles[arm + (", own altered test part" if own_part else "")] = axes.errorbar(
                row.x, row.y, xerr=figures.offsets(row.x, row.x_low, row.x_high),
                yerr=figures.offsets(row.y, row.y_low, row.y_high), fmt=marker, color=colour, ms=8, mec="white",
                elinewidth=0.8, capsize=0, zorder=3,
            )  # fmt: skip
        of_labels = labels[(labels.dataset == dataset) & (labels.protocol == protocol)].value
        handles["gap of the labels themselves"] = axes.axvline(
            float(of_labels.iloc[0]), color=figures.BLACK, ls="--", lw=1
        )
        axes.axvline(0, color="#808080", lw=1)
        axes.set(title=f"{dataset}, {PROTOCOLS[protocol]}", ylabel="accuracy")
        axes.set_xlabel('selection rate difference ("Zemel")')
    for axes in grid.ravel()[len(cases) :]:
        axes.set_visible(False)
    figures.legend_above(figure, handles, columns=3)
    note = data_note(shown)
    if (shown.protocol == "as_published").any():
        note += " As published, massaging is exactly right on its own altered test part, by telling the groups apart"
        note += " (accuracy 1, difference 1); that point is left out."
    figures.footer(figure, note)
    return figure, shown


def draw_swaps(swaps: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw gaps and accuracy against the number of swapped labels per data set; call it inside `figures.style()`."""
    datasets = list(swaps.dataset.unique())
    figure = figures.new_figure(1.5 + 3.7 * len(datasets), 6.8)
    grid, handles = figure.subplots(2, len(datasets), squeeze=False, sharex="col"), {}
    for (above, below), dataset in zip(grid.T, datasets, strict=True):
        own = swaps[swaps.dataset == dataset].sort_values("share")
        for metric, (words, colour, marker) in GAPS.items():
            handles[words] = draw_line(above, own[own.metric == metric], colour, marker)
        draw_line(below, own[own.metric == "accuracy"], figures.BLACK, "s")
        for axes in (above, below):
            meant = own[own.share == 1].swaps
            if len(meant):
                handles["n of the formula"] = axes.axvline(
                    meant.iloc[0], color=figures.GREEN, ls="--", lw=1.2, zorder=1
                )
        above.axhline(0, color="#808080", lw=1)
        above.set_title(dataset)
        below.set_xlabel("labels swapped in each group")
    grid[0, 0].set_ylabel("difference of the groups")
    grid[1, 0].set_ylabel("accuracy")
    figures.legend_above(figure, handles, columns=3)
    figures.footer(figure, f"{data_note(swaps)} Corrected protocol, massaging with more or fewer swaps.")
    return figure, swaps


def draw_line(axes: Axes, rows: pd.DataFrame, colour: str, marker: str) -> ErrorbarContainer:
    """Draw values with their intervals over the number of swaps."""
    ends = figures.offsets(rows.value, rows.ci_low, rows.ci_high)
    return axes.errorbar(rows.swaps, rows.value, yerr=ends, color=colour, marker=marker, ms=5, lw=1.4, capsize=2.5)


def draw_all(summary_path: str, swaps_path: str, folder: str | Path) -> None:
    """Write `before_after`, `accuracy_parity` and `swaps` (each png, pdf, parquet) into `folder`."""
    summary, swaps = parquet.read(summary_path), parquet.read(swaps_path)
    drawings = {"before_after": (draw_before_after, summary), "accuracy_parity": (draw_plane, summary)}
    for name, (draw, frame) in (drawings | {"swaps": (draw_swaps, swaps)}).items():
        with figures.style():
            figures.save(*draw(frame), Path(folder) / name)
