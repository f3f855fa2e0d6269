"""What the server's numbers hold of a picture: its reconstruction from k of them, by transform."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scripts.common import figures
from scripts.common.errors import UserError
from scripts.common.layout import titled, without_data
from scripts.encrypted.labels import CROP, DCT, POOLING, SUBSAMPLING, short_title, transform_title
from scripts.encrypted.transforms import kept_energy, matrix_of

SHOWN = (DCT, POOLING, SUBSAMPLING, CROP)
SIZES = (16, 49, 64, 196, 256)  # of the numbers of the settings, those that every transform can give are drawn
COLUMNS = ["transform", "k", "side", "kept_energy", "error", "title"]


def pixels_of(picture: pd.DataFrame) -> np.ndarray:
    """Return the pixels of the picture [side * side], 0 to 1."""
    return picture.sort_values("position")["value"].to_numpy(float)


def rebuilt(transform: str, pixels: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """Return the picture rebuilt from k numbers [side * side], and the share of energy that they keep.

    Raises:
        UserError: the transform cannot give k numbers of a picture of this size.
    """
    side = round(len(pixels) ** 0.5)
    matrix = matrix_of(transform, side, k)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    return pixels @ unit.T @ unit, kept_energy(unit, pixels[None])  # all have orthogonal rows: no pseudo-inverse


def picture_rows(picture: pd.DataFrame) -> tuple[pd.DataFrame, dict[tuple[str, int], np.ndarray]]:
    """Return kept energy and root mean square error in grey levels of 255 of every reconstruction, and the pictures."""
    if picture.empty:
        return pd.DataFrame(columns=COLUMNS), {}
    pixels, side = pixels_of(picture), int(picture["side"].iloc[0])
    rows, held = [], {}
    for transform in SHOWN:
        for k in [*SIZES, side * side]:
            try:
                found, energy = rebuilt(transform, pixels, k)
            except UserError:  # this transform has no such k
                continue
            error = 255 * float(np.sqrt(((found - pixels) ** 2).mean()))
            about = {"transform": transform, "k": k, "side": side, "kept_energy": energy, "error": error}
            rows.append(about | {"title": str(picture["title"].iloc[0])})
            held[transform, k] = found
    frame = pd.DataFrame(rows, columns=COLUMNS)
    everywhere = frame.groupby("k")["transform"].nunique() == len(SHOWN)
    frame = frame[frame["k"].isin(everywhere.index[everywhere])].reset_index(drop=True)
    return frame, {key: value for key, value in held.items() if everywhere[key[1]]}


def finding(rows: pd.DataFrame, mean: float) -> list[str]:
    """Return the energy that each transform keeps with the smallest k and its error in grey levels; and the mean's.

    Args:
        mean: the energy that the mean grey alone keeps.
    """
    k, whole = int(rows["k"].min()), int(rows["side"].iloc[0]) ** 2
    own = rows[rows["k"] == k]
    texts = [
        f"{short_title(row.transform)} {100 * row.kept_energy:.1f} % (±{row.error:.0f})" for row in own.itertuples()
    ]
    first = f"{k} of {whole:,} numbers keep of the energy of an image: {', '.join(texts)}."
    return [
        first,
        f"In brackets: error in grey levels of 255. The mean grey alone has {100 * mean:.1f} % of the energy.",
    ]


def draw_reconstruction(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw one picture rebuilt from k numbers, a row per transform, a column per k."""
    rows, held = picture_rows(frames["picture"])
    if rows.empty:
        return without_data("No picture in these results.", COLUMNS)
    rows = rows.drop_duplicates(["transform", "k"])  # a small picture has no more numbers than a listed k
    sizes, side = sorted(rows["k"].unique()), int(rows["side"].iloc[0])
    figure = figures.new_figure(max(1.95 * len(sizes) + 1.6, 9.0), 1.8 + 2.15 * len(SHOWN))
    grid = figure.subplots(len(SHOWN), len(sizes), squeeze=False)
    numbers = rows.set_index(["transform", "k"])
    for line, transform in zip(grid, SHOWN, strict=True):
        for axes, k in zip(line, sizes, strict=True):
            if exact := k == side * side:
                axes.set_visible(transform == SHOWN[0])  # the same for all
            axes.imshow(held[transform, k].reshape(side, side), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
            row = numbers.loc[(transform, k)]
            axes.set_xlabel("exact" if exact else f"{100 * row['kept_energy']:.1f} %, ±{row['error']:.0f}", fontsize=10)
            if transform == SHOWN[0]:
                axes.set_title(f"all {k:,}, any row" if exact else f"k = {k}", fontsize=11)
        line[0].set_ylabel(transform_title(transform), fontsize=10.5)
    note = (
        f"{rows['title'].iloc[0]}, {side}x{side}. The image of least norm with these numbers (pseudo-inverse); below it"
    )
    note += " the kept energy and the root mean square error in grey levels of 255. One image, no intervals."
    figures.footer(figure, note)
    titled(figure, finding(rows, rebuilt(DCT, pixels_of(frames["picture"]), 1)[1]))
    return figure, rows
