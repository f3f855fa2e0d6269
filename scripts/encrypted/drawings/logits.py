"""Logits decrypted against logits computed in clear, and their differences."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.encrypted.labels import (
    DCT,
    PIXELS,
    POOLING,
    SLOTS,
    at,
    colour_of,
    data_note,
    dataset_title,
    in_order,
    parts,
    rival,
    setting_title,
)
from scripts.encrypted.settings import PLAIN

COLUMNS = ["source", "setting", "image", "clear", "decrypted", "error", "max_error", "median_error"]
COLUMNS += ["precision_bits", "n"]


def chosen(names: list[str]) -> list[str]:
    """Return up to three settings of a dataset: DCT at its middle k, pooling at the same cost, all pixels."""
    plain = [name for name in names if parts(name)[2] == PLAIN]
    by = {kind: sorted((n for n in plain if parts(n)[0] == kind), key=lambda n: parts(n)[1]) for kind in (DCT, PIXELS)}
    dct = by[DCT][(len(by[DCT]) - 1) // 2] if by[DCT] else None
    pooled = rival(dct, plain, POOLING) if dct else None
    found = [name for name in (dct, pooled, *by[PIXELS][-1:]) if name]
    return found or names[:3]


def logit_rows(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the sampled logits of the chosen settings of the first dataset, with the errors of all its test images."""
    logits, noise = frames["logits"], frames["noise"]
    if logits.empty:
        return pd.DataFrame(columns=COLUMNS)
    own = logits[(logits["source"] == logits["source"].iloc[0]) & (logits["key"] == logits["key"].min())]
    own = own[own["setting"].isin(chosen(list(dict.fromkeys(in_order(own)["setting"]))))]
    known = noise[(noise["packing"] == SLOTS) & (noise["key"] == own["key"].iloc[0])]
    known = known[["source", "setting", "max_error", "median_error", "precision_bits", "n"]]
    joined = in_order(own).merge(known, on=["source", "setting"], how="left")
    return joined.assign(error=joined["decrypted"] - joined["clear"])[COLUMNS]


def finding(rows: pd.DataFrame, noise: pd.DataFrame, title: str) -> list[str]:
    """Return the largest error beside the largest logit, the bits of precision, and the predictions that change."""
    known = rows.drop_duplicates("setting").dropna(subset=["max_error"])
    own = noise[(noise["source"] == rows["source"].iloc[0]) & (noise["packing"] == SLOTS)]
    if known.empty:
        return [f"{title}: the largest error of the logits shown is {number(rows['error'].abs())}."]
    low, high = (f"{end:.1f}" for end in (known["precision_bits"].min(), known["precision_bits"].max()))
    bits = low if low == high else f"{low} to {high}"
    text = f"{title}: decrypted logits have {bits} bits of precision; the largest error is {number(known['max_error'])}"
    text += f" beside logits of up to {rows['clear'].abs().max():.0f}."
    many, keys = own["setting"].nunique(), own["key"].nunique()
    changed = f"Encryption changes {int(own['flips'].sum()):,} of {int(own['n'].sum()):,} predictions"
    return [text, f"{changed} of {many} settings{f' and up to {keys} keys' if keys > 1 else ''}."]


def number(values: pd.Series) -> str:
    """Return the largest of some errors with two digits that count: "0.0047"."""
    value = float(values.max())
    return f"{value:.{max(0, 1 - int(np.floor(np.log10(value))))}f}" if 0 < value < 1 else f"{value:.2g}"


def draw_pair(above: Axes, below: Axes, rows: pd.DataFrame, limit: float) -> None:
    """Draw the logits of one setting, and below their errors with the largest and the median of all test images."""
    colour = colour_of(parts(rows["setting"].iloc[0])[0])
    span = np.array([rows["clear"].min(), rows["clear"].max()])
    above.plot(span, span, color=figures.GREY, lw=0.8, zorder=1)
    face = {"s": 13, "fc": "none", "ec": colour, "lw": 0.8, "alpha": 0.8}
    above.scatter(rows["clear"], rows["decrypted"], **face)
    below.scatter(rows["clear"], rows["error"], **face)
    first = rows.iloc[0]
    for value, style in ((first["max_error"], "--"), (first["median_error"], ":")):
        for sign in (-1, 1):
            below.axhline(sign * value, color=figures.BLACK, lw=0.9, ls=style)
    below.set_ylim(-limit, limit)
    if pd.notna(first["max_error"]):
        words = f"max {number(pd.Series([first['max_error']]))}, median {number(pd.Series([first['median_error']]))}"
        text = f"{words}; {first['precision_bits']:.1f} bits"
        below.text(0.02, 0.98, text, transform=below.transAxes, va="top", fontsize=9.5)
    below.ticklabel_format(axis="y", style="plain", useOffset=False)


def draw_logits(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw decrypted against clear logits of up to three settings, and the errors below."""
    rows = logit_rows(frames)
    if rows.empty:
        return without_data("No decrypted logits in these results.", COLUMNS)
    names = list(dict.fromkeys(rows["setting"]))
    figure = figures.new_figure(max(4.6 * len(names), 9.0), 6.8)
    shape = {"squeeze": False, "sharex": "col", "gridspec_kw": {"height_ratios": [3, 2]}}
    grid = figure.subplots(2, len(names), **shape)
    limit = 1.35 * np.nanmax([rows["max_error"].max(), rows["error"].abs().max()])
    for place, name in enumerate(names):
        draw_pair(grid[0, place], grid[1, place], rows[rows["setting"] == name], limit)
        grid[0, place].set_title(setting_title(name), loc="left")
        grid[1, place].set_xlabel("logit in clear")
    grid[0, 0].set_ylabel("decrypted logit")
    grid[1, 0].set_ylabel("decrypted minus clear")
    source = rows["source"].iloc[0]
    title = dataset_title(frames["settings"], source) if len(at(frames["settings"], source)) else source
    line = {"color": figures.BLACK, "lw": 0.9}
    handles = {"largest error of all test images": Line2D([], [], ls="--", **line)}
    handles |= {"median error of all test images": Line2D([], [], ls=":", **line)}
    note = f"A mark per class of {rows['image'].nunique()} test images, key 1; bits of precision: -log2(largest error"
    note += " / largest logit); no intervals."
    figures.footer(figure, f"{note} {data_note(frames['settings'], [source], rows[['setting']])}")
    titled(figure, finding(rows, frames["noise"], title), handles)
    return figure, rows
