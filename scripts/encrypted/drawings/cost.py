"""Accuracy under encryption against what it costs the server, one line per transform."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.encrypted.costs import LOSS
from scripts.encrypted.drawings.axes import log_axis
from scripts.encrypted.labels import (
    DCT,
    PIXELS,
    POOLING,
    accuracies,
    at,
    chance,
    colour_of,
    data_note,
    dataset_title,
    differences,
    looked_up,
    measured,
    parts,
    rival,
    setting_title,
    signed,
    sources,
    times,
    transform_title,
)
from scripts.encrypted.settings import PLAIN

COLUMNS = ["source", "dataset", "setting", "transform", "k", "network", "cpu_ms", "encrypted", "ci_low", "ci_high"]
COLUMNS += ["interval", "clear", "seeds", "n"]
APART = 1.02  # ratio between the places of transforms at the same cost
MOST, FEWEST = 3, 3  # panels; transforms that a dataset of a panel has


def cost_rows(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return accuracy and server CPU per image of every setting, of datasets with enough transforms to compare."""
    rows = accuracies(frames["metrics"], frames["settings"])
    rows = rows.assign(cpu_ms=looked_up(rows, measured(frames["efficiency"], "cpu_ms_per_image")))
    rows = rows[rows["cpu_ms"].notna() & rows["encrypted"].notna()]
    shown = [source for source in sources(rows) if at(rows, source)["transform"].nunique() >= FEWEST]
    return rows[rows["source"].isin((shown or sources(rows))[:MOST])].reindex(columns=COLUMNS).reset_index(drop=True)


def finding(rows: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return per dataset the smallest DCT that is near pixels, what it saves, and what pooling does at its cost."""
    changes, efficiency, sentences = differences(frames["comparisons"]), frames["efficiency"], []
    for source in sources(rows):
        own, title = at(rows, source), dataset_title(rows, source)
        pixels = own[(own["transform"] == PIXELS) & (own["network"] == PLAIN)]["setting"]
        ratio = at(efficiency, source, metric="cost_ratio", setting=f"{PIXELS}/{DCT}")
        if pixels.empty:
            best = own.loc[own["encrypted"].idxmax()]
            sentences.append(f"{title}: {setting_title(best.setting)} is the most accurate; pixels were not encrypted.")
            continue
        if ratio.empty or pd.isna(ratio["value"].iloc[0]) or parts(str(ratio["other"].iloc[0]))[0] != DCT:
            sentences.append(f"{title}: no DCT comes within {100 * LOSS:.1f} points of all pixels.")
            continue
        chosen, saved = str(ratio["other"].iloc[0]), times(float(ratio["value"].iloc[0]))
        k, whole = parts(chosen)[1], parts(pixels.iloc[0])[1]
        text = f"{title}: {k:,} DCT numbers for {whole:,} pixels, {saved} less CPU"
        text += _change(changes, (source, chosen, pixels.iloc[0]), ", {}")
        pooled = rival(chosen, own["setting"], POOLING)
        text += _change(changes, (source, chosen, pooled), "; on pooling {}")
        sentences.append(f"{text}.")
    return sentences[:MOST]


def _change(changes: pd.DataFrame, key: tuple, words: str) -> str:
    """Return a paired difference in words, "" where it is not known."""
    if key not in changes.index:
        return ""
    row = changes.loc[key]
    return words.format(f"{signed(row['value'])} points{chance(row['ci_low'], row['ci_high'])}")


def draw_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the settings of one dataset, and k above the marks of the same cost."""
    groups = list(rows.groupby(["transform", "network"], sort=False))
    for place, ((transform, network), own) in enumerate(groups):
        own, colour, plain = own.sort_values("cpu_ms"), colour_of(transform), network == PLAIN
        x, y = own["cpu_ms"] * APART ** (place - (len(groups) - 1) / 2), 100 * own["encrypted"]
        bars = figures.offsets(y, 100 * own["ci_low"], 100 * own["ci_high"])
        face = {"marker": "o" if plain else "D", "mfc": colour if plain else "white", "ms": 6, "zorder": 4}
        axes.errorbar(x, y, yerr=bars, color=colour, **face, lw=1.6, elinewidth=0.8)
        axes.scatter(x, 100 * own["clear"], marker="_", s=110, color=colour, lw=1.2, zorder=5)
    log_axis(axes)
    axes.margins(0.1, 0.08)
    axes.set_ylim(top=axes.get_ylim()[1] + 0.07 * np.ptp(axes.get_ylim()))
    for k, cost in costs_of_k(rows).items():
        about = {"ha": "center", "va": "top", "fontsize": 9, "color": figures.GREY}
        axes.text(cost, 0.99, f"k = {k:,}", transform=axes.get_xaxis_transform(), **about)


def costs_of_k(rows: pd.DataFrame) -> dict[int, float]:
    """Return by k the mean cost (geometric) of the plain network; of two near ones, as 48 and 49, only the larger k."""
    rows = rows[rows["network"] == PLAIN]
    logs = np.log(rows["cpu_ms"]).groupby(rows["k"]).mean()
    kept = [k for k in logs.index if not any(k < other <= 1.06 * k for other in logs.index)]
    return {int(k): float(np.exp(logs[k])) for k in kept}


def draw_cost(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw encrypted accuracy against server CPU per image, a panel per dataset."""
    rows = cost_rows(frames)
    if rows.empty:
        return without_data("No accuracy under encryption with its cost in these results.", COLUMNS)
    shown = sources(rows)
    figure = figures.new_figure(max(5.0 * len(shown), 9.0), 6.6)
    grid = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, source in zip(grid, shown, strict=True):
        draw_panel(axes, at(rows, source))
        axes.set_title(dataset_title(rows, source), loc="left")
        axes.set_xlabel("server CPU per image, ms")
    grid[0].set_ylabel("accuracy, %")
    handles = {}
    for transform in dict.fromkeys(rows["transform"]):
        handles[transform_title(transform)] = Line2D([], [], color=colour_of(transform), marker="o", ms=6, lw=1.6)
    dash = {"ls": "", "color": figures.BLACK}
    handles["in clear, mean of seeds"] = Line2D([], [], marker="_", ms=12, **dash)
    if (rows["network"] != PLAIN).any():
        handles["another network"] = Line2D([], [], marker="D", mfc="white", ms=6, **dash)
    note = "k numbers are encrypted per image, images lie along the slots; dots: decrypted logits of all test images,"
    note += " seed 1. Marks of the same k are moved apart a little."
    figures.footer(figure, f"{note} {data_note(frames['settings'], shown, rows)}")
    titled(figure, finding(rows, frames), handles)
    return figure, rows
