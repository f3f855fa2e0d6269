"""Rule `frtrain_synthetic`: the published synthetic data, drawn again bit by bit from its rule.

Two Gaussian classes after Zafar et al. (AISTATS 2017); the group depends on the position seen under a rotation of
45 degrees, so it goes along with the label without being it. The published files keep the draws in float32. Their
sha256 is the check: another library that drew other numbers would be found out here.
"""

import hashlib
import io
import math
import random

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.frtrain.poison import poison

SEED = 1122334455
PER_CLASS = 3700
MEANS = {1: (2, 2), -1: (-2, -2)}
COVARIANCES = {1: ((5, 1), (1, 5)), -1: ((10, 1), (1, 3))}
ROTATION = math.pi / 4
SKIPPED = 346  # uniform draws between the features and the groups, found by comparison with the published file
TRAIN_ROWS, FLIP_RATE = 2000, 0.1
SPLITS = {
    "train": (0, 2000),
    "clean": (2000, 2200),
    "valid": (2200, 2700),
    "test": (2700, 3700),
    "unused": (3700, 7400),
}
SHA256 = {  # of the published .npy files, first 16 digits
    "X_synthetic.npy": "4b9373a94dc98b4c",
    "y_synthetic.npy": "723e5ca434638a6c",
    "s1_synthetic.npy": "fe13a2522ae477c9",
    "y_poi.npy": "422be1f47bccf1db",
}


def density(x: np.ndarray, label: int) -> np.ndarray:
    """Return the Gaussian density [n] of a class at points [n, 2]."""
    away = x - np.array(MEANS[label])
    covariance = np.array(COVARIANCES[label], dtype=float)
    distance = np.einsum("ij,jk,ik->i", away, np.linalg.inv(covariance), away)
    return np.exp(-distance / 2) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))


def draw() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features [7400, 2], labels -1/+1 and groups 0/1 [7400], float32, as published."""
    stream = np.random.RandomState(SEED)  # the legacy stream: its draws are promised never to change
    x = np.vstack([stream.multivariate_normal(MEANS[label], COVARIANCES[label], PER_CLASS) for label in (1, -1)])
    y = np.repeat([1.0, -1.0], PER_CLASS)
    order = list(range(2 * PER_CLASS))
    random.Random(SEED).shuffle(order)
    x, y = x[order], y[order]
    cosine, sine = math.cos(ROTATION), math.sin(ROTATION)
    turned = x @ np.array([[cosine, -sine], [sine, cosine]])
    towards = density(turned, 1) / (density(turned, 1) + density(turned, -1))
    stream.uniform(size=SKIPPED)
    z = stream.uniform(size=2 * PER_CLASS) < towards
    return x.astype(np.float32), y.astype(np.float32), z.astype(np.float32)


def file_sha256(array: np.ndarray) -> str:
    """Return the first 16 digits of the sha256 of an array saved as .npy."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return hashlib.sha256(buffer.getvalue()).hexdigest()[:16]


def check(arrays: dict[str, np.ndarray]) -> None:
    """Compare arrays with the published files of the same names.

    Raises:
        UserError: one differs.
    """
    for name, array in arrays.items():
        if (got := file_sha256(array)) != SHA256[name]:
            raise UserError(
                f"frtrain: the regenerated {name} has the sha256 {got}..., the published file {SHA256[name]}...; "
                "this NumPy or its linear algebra draws other numbers, use the locked environment"
            )


def synthetic_table() -> pd.DataFrame:
    """Return the data as published: row_id, split, x1, x2, y, z, y_poisoned (the same as y outside "train").

    Raises:
        UserError: the numbers are not the published ones.
    """
    x, y, z = draw()
    features = np.column_stack([x, z])[:TRAIN_ROWS]
    flipped = poison(features, y[:TRAIN_ROWS], z[:TRAIN_ROWS], FLIP_RATE)
    check({"X_synthetic.npy": x, "y_synthetic.npy": y, "s1_synthetic.npy": z, "y_poi.npy": flipped})
    frame = pd.DataFrame({"row_id": np.arange(len(y)), "split": "", "x1": x[:, 0], "x2": x[:, 1]})
    for name, (start, stop) in SPLITS.items():
        frame.loc[start : stop - 1, "split"] = name
    codes = {"y": y, "z": z, "y_poisoned": np.concatenate([flipped, y[TRAIN_ROWS:]])}
    return frame.assign(**{name: values.astype(np.int8) for name, values in codes.items()})


if "snakemake" in globals():
    with job(snakemake):
        table = synthetic_table()
        parquet.write(table, snakemake.output[0])
        log.info("%d rows; the four sha256 are those of the published files", len(table))
