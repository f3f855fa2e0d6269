"""Cost of TFHE by image size, pixels against DCT: executed, and predicted by the compiler."""

import re
import textwrap
from collections.abc import Iterable, Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.encrypted.drawings.axes import log_axis, rows_axis
from scripts.encrypted.labels import DCT, PIXELS, colour_of, short_title, times

COLUMNS = ["net", "family", "side", "transform", "coefficients", "first_relu", "mode", "bootstraps", "cpu_seconds"]
COLUMNS += ["predicted_cpu_seconds", "wrong_values", "values"]
DONE, AHEAD, EXECUTED = "cpu_seconds", "predicted_cpu_seconds", "executed"
PRUNED = ", no first ReLU"  # in the name of a net
OFF = "No TFHE in these results: it is off by default. Set tfhe under encrypted in the config, and run again."


def tfhe_rows(tfhe: pd.DataFrame) -> pd.DataFrame:
    """Return every net with its cost per image, predicted and, where it was run, executed.

    `family` is the name without the size, which nets share whose costs are compared by size.
    """
    rows = tfhe.assign(family=[re.sub(r"^\d+x\d+ ", "", str(net)) for net in tfhe["net"]])
    rows = rows.reindex(columns=COLUMNS).astype({"first_relu": bool})
    return rows.sort_values(["transform", "family", "side"], kind="stable").reset_index(drop=True)


def ratios(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return by side the cost of pixels over that of the cheapest DCT, nets with their first ReLU."""
    kept = rows[rows["first_relu"]].dropna(subset=[column])
    wide = kept.pivot_table(index="side", columns="transform", values=column, aggfunc="min")
    return (wide[PIXELS] / wide[DCT]).dropna() if {DCT, PIXELS} <= set(wide.columns) else pd.Series(dtype=float)


def pruned(rows: pd.DataFrame) -> pd.Series:
    """Return by net the cost without its first ReLU over that with it: executed where both were, else predicted."""
    costs, found = rows.set_index("net")[[DONE, AHEAD]], {}
    for net in rows.loc[~rows["first_relu"], "net"]:
        whole = str(net).replace(PRUNED, "")
        if whole in costs.index and whole != net:
            ratio = (costs.loc[net] / costs.loc[whole]).dropna()
            found |= {whole: float(ratio.iloc[0])} if len(ratio) else {}
    return pd.Series(found, dtype=float)


def scaled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the nets of families of several sizes."""
    return rows[rows.groupby("family")["side"].transform("nunique") > 1]


def finding(rows: pd.DataFrame) -> list[str]:
    """Return what DCT saves: executed, and predicted by size; what a ReLU saves; and how many values are wrong."""
    done, ahead, without, sentences = ratios(rows, DONE), ratios(scaled(rows), AHEAD), pruned(rows), []
    if len(done):
        sentences.append(f"CPU of pixels over that of DCT, executed: {_by_side(done)}.")
    if len(ahead) > 1:
        sentences.append(f"The same, predicted: {_by_side(ahead.iloc[[0, -1]])}.")
    if len(without):
        sentences.append(f"Without its first ReLU a net needs {_ends(without)} of its CPU.")
    known = rows.dropna(subset=["values", "wrong_values"])
    texts = [
        f"{int(own['wrong_values'].sum()):,} of {int(own['values'].sum()):,} ({short_title(transform)})"
        for transform, own in known.groupby("transform", sort=False)
    ]
    return [*sentences, f"Values that decrypt wrongly: {', '.join(texts)}."] if texts else sentences


def _by_side(values: pd.Series) -> str:
    return ", ".join(f"{times(value)} at {side}x{side}" for side, value in values.items())


def _ends(values: pd.Series) -> str:
    low, high = (f"{value:.2f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def costs_marks(axes: Axes, own: pd.DataFrame, along: bool, places: Iterable[float]) -> None:
    """Draw costs along one axis, predicted hollow and executed filled; squares are nets without their first ReLU."""
    for row, place in zip(own.itertuples(), places, strict=True):
        colour = colour_of(row.transform)
        shape = {"marker": "o" if row.first_relu else "s", "s": 58, "ec": colour, "lw": 1.4}
        for value, face, order in ((row.predicted_cpu_seconds, "white", 3), (row.cpu_seconds, colour, 4)):
            where = ([value], [place]) if along else ([place], [value])
            axes.scatter(*where, fc=face, zorder=order, **shape)


def draw_nets(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the nets that were executed, a line per net, with their bootstraps."""
    costs_marks(axes, rows, True, range(len(rows)))
    log_axis(axes)
    rows_axis(axes, [textwrap.fill(f"{row.net}: {row.bootstraps:,.0f} bootstraps", 36) for row in rows.itertuples()])
    axes.tick_params(axis="y", labelsize=9)
    axes.set_title("executed nets", loc="left")
    axes.set_xlabel("CPU per image, s")


def draw_scaling(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the families of several sizes against the side of the image."""
    for _, own in rows.groupby("family", sort=False):
        line = own.dropna(subset=[AHEAD]).sort_values("side")
        axes.plot(line["side"], line[AHEAD], color=colour_of(own["transform"].iloc[0]), lw=1.2, ls="--", zorder=2)
        costs_marks(axes, own, False, own["side"])
    log_axis(axes)
    log_axis(axes, "y")
    sides = sorted(rows["side"].unique())
    axes.set_xticks(sides, [f"{side}x{side}" for side in sides])
    axes.set_xticks([], minor=True)
    axes.margins(0.12)
    axes.set_title("by size of the image", loc="left")
    axes.set_ylabel("CPU per image, s")


def draw_tfhe(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw CPU seconds per image of TFHE by image size, pixels and DCT."""
    if frames["tfhe"].empty:
        return without_data(OFF, COLUMNS)
    rows = tfhe_rows(frames["tfhe"])
    done, sizes = rows[rows["mode"] == EXECUTED], scaled(rows)
    panels = [(draw, own) for draw, own in ((draw_nets, done), (draw_scaling, sizes)) if len(own)]
    panels = panels or [(draw_nets, rows)]
    figure = figures.new_figure(max(6.4 * len(panels), 9.0), max(5.4, 2.6 + 0.48 * len(done)))
    for axes, (draw, own) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes, own)
    handles = {}
    for transform in dict.fromkeys(rows["transform"]):
        handles[short_title(transform)] = Line2D([], [], color=colour_of(transform), lw=2)
    mark = {"ls": "", "marker": "o", "mec": figures.BLACK, "ms": 7.5, "mew": 1.4}
    handles |= {"executed": Line2D([], [], mfc=figures.BLACK, **mark), "predicted": Line2D([], [], mfc="white", **mark)}
    if (~rows["first_relu"]).any():
        handles["without the first ReLU"] = Line2D([], [], mfc="white", **mark | {"marker": "s"})
    note = "One thread. Predicted: the compiler's complexity, in CPU seconds by the executed nets."
    both = rows.dropna(subset=[DONE, AHEAD])
    note += f" Predicted over executed: {_ends(both[AHEAD] / both[DONE])}." if len(both) else ""
    figures.footer(figure, f"{note} No intervals.")
    titled(figure, finding(rows), handles)
    return figure, rows
