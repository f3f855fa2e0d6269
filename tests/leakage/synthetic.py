"""Made-up predictions files for the tests of the study."""

from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.schemas.predictions import PREDICTIONS, write_predictions


def predictions(
    n: int = 2000, shift: float = 1.0, seed: int = 0, run: str = "made.up", share: float = 0.5
) -> pd.DataFrame:
    """Return one run whose score is N(shift, 1) in group 1 and N(0, 1) in group 0; a quarter of the rows trained it."""
    random = np.random.default_rng(seed)
    group = (random.random(n) < share).astype(np.int8)
    score = (random.normal(size=n) + shift * group).astype(np.float32)
    return pd.DataFrame(
        {
            "run": run,
            "row_id": np.arange(n),
            "split": np.where(np.arange(n) % 4 == 0, "train", "test"),
            "y_true": (random.random(n) < 0.5).astype(np.int8),
            "y_pred": (score > 0.5).astype(np.int8),
            "score": score,
            "group": group,
        }
    )


def write(folder: Path, frame: pd.DataFrame, study: str = "other", name: str = "run") -> str:
    """Write a predictions file where a study would, its further int8 columns listed as attributes; return its path."""
    path = folder / "results" / study / "predictions" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    attributes = [column for column in frame if frame[column].dtype == np.int8 and column not in PREDICTIONS.names]
    if set(PREDICTIONS.names) <= set(frame.columns):
        write_predictions(frame, path, attributes)
    else:
        parquet.write(frame, path)
    return str(path)
