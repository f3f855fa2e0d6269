"""The pictures of what was found: masks and triggers of every label, the norms, and how a search shrinks a mask."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scripts.backdoor.outliers import CONSISTENT, median_of
from scripts.backdoor.words import in_kind_order, kind_words
from scripts.common import figures

SIDE, PANELS_ACROSS, MOST_SEEDS = 28, 4, 3


def picture(pixels) -> np.ndarray:
    """Return a flat list of pixels as an image."""
    return np.asarray(pixels, dtype=float).reshape(SIDE, SIDE)


def show(axes: Axes, pixels, colour: str | None = None) -> None:
    """Draw a grey picture without ticks; with a colour it gets a frame."""
    axes.imshow(picture(pixels), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour or "#B0B0B0", linewidth=3.0 if colour else 0.6)


def draw_gallery(masks: pd.DataFrame, labels: pd.DataFrame, dataset: str) -> tuple[Figure, pd.DataFrame]:
    """Draw for each kind a row of masks and one of triggers, and the true triggers in front of them."""
    drawn = masks[masks["protocol"] == "corrected"].merge(
        labels[["kind", "seed", "protocol", "label", "norm", "success", "jaccard", "infected"]],
        on=["kind", "seed", "protocol", "label"],
    )
    keys = ["kind", "seed", "label", "norm", "success", "jaccard", "infected"]
    pictures = {name: (name, list) for name in ("mask", "pattern", "true")}
    own = drawn.groupby(keys, sort=False, dropna=False, as_index=False).agg(**pictures)
    kinds, names = in_kind_order(own["kind"]), sorted(own["label"].unique())
    canvas = figures.new_figure(1.0 * len(names) + 2.6, 2.25 * len(kinds) + 0.7)
    grid = canvas.subplots(2 * len(kinds), len(names) + 1, squeeze=False)
    for place, kind in enumerate(kinds):
        rows = own[own["kind"] == kind].set_index("label")
        infected = set(rows.index[rows["infected"].eq(True)])
        upper, lower = grid[2 * place], grid[2 * place + 1]
        true = [pixels for pixels in rows["true"] if not np.isnan(pixels).any()]
        if true:
            show(upper[0], np.max(np.stack(true), axis=0))
            upper[0].set_title("true trigger", fontsize=9, fontweight="normal")
        else:
            upper[0].axis("off")
        lower[0].axis("off")
        words = kind_words(kind) if len(true) < 2 else f"{kind_words(kind)}\n(both shown)"
        lower[0].text(0.5, 0.75, words, ha="center", va="center", fontsize=11, fontweight="bold")
        for column, label in enumerate(names, start=1):
            row = rows.loc[label]
            colour = figures.VERMILION if label in infected else None
            show(upper[column], row["mask"], colour)
            show(lower[column], np.multiply(row["mask"], row["pattern"]), colour)
            upper[column].set_title(
                f"{label}:  {row['norm']:.1f}", fontsize=10, fontweight="bold" if colour else "normal"
            )
        upper[1].set_ylabel("mask", fontsize=9)
        lower[1].set_ylabel("trigger", fontsize=9)
    seeds = ", ".join(map(str, sorted(own["seed"].unique())))
    words = f"{dataset}; first seed of every kind ({seeds}); above each mask: label and sum of the mask in pixels; "
    words += "framed: truly infected"
    figures.footer(canvas, words)
    return canvas, drawn[[*keys, "pixel", "mask", "pattern", "true"]]


def draw_norms(
    labels: pd.DataFrame, models: pd.DataFrame, threshold: float, dataset: str
) -> tuple[Figure, pd.DataFrame]:
    """Draw ten bars per model and the band around their median; the first seeds of each kind."""
    own = labels[labels["protocol"] == "corrected"]
    seeds = {kind: sorted(rows["seed"].unique())[:MOST_SEEDS] for kind, rows in own.groupby("kind")}
    shown = [(kind, seed) for kind in in_kind_order(seeds) for seed in seeds[kind]]
    down = -(-len(shown) // PANELS_ACROSS)
    canvas = figures.new_figure(3.2 * PANELS_ACROSS, 2.7 * down + 0.7)
    grid = canvas.subplots(down, PANELS_ACROSS, squeeze=False, sharey=True).ravel()
    parts = []
    for axes, (kind, seed) in zip(grid, shown, strict=False):
        rows = own[(own["kind"] == kind) & (own["seed"] == seed)].sort_values("label")
        judged = models[(models["run"] == rows["run"].iloc[0]) & (models["protocol"] == "corrected")].iloc[0]
        centre = float(median_of(rows["norm"]))
        spread = CONSISTENT * float(median_of(abs(rows["norm"] - centre)))
        infected = rows["infected"].eq(True)
        axes.axhspan(max(0, centre - threshold * spread), centre + threshold * spread, color="#DDDDDD", zorder=0)
        axes.axhline(centre, color=figures.GREY, lw=1)
        colours = np.where(infected, figures.VERMILION, figures.BLUE)
        axes.bar(rows["label"].astype(str), rows["norm"], color=colours)
        axes.set_title(f"{kind_words(kind)}, seed {seed}", fontsize=11)
        words = f"{judged['verdict']}\nindex {judged['index']:.1f}, on logs {judged['index_log']:.1f}"
        axes.text(0.98, 0.97, words, transform=axes.transAxes, ha="right", va="top", fontsize=9)
        axes.grid(axis="x", visible=False)
        parts.append(rows.assign(median=centre, low=centre - threshold * spread, high=centre + threshold * spread))
    for axes in grid[len(shown) :]:
        axes.axis("off")
    top = max(part[["norm"]].max().max() for part in parts)
    for axes in grid[: len(shown)]:
        axes.set_ylim(0, top * 1.4)
    for axes in grid[: len(shown) : PANELS_ACROSS]:
        axes.set_ylabel("sum of the mask, pixels")
    handles = {
        "truly infected label": Rectangle((0, 0), 1, 1, color=figures.VERMILION),
        "other label": Rectangle((0, 0), 1, 1, color=figures.BLUE),
        f"median ± {threshold:g} scaled deviations": Rectangle((0, 0), 1, 1, color="#DDDDDD"),
    }
    figures.legend_above(canvas, handles, columns=3)
    figures.footer(
        canvas, f"{dataset}; one panel per model; across: target label; up to {MOST_SEEDS} seeds of every kind"
    )
    columns = ["run", "kind", "seed", "label", "infected", "norm", "median", "low", "high", "index", "index_log"]
    return canvas, pd.concat(parts, ignore_index=True)[columns]


def draw_search(traces: pd.DataFrame, labels: pd.DataFrame, dataset: str) -> tuple[Figure, pd.DataFrame]:
    """Draw the mask norm and the cost over the steps, for all labels of the first seed of each kind."""
    own = traces[traces["protocol"] == "corrected"]
    own = own[own["seed"] == own.groupby("kind")["seed"].transform("min")]
    truth = labels[["run", "protocol", "label", "infected"]]
    own = own.merge(truth, on=["run", "protocol", "label"], how="left")
    kinds = in_kind_order(own["kind"])
    canvas = figures.new_figure(2.9 * len(kinds) + 0.4, 5.4)
    grid = canvas.subplots(2, len(kinds), squeeze=False, sharex=True, sharey="row")
    for column, kind in enumerate(kinds):
        for _, rows in own[own["kind"] == kind].groupby("label"):
            infected = bool(rows["infected"].eq(True).iloc[0])
            look = {"color": figures.VERMILION if infected else figures.BLUE, "lw": 2.2 if infected else 0.9}
            look |= {"alpha": 1.0 if infected else 0.6, "zorder": 3 if infected else 2}
            grid[0, column].plot(rows["step"], rows["norm"], **look)
            grid[1, column].plot(rows["step"], rows["cost"].where(rows["cost"] > 0), **look)
            last = rows.iloc[-1]
            grid[0, column].plot(
                last["step"], last["norm"], "o", ms=3, **{key: look[key] for key in ("color", "zorder")}
            )
        grid[0, column].set_title(f"{kind_words(kind)}, seed {own[own['kind'] == kind]['seed'].iloc[0]}", fontsize=11)
        grid[1, column].set_xlabel("step")
    grid[0, 0].set(ylabel="sum of the mask, pixels", yscale="log")
    grid[1, 0].set_ylabel("cost of a pixel of mask")
    if (own["cost"] > 0).any():
        grid[1, 0].set_yscale("log")
    else:
        figures.empty_note(grid[1, 0], "no label passed the gate often enough for a cost")
    handles = {
        "truly infected label": grid[0, 0].plot([], [], color=figures.VERMILION, lw=2.2)[0],
        "other label": grid[0, 0].plot([], [], color=figures.BLUE, lw=0.9)[0],
    }
    figures.legend_above(canvas, handles, columns=2)
    figures.footer(canvas, f"{dataset}; first seed of every kind; a dot ends a line; a cost of 0 is not drawn")
    return canvas, own.drop(columns=["protocol"]).reset_index(drop=True)
