"""The points and boundaries of the motivating picture, two groups and a poisoned boundary."""

from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.frtrain.plan import Cell

POINTS = 600  # of the training rows: more would hide the boundaries


def boundaries(weights: dict[str, np.ndarray], seed: int, printed: dict[str, float]) -> pd.DataFrame:
    """Return one row per boundary: labels, method, z, and a, b, c of a x1 + b x2 + c = 0 in this group.

    Raises:
        UserError: a model is missing, since its lambda or seed is not in the config's grids.
    """
    rows = []
    for labels, knob in printed.items():
        for method, cell in (("LR", Cell("synthetic", labels, "lr", seed)),
                             ("FR-Train", Cell("synthetic", labels, "fr_train", seed, knob))):  # fmt: skip
            if f"{cell.run}/classifier" not in weights:
                raise UserError(f"frtrain: no model {cell.run}; put the printed lambda into the published grid")
            a, b, group, constant = weights[f"{cell.run}/classifier"]
            rows += [
                {"labels": labels, "method": method, "z": z, "a": a, "b": b, "c": constant + z * group} for z in (0, 1)
            ]
    return pd.DataFrame(rows).assign(kind="boundary")


def points(table: pd.DataFrame) -> pd.DataFrame:
    """Return the first training rows, with the label as seen and whether it was flipped, for both kinds of labels."""
    own = table[table.split == "train"].head(POINTS)[["x1", "x2", "z", "y", "y_poisoned"]]
    parts = []
    for labels, column in (("clean", "y"), ("poisoned", "y_poisoned")):
        seen = own.assign(labels=labels, seen=own[column], flipped=own[column] != own["y"])
        parts.append(seen.drop(columns="y_poisoned"))
    return pd.concat(parts, ignore_index=True).assign(kind="point")


def write_groups(data: str, weights: list[str], seed: int, printed: dict[str, float], output: str) -> None:
    """Write points and boundaries.

    Args:
        data, weights: the synthetic data (Parquet), and the files of the fits on it (safetensors).
        seed: the seed of the fits that are shown.
        printed: the lambda_f whose row is printed, by kind of labels.
    """
    stored = {name: value for path in weights for name, value in load_file(Path(path)).items()}
    lines = boundaries(stored, seed, printed)
    parquet.write(pd.concat([points(parquet.read(data)), lines], ignore_index=True), output)
