"""Grey images with a label each, as the study encrypts them, and the files that hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.seeds import shuffled

MOST_CLASSES = 127  # labels of predictions are int8


@dataclass(frozen=True)
class Images:
    """Square grey images.

    `values` float32 [n, side * side], 0 to 1; `labels` int16 [n]; `row_ids` int64 [n]; `test` bool [n].
    `names` are the words of the classes. `groups` int8 [n] says for each image whether the sensitive `attribute` holds;
    both are empty where nothing is known of people.
    """

    title: str
    names: tuple[str, ...]
    row_ids: np.ndarray
    labels: np.ndarray
    test: np.ndarray
    values: np.ndarray
    attribute: str = ""
    groups: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))

    def take(self, rows: np.ndarray) -> "Images":
        """Return the images at some places."""
        kept = {name: getattr(self, name)[rows] for name in ("row_ids", "labels", "test", "values")}
        return replace(self, **kept, groups=self.groups[rows] if self.attribute else self.groups)

    @property
    def side(self) -> int:
        """Return the number of pixels along a side."""
        return round(self.values.shape[1] ** 0.5)


def write(images: Images, values: str | Path, index: str | Path) -> None:
    """Write the pixels in NumPy's format, and title, names, row_id, label, split and groups as Parquet.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    with atomic_path(values) as temporary, temporary.open("wb") as file:
        np.save(file, images.values.astype(np.float32))
    split = np.where(images.test, "test", "train")
    frame = pd.DataFrame({"row_id": images.row_ids, "label": images.labels, "split": split})
    if images.attribute:
        frame[images.attribute] = images.groups.astype(np.int8)
    parquet.write(frame.assign(name=np.array(images.names)[images.labels], title=images.title), index)


def read_index(path: str | Path) -> pd.DataFrame:
    """Return row_id, label, split, name and title of all images, and their groups where they have some."""
    return parquet.read(path)


def read(values: str | Path, index: str | Path) -> Images:
    """Return the images of two files.

    Raises:
        UserError: a file is missing or damaged, or they do not belong together.
    """
    frame = read_index(index)
    try:
        pixels = np.load(values, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{values}: no array of images, or damaged ({error}); delete it and run the workflow"
        ) from error
    if len(pixels) != len(frame):
        raise UserError(f"{values}: {len(pixels)} images, {index} lists {len(frame)}; delete both and run the workflow")
    names = frame.drop_duplicates("label").sort_values("label")["name"]
    attribute = [*frame.columns.difference(["row_id", "label", "split", "name", "title"]), ""][0]
    groups = {"groups": frame[attribute].to_numpy(np.int8)} if attribute else {}
    return Images(
        str(frame["title"].iloc[0]),
        tuple(names),
        frame["row_id"].to_numpy(np.int64),
        frame["label"].to_numpy(np.int16),
        (frame["split"] == "test").to_numpy(),
        pixels,
        attribute,
        **groups,
    )


def limited(images: Images, most: Mapping[str, int | None], *names: object) -> Images:
    """Return at most `most` training and test images (`train`, `test`; None: all), drawn by the names."""
    kept = []
    for part, rows in (("train", np.flatnonzero(~images.test)), ("test", np.flatnonzero(images.test))):
        wanted = most.get(part)
        kept.append(rows if wanted is None else rows[shuffled(len(rows), "encrypted", part, *names)[:wanted]])
    return images.take(np.sort(np.concatenate(kept)))


def check(images: Images, where: str) -> Images:
    """Return the images after checking that a classifier can be trained and tested on them.

    Raises:
        UserError: they are not square or not finite, a class is missing in a part, or there are fewer than two
            classes or more than 127.
    """
    if images.side**2 != images.values.shape[1]:
        raise UserError(f"{where}: images of {images.values.shape[1]} pixels are not square; crop them first")
    if not np.isfinite(images.values).all():
        raise UserError(f"{where}: an image holds a value that is not finite")
    if len(images.names) < 2:
        raise UserError(f"{where}: one class alone ({images.names[0]}); a classifier needs two")
    if len(images.names) > MOST_CLASSES:
        raise UserError(f"{where}: {len(images.names)} classes; predictions are kept of {MOST_CLASSES} at most")
    for part, rows in (("training", ~images.test), ("test", images.test)):
        missing = set(range(len(images.names))) - set(images.labels[rows].tolist())
        if missing:
            raise UserError(f"{where}: no {part} image of class {images.names[min(missing)]}; add some")
    return images
