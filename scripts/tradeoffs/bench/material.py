"""What the benchmark works on: JPEGs like CelebA's, made here, so that nothing needs to be downloaded."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from scripts.common.parquet import write
from scripts.data.celeba import HEIGHT, WIDTH, file_name
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.downscale_faces import downscale_faces
from scripts.data.images import FaceImages
from scripts.data.rendering import render_faces

SEED = 7
NOISE = 7.0  # standard deviation in grey levels: makes the files 7.4 kB on average (CelebA's: 7.3 kB)
QUALITY = 75  # CelebA's quantisation tables are the standard ones of this quality


@dataclass(frozen=True)
class Material:
    """A folder of JPEGs, and the same images as the array and the tables that a training reads.

    Attributes:
        paths: the JPEG files [N], in the order of the array.
        rows: row_id, label, male [N].
        array, index, splits: paths of the array file and of its two Parquet tables.
    """

    paths: list[Path]
    rows: pd.DataFrame
    array: Path
    index: Path
    splits: Path

    @property
    def place(self) -> Path:
        """The folder of the JPEGs."""
        return self.paths[0].parent

    @property
    def row_ids(self) -> np.ndarray:
        """The image numbers, int64 [N]."""
        return self.rows["row_id"].to_numpy()


def draw_jpegs(folder: Path, distinct: int, copies: int) -> pd.DataFrame:
    """Write `distinct` faces, each with `copies` draws of noise, as 178x218 JPEGs; return row_id, label, male.

    The faces are rendered from random attribute rows; the label is a Bernoulli draw of a logistic
    score of the attributes, as in the study.
    """
    rng = np.random.default_rng(SEED)
    attributes = np.where(rng.random((distinct, len(ATTRIBUTES))) < 0.25, 1, -1).astype(np.int8)
    score = attributes @ rng.standard_normal(len(ATTRIBUTES))
    label = (rng.random(distinct) < 1 / (1 + np.exp(np.median(score) - score))).astype(np.int8)
    male = (attributes[:, ATTRIBUTES.index("Male")] == 1).astype(np.int8)
    faces = render_faces(np.arange(1, distinct + 1), attributes)
    folder.mkdir(parents=True)
    row_ids = np.arange(1, distinct * copies + 1)
    for row_id in row_ids:
        face = Image.fromarray(faces[(row_id - 1) % distinct]).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        grain = rng.normal(0, NOISE, (HEIGHT, WIDTH, 1))
        pixels = np.clip(np.asarray(face) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / file_name(row_id), quality=QUALITY)
    return pd.DataFrame({"row_id": row_ids, "label": np.tile(label, copies), "male": np.tile(male, copies)})


def copy_jpegs(archive: str | Path, folder: Path, count: int) -> pd.DataFrame:
    """Write the first `count` JPEGs of a zip archive or folder to `folder`; return their row_id."""
    images = FaceImages(archive)
    folder.mkdir(parents=True)
    for row_id in images.row_ids[:count]:
        (folder / file_name(row_id)).write_bytes(images.read(row_id))
    return pd.DataFrame({"row_id": images.row_ids[:count]})


def prepare(folder: Path, distinct: int, copies: int) -> Material:
    """Draw JPEGs below `folder` and make of them what a training reads, by the project's own means."""
    rows = draw_jpegs(folder / "jpegs", distinct, copies)
    array, index, splits = folder / "images.npy", folder / "index.parquet", folder / "splits.parquet"
    downscale_faces(folder / "jpegs", rows["row_id"].to_numpy(), array, workers=1)
    write(rows[["row_id"]].assign(position=np.arange(len(rows))), index)
    write(rows.assign(split="train"), splits)
    return Material([folder / "jpegs" / file_name(row_id) for row_id in rows["row_id"]], rows, array, index, splits)


def kilobytes(paths: list[Path]) -> float:
    """Return the mean size of the files in kB."""
    return float(np.mean([path.stat().st_size for path in paths])) / 1000
