"""Cost of TFHE by image size, pixels against DCT: executed, and predicted by the compiler."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import label_marks, titled, without_data
from scripts.encrypted.drawings.axes import log_axis
from scripts.encrypted.labels import DCT, PIXELS, colour_of, times, transform_title

COLUMNS = ["net", "side", "transform", "coefficients", "first_relu", "mode", "bootstraps", "cpu_seconds"]
COLUMNS += ["predicted_cpu_seconds", "wrong_values", "values"]
EXECUTED = "executed"
OFF = "No TFHE in these results: it is off by default. Set tfhe: true under encrypted in the config, and run again."


def tfhe_rows(tfhe: pd.DataFrame) -> pd.DataFrame:
    """Return every net with its cost per image, predicted and, where it was run, executed."""
    rows = tfhe.reindex(columns=COLUMNS)
    return rows.sort_values(["transform", "side"], kind="stable").reset_index(drop=True)


def ratios(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return by side the cost of pixels over that of the cheapest DCT with its first ReLU, where both are known."""
    kept = rows[rows["first_relu"].astype(bool)].dropna(subset=[column])
    wide = kept.pivot_table(index="side", columns="transform", values=column, aggfunc="min")
    if not {DCT, PIXELS} <= set(wide.columns):
        return pd.Series(dtype=float)
    return (wide[PIXELS] / wide[DCT]).dropna()


def finding(rows: pd.DataFrame) -> list[str]:
    """Return what DCT saves where both were executed, what is predicted for the largest image, and wrong values."""
    done, ahead, sentences = ratios(rows, "cpu_seconds"), ratios(rows, "predicted_cpu_seconds"), []
    if len(done):
        texts = [f"{times(value)} at {side}x{side}" for side, value in done.items()]
        sentences.append(f"Executed, pixels cost what DCT does {', '.join(texts)}.")
    if len(ahead):
        low, high = ahead.iloc[[0, -1]]
        ends = (
            f"{times(low)} at {ahead.index[0]}x{ahead.index[0]}, {times(high)} at {ahead.index[-1]}x{ahead.index[-1]}"
        )
        sentences.append(f"Predicted: {ends}.")
    known = rows.dropna(subset=["values", "wrong_values"])
    if len(known):
        texts = []
        for transform in dict.fromkeys(known["transform"]):
            own = known[known["transform"] == transform]
            wrong = f"{int(own['wrong_values'].sum()):,} of {int(own['values'].sum()):,}"
            texts.append(f"{wrong} with {transform_title(transform)}")
        sentences.append(f"Values that decrypt wrongly: {', '.join(texts)}.")
    return sentences or ["Costs of TFHE."]


def draw_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw predicted costs hollow, connected by transform, and executed ones filled."""
    for transform, own in rows.groupby("transform", sort=False):
        colour = colour_of(transform)
        whole = own[own["first_relu"].astype(bool)].sort_values("predicted_cpu_seconds").drop_duplicates("side")
        whole = whole.sort_values("side")
        axes.plot(whole["side"], whole["predicted_cpu_seconds"], color=colour, lw=1.2, ls="--", zorder=2)
        for kept, mark in ((True, "o"), (False, "s")):
            mine = own[own["first_relu"].astype(bool) == kept]
            shape = {"marker": mark, "s": 58, "ec": colour, "lw": 1.4}
            axes.scatter(mine["side"], mine["predicted_cpu_seconds"], fc="white", zorder=3, **shape)
            axes.scatter(mine["side"], mine["cpu_seconds"], fc=colour, zorder=4, **shape)
    log_axis(axes)
    log_axis(axes, "y")
    sides = sorted(rows["side"].unique())
    axes.set_xticks(sides, [f"{side}x{side}" for side in sides], minor=False)
    axes.tick_params(axis="x", which="minor", length=0)
    axes.margins(0.12)


def draw_tfhe(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw CPU seconds per image of TFHE by image size, pixels and DCT."""
    rows = tfhe_rows(frames["tfhe"])
    if rows.empty:
        return without_data(OFF, COLUMNS)
    figure = figures.new_figure(9.0, 6.2)
    axes = figure.subplots()
    draw_panel(axes, rows)
    axes.set(xlabel="image", ylabel="CPU per image, s")
    handles = {}
    for transform in dict.fromkeys(rows["transform"]):
        handles[transform_title(transform)] = Line2D([], [], color=colour_of(transform), lw=2)
    mark = {"ls": "", "marker": "o", "mec": figures.BLACK, "ms": 7.5, "mew": 1.4}
    handles["executed"] = Line2D([], [], mfc=figures.BLACK, **mark)
    handles["predicted"] = Line2D([], [], mfc="white", **mark)
    if (~rows["first_relu"].astype(bool)).any():
        handles["without the first ReLU"] = Line2D([], [], mfc="white", **mark | {"marker": "s"})
    note = "Predicted: the compiler's complexity over its complexity per CPU second; within 20 % of executed ones where both"
    note += " are known, or else the figure shows it. Labels: programmable bootstraps. No intervals."
    figures.footer(figure, note)
    titled(figure, finding(rows), handles)
    seconds = rows["cpu_seconds"].fillna(rows["predicted_cpu_seconds"])
    labels = [
        (side, value, f"{int(count):,} bootstraps", colour_of(transform))
        for side, value, count, transform in zip(
            rows["side"], seconds, rows["bootstraps"], rows["transform"], strict=True
        )
        if pd.notna(count) and pd.notna(value)
    ]
    marks = [*zip(rows["side"], seconds, strict=True), *zip(rows["side"], rows["predicted_cpu_seconds"], strict=True)]
    label_marks(axes, [mark for mark in marks if pd.notna(mark[1])], labels, halo=True)
    return figure, rows
