"""Draw a labelled contact sheet of rendered faces: each visible attribute with and without."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import job
from scripts.data.celeba_names import ATTRIBUTES

SHOWN = (
    "Eyeglasses",
    "Male",
    "Smiling",
    "Blond_Hair",
    "Black_Hair",
    "Gray_Hair",
    "Bald",
    "Wearing_Hat",
    "Mustache",
    "Young",
    "Wearing_Lipstick",
    "Bangs",
)
PER_HALF = 7  # faces in a row with the attribute, and as many without
GAP = 6  # white pixels between faces; twice as many between the halves
CAPTION = "Rendered faces - drawn from CelebA attribute rows, no photograph"


def pick(has: np.ndarray, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return up to `count` positions with and up to `count` without an attribute, in cyclic order from `start`."""
    order = np.roll(np.arange(len(has)), -start)
    return order[has[order]][:count], order[~has[order]][:count]


def compose(images: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """Return the grid of faces as one image (uint8 [H, W, 3]); positions without a face stay white."""
    size = images.shape[1]
    step = size + GAP
    grid = np.full((len(SHOWN) * step, (2 * PER_HALF + 1) * step - size + GAP, 3), 255, np.uint8)
    for row, name in enumerate(SHOWN):
        has = attributes[:, ATTRIBUTES.index(name)] > 0
        for half, chosen in enumerate(pick(has, row * 2 * PER_HALF % len(images), PER_HALF)):
            for column, position in enumerate(chosen):
                left = (half * PER_HALF + column) * step + half * 2 * GAP
                grid[row * step : row * step + size, left : left + size] = images[position]
    return grid


def contact_sheet(images: np.ndarray, attributes: np.ndarray, row_ids: np.ndarray, path: str | Path) -> None:
    """Write a PNG with one line per visible attribute: faces that have it on the left, faces that lack it on the right.

    Args:
        images: uint8 [N, 64, 64, 3].
        attributes: int8 [N, 40] of -1 and +1, in the order of `ATTRIBUTES`.
        row_ids: int64 [N]; the sheet shows the faces in the order of their row ids.
        path: the PNG to write.

    Raises:
        UserError: there are no faces, the three arrays differ in length, or the file cannot be written.
    """
    if not len(images) or not len(images) == len(attributes) == len(row_ids):
        raise UserError(
            f"{path}: {len(images)} images, {len(attributes)} attribute rows and {len(row_ids)} row ids; "
            "a contact sheet needs equally many, and at least one"
        )
    order = np.argsort(row_ids, kind="stable")
    grid = compose(images[order], attributes[order])
    height, width = grid.shape[:2]
    figure = Figure(figsize=(width / 80 + 1.5, height / 80 + 0.8), dpi=68, facecolor="white")
    left, top = 1.4 / figure.get_figwidth(), 1 - 0.4 / figure.get_figheight()
    bottom = 0.35 / figure.get_figheight()
    axes = figure.add_axes((left, bottom, 0.995 - left, top - bottom))
    axes.imshow(grid, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    for row, name in enumerate(SHOWN):
        middle = row * (height / len(SHOWN)) + images.shape[1] / 2
        axes.text(-2 * GAP, middle, name.replace("_", " "), ha="right", va="center", fontsize=10)
    for position, text in ((0.25, "attribute +1"), (0.75, "attribute -1")):
        axes.text(width * position, -2 * GAP, text, ha="center", va="bottom", fontsize=11)
    figure.text(0.5, 0.1 / figure.get_figheight(), CAPTION, ha="center", va="bottom", fontsize=9, color="0.35")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, metadata={"Software": None})


def main(images: str, index: str, attributes: str, png: str) -> None:
    """Draw the sheet from the rule's files: the image array, its Parquet index and the attribute table."""
    row_ids = parquet.read(index, columns=["row_id"])["row_id"].to_numpy()
    table = parquet.read(attributes, columns=["row_id", *ATTRIBUTES]).set_index("row_id")
    missing = np.setdiff1d(row_ids, table.index)
    if len(missing):
        raise UserError(f"{attributes}: lacks row {missing[0]}, which {index} lists; rebuild both")
    contact_sheet(np.load(images, mmap_mode="r"), table.loc[row_ids].to_numpy(np.int8), row_ids, png)


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake.input.images, snakemake.input.index, snakemake.input.attributes, snakemake.output[0])
