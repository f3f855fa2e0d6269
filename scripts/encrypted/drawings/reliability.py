"""What encryption changes: predictions and errors by setting and key, beside the spread that was published for it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import gammaincinv

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.common.published import values as published_values
from scripts.encrypted.drawings.axes import log_axis, rows_axis
from scripts.encrypted.labels import (
    OF_BINOMIAL,
    OF_SUBSETS,
    PUBLISHED_NUMBERS,
    SLOTS,
    colour_of,
    data_note,
    dataset_title,
    encryptions,
    in_order,
    parts,
    setting_title,
    sources,
)
from scripts.encrypted.measures import SUBSET, SUBSETS

COLUMNS = ["source", "dataset", "setting", "key", "value", "ci_low", "ci_high", "interval", "flips", "n", "max_error"]
COLUMNS += ["median_error", "logit_deviation", "precision_bits", "spread_subsets", "spread_binomial", "spread_drawn"]
MOST = 32  # rows; smaller datasets come last and are left out first


def reliability_rows(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return encrypted minus clear, flips and errors by setting and key, and both spreads by setting."""
    keys = ["source", "setting", "key"]
    noise = frames["noise"][frames["noise"]["packing"] == SLOTS]
    changed = encryptions(frames["comparisons"])[[*keys, "value", "ci_low", "ci_high", "interval"]]
    rows = noise.merge(changed.astype({"key": "int64"}), on=keys, how="left")
    spread = frames["metrics"][frames["metrics"]["metric"] == "accuracy_deviation"]
    spread = spread[spread["seed"] == spread["seed"].min()]  # of the networks that are encrypted
    for condition, name in ((OF_SUBSETS, "spread_subsets"), (OF_BINOMIAL, "spread_binomial")):
        own = spread[spread["condition"] == condition].groupby(["source", "setting"])["value"].first()
        rows = rows.join(own.rename(name), on=["source", "setting"])
    drawn = rows["spread_binomial"] * rows["n"].map(drawing)
    return in_order(rows.assign(spread_drawn=drawn)).reindex(columns=COLUMNS).reset_index(drop=True)


def drawing(images: int) -> float:
    """Return by how much a deviation is smaller when subsets are drawn from few images, none of them twice."""
    size = min(SUBSET, images)
    return ((images - size) / max(images - 1, 1)) ** 0.5


def band(deviation: float) -> tuple[float, float]:
    """Return the ends within which 95 % of the deviations over the subsets lie, for a deviation of one."""
    low, high = np.sqrt(2 * gammaincinv((SUBSETS - 1) / 2, [0.025, 0.975]) / (SUBSETS - 1))  # chi-squared
    return deviation * float(low), deviation * float(high)


def finding(rows: pd.DataFrame) -> list[str]:
    """Return how many predictions encryption flips, the largest error, and what the published spread measures."""
    flips, images = int(rows["flips"].sum()), int(rows["n"].sum())
    largest = (rows["max_error"] / rows["logit_deviation"]).max()
    runs, keys = rows[["source", "setting", "key"]].drop_duplicates(), rows["key"].nunique()
    first = f"Encryption flips {flips:,} of {images:,} predictions ({len(runs)} pairs of setting and key, {keys} "
    first += f"key{'s' if keys > 1 else ''}); the largest error is {100 * largest:.2g} % of the logits' deviation."
    own = rows.drop_duplicates(["source", "setting"]).dropna(subset=["spread_subsets", "spread_drawn"])
    if own.empty:
        return [first]
    inside = sum(
        low <= row.spread_subsets <= high for row in own.itertuples() for low, high in [band(row.spread_drawn)]
    )
    second = (
        f"The published kind of spread, over {SUBSETS} subsets of {SUBSET} images, is what drawing images alone gives"
    )
    second += (
        f" in {inside} of {len(own)} settings: {100 * own['spread_subsets'].mean():.1f} points in the mean, expected"
    )
    return [first, f"{second} {100 * own['spread_drawn'].mean():.1f}."]


def draw_changes(axes: Axes, rows: pd.DataFrame, places: Mapping[tuple, int]) -> None:
    """Draw encrypted minus clear by key in points with its interval, and the flips where there are some."""
    for row in rows.itertuples():
        y = places[row.source, row.setting] + 0.22 * (row.key - 2)
        colour = colour_of(parts(row.setting)[0])
        axes.hlines(y, 100 * row.ci_low, 100 * row.ci_high, color=colour, lw=1.4)
        axes.scatter([100 * row.value], [y], s=20, color=colour, zorder=4)
        if row.flips:
            words = f"{int(row.flips)} flip{'s' if row.flips > 1 else ''}"
            label = {"textcoords": "offset points", "fontsize": 8.5, "va": "center"}
            axes.annotate(words, (100 * max(row.value, row.ci_high), y), (7, 0), **label)
    axes.axvline(0, color=figures.BLACK, lw=0.8)
    far = max(0.5, 1.15 * 100 * np.nanmax(np.abs(rows[["ci_low", "ci_high"]].to_numpy(float)), initial=0.0))
    axes.set_xlim(-far, far)
    axes.set_xlabel("encrypted − clear accuracy, points")


def draw_errors(axes: Axes, rows: pd.DataFrame, places: Mapping[tuple, int]) -> None:
    """Draw the largest and the median error by key, relative to the deviation of the logits."""
    for row in rows.itertuples():
        y = places[row.source, row.setting] + 0.22 * (row.key - 2)
        colour = colour_of(parts(row.setting)[0])
        for value, face in ((row.max_error, colour), (row.median_error, "white")):
            axes.scatter([100 * value / row.logit_deviation], [y], s=20, fc=face, ec=colour, lw=1.0, zorder=4)
    log_axis(axes, steps=(1.0,))
    axes.set_xlabel("logit error, % of logits' deviation")


def draw_spreads(axes: Axes, rows: pd.DataFrame, places: Mapping[tuple, int]) -> None:
    """Draw the spread over subsets on the band in which binomial draws lie."""
    for row in rows.drop_duplicates(["source", "setting"]).itertuples():
        if pd.isna(row.spread_drawn):
            continue
        y, (low, high) = places[row.source, row.setting], band(row.spread_drawn)
        axes.barh(y, 100 * (high - low), 0.6, left=100 * low, color="#DADADA", zorder=1)
        axes.vlines(100 * row.spread_drawn, y - 0.3, y + 0.3, color=figures.GREY, lw=1.6)
        axes.scatter([100 * row.spread_subsets], [y], marker="D", s=22, color=figures.PURPLE, zorder=4)
    printed = published_values(PUBLISHED_NUMBERS, "abstract")
    for name, words in (("reliability_rgb", "RGB"), ("reliability_dct", "DCT")):
        value = 100 * printed[name]
        axes.axvline(value, color=figures.BLACK, lw=1.0, ls=":")
        about = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "bottom", "fontsize": 8.5}
        axes.text(value, 1.003, f"printed, {words}", **about)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"spread over subsets of {SUBSET}, points")


def draw_reliability(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw changes and errors by encryption of every setting and key, and spreads of the published kind."""
    rows = reliability_rows(frames)
    if rows.empty:
        return without_data("No decrypted predictions in these results.", COLUMNS)
    found = list(dict.fromkeys(zip(rows["source"], rows["setting"], strict=True)))
    lines: list[tuple[str, str | None]] = []  # a line per setting, and one above for the title of its dataset
    for source, setting in found[:MOST]:
        lines += [(source, None)] * ((source, None) not in lines) + [(source, setting)]
    places = {line: place for place, line in enumerate(lines)}
    drawn = rows[[key in places for key in zip(rows["source"], rows["setting"], strict=True)]]
    titles = [setting_title(setting) if setting else dataset_title(rows, source) for source, setting in lines]
    figure = figures.new_figure(13.0, 2.6 + 0.24 * len(lines))
    grid = figure.subplots(1, 3, squeeze=False)[0]
    for axes, draw in zip(grid, (draw_changes, draw_errors, draw_spreads), strict=True):
        draw(axes, drawn, places)
        rows_axis(axes, titles if axes is grid[0] else [""] * len(lines))
        axes.hlines([place for place, (_, setting) in enumerate(lines) if not setting], 0, 1, colors="#E4E4E4", lw=6,
                    transform=axes.get_yaxis_transform(), zorder=0)  # fmt: skip
    for label, (_, setting) in zip(grid[0].get_yticklabels(), lines, strict=True):
        label.set(fontsize=10, fontweight="normal" if setting else "bold")
    dot = {"ls": "", "marker": "o", "ms": 5, "mec": figures.BLACK}
    handles = {"a key; largest error": Line2D([], [], mfc=figures.BLACK, **dot)}
    handles["median error"] = Line2D([], [], mfc="white", **dot)
    handles[f"spread over {SUBSETS} subsets"] = Line2D([], [], ls="", marker="D", ms=5, color=figures.PURPLE)
    handles["expected from drawing images, 95 % of deviations"] = Patch(color="#DADADA")
    note = (
        "Left and middle: decrypted logits of all test images, paired with clear ones. Right: the quantised network in"
    )
    note += " clear, as published, with the printed spreads of other images."
    note += f" {len(found) - MOST} more settings are in the table." if len(found) > MOST else ""
    figures.footer(figure, f"{note} {data_note(frames['settings'], sources(drawn), drawn)}")
    titled(figure, finding(rows), handles)
    return figure, rows
