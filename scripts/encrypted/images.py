"""Grey images with a label each, as the study encrypts them, and the files that hold them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.files import atomic_path


@dataclass(frozen=True)
class Images:
    """Square grey images.

    `values` float32 [n, side * side], 0 to 1; `labels` int16 [n]; `row_ids` int64 [n]; `test` bool [n].
    `names` are the words of the classes.
    """

    title: str
    names: tuple[str, ...]
    row_ids: np.ndarray
    labels: np.ndarray
    test: np.ndarray
    values: np.ndarray

    @property
    def side(self) -> int:
        """Return the number of pixels along a side."""
        return round(self.values.shape[1] ** 0.5)


def write(images: Images, values: str | Path, index: str | Path) -> None:
    """Write the pixels as NumPy's format, and title, names, row_id, label and split as Parquet.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    with atomic_path(values) as temporary, temporary.open("wb") as file:
        np.save(file, images.values.astype(np.float32))
    split = np.where(images.test, "test", "train")
    frame = pd.DataFrame({"row_id": images.row_ids, "label": images.labels, "split": split})
    parquet.write(frame.assign(name=np.array(images.names)[images.labels], title=images.title), index)


def read(values: str | Path, index: str | Path) -> Images:
    """Return the images of two files.

    Raises:
        UserError: a file is missing or damaged, or they do not belong together.
    """
    frame = parquet.read(index)
    try:
        pixels = np.load(values, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{values}: no array of images, or damaged ({error}); delete it and run the workflow"
        ) from error
    if len(pixels) != len(frame):
        raise UserError(f"{values}: {len(pixels)} images, {index} lists {len(frame)}; delete both and run the workflow")
    names = frame.drop_duplicates("label").sort_values("label")["name"]
    return Images(
        str(frame["title"].iloc[0]),
        tuple(names),
        frame["row_id"].to_numpy(np.int64),
        frame["label"].to_numpy(np.int16),
        (frame["split"] == "test").to_numpy(),
        pixels,
    )


def check(images: Images, where: str) -> Images:
    """Return the images after checking that a classifier can be trained and tested on them.

    Raises:
        UserError: they are not square or not finite, a class is missing in a part, or there are fewer than two classes.
    """
    if images.side**2 != images.values.shape[1]:
        raise UserError(f"{where}: images of {images.values.shape[1]} pixels are not square; crop them first")
    if not np.isfinite(images.values).all():
        raise UserError(f"{where}: an image holds a value that is not finite")
    if len(images.names) < 2:
        raise UserError(f"{where}: one class alone ({images.names[0]}); a classifier needs two")
    for part, rows in (("training", ~images.test), ("test", images.test)):
        missing = set(range(len(images.names))) - set(images.labels[rows].tolist())
        if missing:
            raise UserError(f"{where}: no {part} image of class {images.names[min(missing)]}; add some")
    return images
