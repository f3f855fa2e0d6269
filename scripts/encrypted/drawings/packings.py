"""How long an image waits against how many are done per second, with one image or many per ciphertext."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import label_marks, titled, without_data
from scripts.encrypted.drawings.axes import log_axis
from scripts.encrypted.labels import (
    DCT,
    IMAGE,
    PACKINGS,
    PIXELS,
    SLOTS,
    at,
    colour_of,
    data_note,
    dataset_title,
    in_order,
    parts,
    setting_title,
    sources,
    times,
    transform_title,
    with_titles,
)
from scripts.encrypted.settings import PLAIN

COLUMNS = ["source", "dataset", "setting", "transform", "k", "packing", "latency", "low", "high", "throughput"]
COLUMNS += ["images", "ciphertexts"]
MOST = 3  # panels
SHOWN = (DCT, PIXELS)  # at the same k the others cost the same


def packing_rows(costs: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return seconds until the reply (median, quartiles of ten or more) and images per second by setting and packing.

    An image waits for its whole ciphertext, whatever else is in it; wall seconds of the server, all keys.
    """
    infer = costs[(costs["operation"] == "infer") & costs["setting"].notna()]
    infer = with_titles(infer, settings).astype({"images": float})
    found = []
    for (source, setting, packing), own in infer.groupby(["source", "setting", "packing"], sort=False):
        transform, k, network = parts(setting)
        if transform not in SHOWN or network != PLAIN:
            continue
        wall = own["wall_seconds"]
        low, high = wall.quantile([0.25, 0.75]) if len(own) >= 10 else (np.nan, np.nan)
        about = {"source": source, "dataset": own["dataset"].iloc[0], "setting": setting, "transform": transform}
        about |= {"k": k, "packing": packing, "latency": wall.median(), "low": low, "high": high}
        done = own["images"].sum() / wall.sum()
        found.append(about | {"throughput": done, "images": int(own["images"].max()), "ciphertexts": len(own)})
    rows = pd.DataFrame(found, columns=COLUMNS)
    both = rows.groupby("source")["packing"].transform("nunique")
    rows = rows[both == both.max()] if len(rows) else rows
    kept = sorted(sources(rows), key=lambda source: -at(rows, source)["setting"].nunique())[:MOST]
    return in_order(rows[rows["source"].isin(kept)]).reset_index(drop=True)


def finding(rows: pd.DataFrame) -> list[str]:
    """Return per dataset how many times more images many per ciphertext give, and how much longer one waits."""
    sentences = []
    for source in sources(rows):
        values = ["latency", "throughput"]
        wide = at(rows, source).pivot_table(index="setting", columns="packing", values=values, sort=False)
        if not {SLOTS, IMAGE} <= set(wide["latency"].columns):
            sentences.append(f"{dataset_title(rows, source)}: one packing alone was run.")
            continue
        wide = wide.dropna(subset=[("latency", SLOTS), ("latency", IMAGE)])
        if wide.empty:
            continue
        gains = wide["throughput", SLOTS] / wide["throughput", IMAGE]
        setting, row = wide.index[0], wide.iloc[0]
        images = int(at(rows, source)["images"].max())
        text = f"{dataset_title(rows, source)}, {setting_title(setting)}: {images:,} images"
        text += f" at once take {row['latency', SLOTS]:.2g} s, one alone {row['latency', IMAGE]:.2g} s:"
        text += f" {times(gains.iloc[0])} the throughput"
        if len(wide) > 1:
            text += f" ({setting_title(wide.index[-1])}: {times(gains.iloc[-1])})"
        sentences.append(f"{text}.")
    return sentences


def draw_panel(axes: Axes, rows: pd.DataFrame) -> list[tuple[float, float, str, str]]:
    """Draw both packings of every setting of a dataset; return the labels (x, y, text, colour)."""
    labels = []
    for setting, own in rows.groupby("setting", sort=False):
        own, colour = own.sort_values("packing"), colour_of(own["transform"].iloc[0])
        axes.plot(own["latency"], own["throughput"], color=colour, lw=1.2, alpha=0.6)
        for row in own.itertuples():
            face = colour if row.packing == SLOTS else "white"
            bars = figures.offsets(*[pd.Series([value]) for value in (row.latency, row.low, row.high)])
            mark = {"fmt": "o", "mfc": face, "mec": colour, "ms": 7, "mew": 1.4, "ecolor": colour, "elinewidth": 1.0}
            axes.errorbar([row.latency], [row.throughput], xerr=bars, **mark, zorder=4)
            if row.packing == own["packing"].iloc[-1]:
                labels.append((row.latency, row.throughput, setting_title(setting), colour))
    log_axis(axes)
    log_axis(axes, "y", (1.0,))
    return labels


def guides(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the line of one image at a time and that of the whole batch, on which marks lie, with their names."""
    low, high, bottom, top = axes.get_xlim()[0] / 3, axes.get_xlim()[1] * 1.5, *axes.get_ylim()
    line = np.array([low, high])
    for images in sorted({1, int(rows["images"].max())}):
        axes.plot(line, images / line, color=figures.GREY, lw=0.8, ls=":", zorder=1)
        words = f"{images:,} image{'s' if images > 1 else ''} at once"
        place = {"textcoords": "offset points", "ha": "left", "va": "bottom", "fontsize": 8.5}
        axes.annotate(words, (low, images / low), (3, 2), color=figures.GREY, **place)
        bottom, top = min(bottom, images / high), max(top, 2 * images / low)
    axes.set(xlim=(low, high), ylim=(bottom, top))


def draw_packings(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw latency against throughput of both packings, connected by setting, a panel per dataset."""
    rows = packing_rows(frames["costs"], frames["settings"])
    if rows.empty:
        return without_data("No encrypted inference in these results.", COLUMNS)
    shown, labels = sources(rows), []
    figure = figures.new_figure(max(4.8 * len(shown), 9.0), 5.9)
    grid = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, source in zip(grid, shown, strict=True):
        labels.append(draw_panel(axes, at(rows, source)))
        axes.margins(0.12)
        guides(axes, at(rows, source))
        axes.set_title(dataset_title(rows, source), loc="left")
        axes.set_xlabel("seconds until the server's reply")
    grid[0].set_ylabel("images per second")
    mark = {"ls": "", "marker": "o", "ms": 7, "mew": 1.4}
    handles = {}
    for packing, face in ((IMAGE, "white"), (SLOTS, figures.BLACK)):
        handles[PACKINGS[packing]] = Line2D([], [], mfc=face, mec=figures.BLACK, **mark)
    for transform in dict.fromkeys(rows["transform"]):
        handles[transform_title(transform)] = Line2D([], [], color=colour_of(transform), lw=2)
    note = "Left and up is better. Wall seconds of one thread: medians; lines: quartiles of single images. Other"
    note += " transforms cost the same at the same k. A batch takes as long whatever it holds, and one owner must hold"
    note += " all of it."
    figures.footer(figure, f"{note} {data_note(frames['settings'], shown, rows[['k']])}")
    titled(figure, finding(rows), handles)
    for axes, source, texts in zip(grid, shown, labels, strict=True):
        own = at(rows, source)
        label_marks(axes, list(zip(own["latency"], own["throughput"], strict=True)), texts, halo=True)
    return figure, rows
