"""What each operation costs: fractions of CPU by operation, and bytes to the server and back."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.encrypted.drawings.axes import log_axis, rows_axis
from scripts.encrypted.labels import (
    DCT,
    IMAGE,
    PACKINGS,
    PIXELS,
    SLOTS,
    data_note,
    dataset_title,
    in_order,
    parts,
    setting_title,
    sources,
    with_titles,
)
from scripts.encrypted.settings import PLAIN

COLUMNS = ["source", "dataset", "setting", "k", "packing", "operation", "cpu_ms", "bytes", "images"]
CLIENT, SERVER = ("encrypt", "decrypt"), ("load", "linear_1", "square", "linear_2", "linear_3", "linear_4")
ORDER = ("encrypt", *SERVER, "decrypt")
COLOURS = {
    "encrypt": figures.GREEN,
    "load": "#BDBDBD",
    "linear_1": figures.VERMILION,
    "square": figures.YELLOW,
    "linear_2": figures.ORANGE,
    "linear_3": "#B8860B",
    "linear_4": "#7A5A00",
    "decrypt": figures.SKY,
}
UP, DOWN = figures.GREEN, figures.SKY
NARROW = 0.04  # fraction of a bar below which its number has no room


def operation_rows(costs: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return CPU ms and bytes per image by operation (medians of batches), of DCT and pixels of the first dataset."""
    rows = with_titles(costs[costs["setting"].notna()], settings).astype({"images": float, "bytes": float})
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    rows = rows[(rows["source"] == rows["source"].iloc[0]) & (rows["key"] == rows["key"].min())]
    named = rows["setting"].map(parts)
    rows = rows[[name in (DCT, PIXELS) and network == PLAIN for name, _, network in named]]
    each = rows.assign(cpu_ms=1000 * rows["cpu_seconds"] / rows["images"], bytes=rows["bytes"] / rows["images"])
    keys = ["source", "dataset", "setting", "k", "packing", "operation"]
    spent = {"cpu_ms": ("cpu_ms", "median"), "bytes": ("bytes", "median"), "images": ("images", "sum")}
    found = each.groupby(keys, sort=False).agg(**spent).reset_index()
    return in_order(found)[COLUMNS].reset_index(drop=True)


def finding(rows: pd.DataFrame) -> list[str]:
    """Return per packing the share of the largest operation at the smallest and the largest k, and who pays."""
    sentences = []
    for packing in (packing for packing in (SLOTS, IMAGE) if (rows["packing"] == packing).any()):
        own = rows[(rows["packing"] == packing) & rows["operation"].isin(ORDER)]
        wide = own.pivot_table(index=["k", "setting"], columns="operation", values="cpu_ms", fill_value=0.0)
        shares = wide.div(wide.sum(axis=1), axis=0).sort_index()
        largest = shares.mean().idxmax()
        client = shares[[name for name in CLIENT if name in shares]].sum(axis=1)
        ends = " to ".join(dict.fromkeys(f"{100 * value:.0f} %" for value in shares[largest].iloc[[0, -1]]))
        text = f"{PACKINGS[packing]}: {_title(largest)} takes {ends} of all CPU"
        text += f"; the client's part is {100 * client.min():.1f} to {100 * client.max():.1f} %"
        sentences.append(f"{text[0].upper()}{text[1:]}.")
    return sentences


def _title(operation: str) -> str:
    names = {"linear_1": "the first product", "linear_2": "the second product"}
    return names.get(operation, operation.replace("linear_", "product "))


def draw_shares(axes: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    """Draw the fractions of CPU by operation, a bar per setting, and all CPU per image behind it."""
    for place, name in enumerate(names):
        own = rows[rows["setting"] == name].set_index("operation")["cpu_ms"]
        own = own.reindex([operation for operation in ORDER if operation in own.index])
        left, whole = 0.0, own.sum()
        for operation, value in own.items():
            wide = 100 * value / whole
            axes.barh(place, wide, 0.66, left=left, color=COLOURS[operation], ec="white", lw=0.6)
            if wide > 100 * NARROW:
                axes.text(left + wide / 2, place, f"{wide:.0f}", ha="center", va="center", fontsize=9)
            left += wide
        axes.text(101.5, place, in_units(whole), va="center", fontsize=9.5)
    rows_axis(axes, [setting_title(name) for name in names])
    axes.set(xlim=(0, 100), xticks=[0, 25, 50, 75, 100])


def in_units(milliseconds: float) -> str:
    """Return CPU per image in ms or s: "0.39 ms", "1.4 s"."""
    value, unit = (milliseconds, "ms") if milliseconds < 999.5 else (milliseconds / 1000, "s")
    return f"{value:.{2 if value < 1 else 1 if value < 99.95 else 0}f} {unit}"


def size(count: float) -> str:
    """Return bytes in kB or MB: "339 kB"."""
    value, unit = (count / 1e6, "MB") if count >= 999_500 else (count / 1e3, "kB")
    return f"{value:.{2 if value < 1 else 1 if value < 99.95 else 0}f} {unit}"


def draw_bytes(axes: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    """Draw the bytes of one image to the server and back, a line per setting."""
    log_axis(axes, steps=(1.0,))
    for place, name in enumerate(names):
        own = rows[rows["setting"] == name].set_index("operation")["bytes"]
        for operation, colour, mark, offset in (("encrypt", UP, "^", -0.14), ("infer", DOWN, "v", 0.14)):
            if operation in own.index and own[operation] > 0:
                axes.scatter([own[operation] / 1000], [place + offset], marker=mark, s=55, color=colour, zorder=4)
                label = {"textcoords": "offset points", "va": "center", "fontsize": 8.5}
                axes.annotate(size(own[operation]), (own[operation] / 1000, place + offset), (8, 0), **label)
    rows_axis(axes, [""] * len(names))
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.5, high * 5)  # room for labels


def draw_operations(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw CPU by operation and bytes up and down, a row of panels per packing."""
    rows = operation_rows(frames["costs"], frames["settings"])
    if rows.empty:
        return without_data("No costs of DCT or pixels in these results.", COLUMNS)
    names = list(dict.fromkeys(rows["setting"]))
    shown = [packing for packing in (SLOTS, IMAGE) if (rows["packing"] == packing).any()]
    figure = figures.new_figure(11.5, 2.5 + len(shown) * (0.75 + 0.42 * len(names)))
    grid = figure.subplots(len(shown), 2, squeeze=False, gridspec_kw={"width_ratios": [2, 1]}, sharex="col")
    for line, packing in zip(grid, shown, strict=True):
        own = rows[rows["packing"] == packing]
        mine = [name for name in names if (own["setting"] == name).any()]
        draw_shares(line[0], own, mine)
        draw_bytes(line[1], own, mine)
        line[0].set_title(f"{PACKINGS[packing]}: CPU per image", loc="left", fontsize=11)
        line[1].set_title("bytes per image", loc="left", fontsize=11)
    grid[-1, 0].set_xlabel("CPU by operation, % of client and server")
    grid[-1, 1].set_xlabel("kB per image")
    there = [operation for operation in ORDER if (rows["operation"] == operation).any()]
    handles = {operation.replace("linear_", "product "): Patch(color=COLOURS[operation]) for operation in there}
    handles["to the server"] = Line2D([], [], ls="", marker="^", ms=8, color=UP)
    handles["reply"] = Line2D([], [], ls="", marker="v", ms=8, color=DOWN)
    source = sources(rows)[0]
    batch = int(rows["images"].max())
    note = f"{dataset_title(rows, source)}: key 1; {batch:,} images along the slots"
    alone = rows[rows["packing"] == IMAGE]["images"]
    note += f", medians of {int(alone.max())} single ones" if len(alone) and np.isfinite(alone.max()) else ""
    note += "; keys are made once and not counted; no intervals."
    figures.footer(figure, f"{note} {data_note(frames['settings'], [source], rows[['k']])}")
    titled(figure, finding(rows), handles)
    return figure, rows
