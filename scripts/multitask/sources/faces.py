"""Faces of 64x64 as principal components of their pixels: the vision form with a trunk that is computed once.

Each face becomes 32x32 grey values, and these their first 64 principal components, fitted on the training rows. Tasks
and sensitive attribute are those of the attribute table; the split is CelebA's official one.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.grey import block_means, middle_grey
from scripts.common.logs import log
from scripts.multitask.people import People
from scripts.multitask.sources.celeba import group_names, labelled, setting
from scripts.multitask.sources.rows import TRAIN_CODE, fewer, standardised, title_of

SIDE = 64
COMPONENTS = 64
CHUNK = 4096  # images in memory at a time


def people(name: str, entry: Mapping, places: Mapping[str, str]) -> People:
    """Return the people of the workflow's faces.

    Args:
        entry: attribute; as far as given tasks, most_rows and components.
        places: {"images", "index", "dataset", "attributes", "partitions"}.

    Raises:
        UserError: there is no such attribute, or there are fewer training rows than components.
    """
    where = f"config: multitask.datasets.{name}"
    sensitive, tasks = setting(entry, where)
    frame, split = labelled(places)
    index = parquet.read(places["index"])
    chosen = np.searchsorted(frame["row_id"].to_numpy(), index["row_id"].to_numpy())
    frame, split = frame.iloc[chosen].reset_index(drop=True), split[chosen]
    taken = fewer(split, entry.get("most_rows"), "faces")
    shown = json.loads(Path(places["dataset"]).read_text(encoding="utf-8"))["name"]
    title = title_of(f"{shown}, principal components", taken, split)
    frame, split = frame.iloc[taken].reset_index(drop=True), split[taken]
    count = entry.get("components", COMPONENTS)
    if (train := int((split == TRAIN_CODE).sum())) <= count:
        raise UserError(f"{where}: {train} training faces are too few for {count} components; raise faces.rows.train")
    images = np.load(places["images"], mmap_mode="r")
    grey = grey_values(images, index["position"].to_numpy()[taken])
    scores, explained = principal_components(grey, split == TRAIN_CODE, count)
    log.info("%d components hold %.1f %% of the variance of the training faces", count, 100 * explained)
    return People(
        title,
        tasks,
        sensitive,
        group_names(sensitive),
        tuple(f"component {place + 1}" for place in range(count)),
        frame["row_id"].to_numpy(np.int64),
        split,
        frame[sensitive].to_numpy(np.int8),
        frame[[*tasks]].to_numpy(np.int8),
        standardised(scores, split),
    )


def grey_values(images: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the middle 64x64 of images as 32x32 grey values in [0, 1], float32 [n, 1024].

    Args:
        images: uint8 [N, H, W, 3] with H, W >= 64.
        positions: of the images to take, int64 [n].
    """
    parts = [np.empty((0, SIDE**2 // 4), np.float32)]
    for start in range(0, len(positions), CHUNK):
        parts.append(block_means(middle_grey(images[positions[start : start + CHUNK]], SIDE), SIDE // 2))
    return np.concatenate(parts)


def principal_components(values: np.ndarray, fit: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """Return the scores of all rows on the first components of some rows, and the fraction of variance that they hold.

    The sign of a component is such that its largest entry is positive.

    Args:
        values: float32 [n, d].
        fit: the rows that components and means are taken from, bool [n].

    Returns:
        float64 [n, count], sorted by variance, and the fraction.
    """
    mean = values[fit].mean(axis=0, dtype=np.float64)
    centred = values - mean
    variances, axes = np.linalg.eigh(centred[fit].T @ centred[fit])
    axes = axes[:, ::-1][:, :count]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(count)])
    return centred @ axes, float(variances[::-1][:count].sum() / variances.sum())
