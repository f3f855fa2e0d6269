"""Where images come from: MNIST, the faces of the workflow, small digits for tests, a folder of the user."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.grey import block_means, middle_grey
from scripts.common.own_files import is_clutter
from scripts.common.seeds import shuffled
from scripts.encrypted.images import Images
from scripts.encrypted.pictures import is_picture, picture

TEST_FRACTION = 0.2


def shrink(images: np.ndarray, side: int) -> np.ndarray:
    """Return square images [n, s, s] as means of equal blocks [n, side * side].

    Raises:
        UserError: the side is no divisor of that of the images.
    """
    whole = images.shape[1]
    if whole % side:
        raise UserError(f"encrypted: images of {whole}x{whole} cannot be shrunk to {side}x{side}; take a divisor")
    return block_means(images, side).astype(np.float32)


def mnist(entry: Mapping, places: Mapping[str, str]) -> Images:
    """Return digits: the official parts where the index has both, else a fifth of the images for the test."""
    index = parquet.read(places["index"])
    values = np.load(places["images"]).astype(np.float32) / 255
    labels = index["label"].to_numpy(np.int16)
    test = (index["part"] == "test").to_numpy()
    if not test.any() or test.all():
        test = drawn(labels, "mnist")
    side = entry.get("side", 28)
    shown = f"MNIST at {side}x{side}, {len(labels):,} images"
    names = tuple(str(digit) for digit in range(10))
    return Images(shown, names, index["row_id"].to_numpy(np.int64), labels, test, shrink(values, side))


def faces(entry: Mapping, places: Mapping[str, str]) -> Images:
    """Return the faces of the workflow in grey, with one attribute of the table as label and one as group.

    The split is CelebA's.
    """
    index, attributes = parquet.read(places["index"]), parquet.read(places["attributes"])
    name, group = entry["attribute"], entry["group"]
    for wanted in (name, group):
        if wanted not in attributes:
            raise UserError(f"encrypted: no attribute {wanted!r}; there are {', '.join(attributes.columns[1:])}")
    images = np.load(places["images"], mmap_mode="r")
    grey = middle_grey(images[index["position"].to_numpy()], 64)
    rows = attributes.set_index("row_id").loc[index["row_id"]]
    partition = parquet.read(places["partitions"]).set_index("row_id").loc[index["row_id"]]
    labels = (rows[name].to_numpy() > 0).astype(np.int16)
    shown = json.loads(Path(places["dataset"]).read_text(encoding="utf-8"))["name"]
    test = (partition.iloc[:, 0] == 2).to_numpy()
    names = (f"not {name}", name)
    row_ids = index["row_id"].to_numpy(np.int64)
    groups = (rows[group].to_numpy() > 0).astype(np.int8)
    side = entry.get("side", 32)
    values = shrink(grey, side)
    return Images(f"{shown} at {side}x{side}, {name}", names, row_ids, labels, test, values, group, groups)


def digits(entry: Mapping, places: Mapping[str, str]) -> Images:
    """Return the 8x8 digits of scikit-learn."""
    from sklearn.datasets import load_digits

    found = load_digits()
    labels = found.target.astype(np.int16)
    values = shrink(found.images.astype(np.float32) / 16, entry.get("side", 8))
    names = tuple(str(digit) for digit in range(10))
    return Images("digits of 8x8", names, np.arange(len(labels)), labels, drawn(labels, "digits"), values)


def folder(entry: Mapping, places: Mapping[str, str]) -> Images:
    """Return the images of a folder of the user's, one subfolder per class, cut to a square and in grey.

    Raises:
        UserError: the folder is missing or has fewer than two classes, or a picture cannot be used; the line names it.
    """
    place, side = Path(places["folder"]).expanduser(), entry["side"]
    if not place.is_dir():
        raise UserError(f"{place}: no such folder; name one with a subfolder of images per class")
    classes = sorted(path for path in place.iterdir() if path.is_dir() and not is_clutter(path.name))
    values, labels = [], []
    for label, own in enumerate(classes):
        for path in sorted(path for path in own.iterdir() if is_picture(path)):
            values.append(picture(path, side))
            labels.append(label)
    if len(classes) < 2 or not labels:
        raise UserError(
            f"{place}: {len(classes)} subfolders with {len(labels)} images; it needs one per class, two or more"
        )
    array = np.array(labels, np.int16)
    names = tuple(path.name for path in classes)
    return Images(place.name, names, np.arange(len(array)), array, drawn(array, place.name), np.stack(values))


def drawn(labels: np.ndarray, *names: object) -> np.ndarray:
    """Return which images are test images, bool [n]: a fifth of each class, drawn by the names."""
    test = np.zeros(len(labels), bool)
    for label, rows in pd.Series(labels).groupby(labels).groups.items():
        order = shuffled(len(rows), "encrypted", "test", *names, label)
        test[rows.to_numpy()[order[: max(1, round(TEST_FRACTION * len(rows)))]]] = True
    return test


SOURCES = {"mnist": mnist, "faces": faces, "digits": digits, "folder": folder}
