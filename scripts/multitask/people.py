"""People with several labels each, as every method of the study sees them, and the file that holds them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from scripts.common import parquet
from scripts.common.errors import UserError

SPLITS = ("train", "valid", "test")
LABEL, FEATURE = "label: ", "feature: "  # what the names of these columns begin with
ABOUT = "multitask"  # the key of the file's metadata


@dataclass(frozen=True)
class People:
    """People with the labels of T tasks.

    `features` float32 [n, d], standardised or one-hot; `labels` int8 [n, T], 0 or 1; `groups` int8 [n], a code of
    `group_names`; `row_ids` int64 [n]; `split` int8 [n], a place in SPLITS. `attribute` is the sensitive one.
    `clusters` has the cluster of each task where it is known (the generator), and is empty elsewhere.
    """

    title: str
    tasks: tuple[str, ...]
    attribute: str
    group_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    row_ids: np.ndarray
    split: np.ndarray
    groups: np.ndarray
    labels: np.ndarray
    features: np.ndarray
    clusters: tuple[int, ...] = ()

    def rows(self, split: str) -> np.ndarray:
        """Return the positions of the rows of a split, int64."""
        return np.flatnonzero(self.split == SPLITS.index(split))

    def take(self, rows: np.ndarray) -> "People":
        """Return some of the people."""
        parts = {name: getattr(self, name)[rows] for name in ("row_ids", "split", "groups", "labels", "features")}
        return People(
            self.title,
            self.tasks,
            self.attribute,
            self.group_names,
            self.feature_names,
            **parts,
            clusters=self.clusters,
        )


def write(people: People, path: str | Path) -> None:
    """Write people to Parquet: row_id, split, group, a column per label and a column per feature.

    Raises:
        UserError: as `parquet.write`.
    """
    frame = pd.DataFrame({"row_id": people.row_ids, "split": people.split, "group": people.groups})
    columns = {LABEL + task: people.labels[:, place] for place, task in enumerate(people.tasks)}
    columns |= {FEATURE + name: people.features[:, place] for place, name in enumerate(people.feature_names)}
    about = {
        "title": people.title,
        "attribute": people.attribute,
        "groups": people.group_names,
        "clusters": people.clusters,
    }
    parquet.write(pd.concat([frame, pd.DataFrame(columns)], axis=1), path, metadata={ABOUT: json.dumps(about)})


def read(path: str | Path) -> People:
    """Return the people of a file.

    Raises:
        UserError: the file is missing, damaged, or holds no people.
    """
    frame = parquet.read(path)
    about = json.loads((pq.read_schema(path).metadata or {}).get(ABOUT.encode(), b"{}"))
    if not about:
        raise UserError(f"{path}: holds no people of several tasks; delete it and run the workflow")
    tasks, names = (_ending(frame.columns, start) for start in (LABEL, FEATURE))
    return People(
        about["title"],
        tasks,
        about["attribute"],
        tuple(about["groups"]),
        names,
        frame["row_id"].to_numpy(np.int64),
        frame["split"].to_numpy(np.int8),
        frame["group"].to_numpy(np.int8),
        frame[[LABEL + task for task in tasks]].to_numpy(np.int8),
        frame[[FEATURE + name for name in names]].to_numpy(np.float32),
        tuple(about["clusters"]),
    )


def _ending(columns: Sequence[str], start: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(start) for name in columns if name.startswith(start))
