"""Validation labels from a crowd: the published files, given by the user, or simulated workers.

Eleven workers answer each row on a scale of 1 to 4; 3 and 4 mean "positive". The majority of the eleven is the label.
The published files carry no licence, so they are not part of this project. Where none is given, answers are drawn:
worker w is right about row i with probability sigmoid(ease_i + skill_w), ease and skill normal. Eleven independent
answers as good as the published single ones would be right in four of five rows; the published majority is right in
two of three, since all workers stumble over the same rows. The spread of `ease` is what reproduces both shares.
"""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.tabular import require

WORKERS = 11
SKILL_SPREAD = 0.5
ANSWERS = [f"ans_{number}" for number in range(1, WORKERS + 1)]


class Ease(NamedTuple):
    """Mean and standard deviation of a row's ease, in log-odds."""

    mean: float
    spread: float


# Single answers right: 0.617 and 0.632; majorities right: 0.661 and 0.723 (published files, measured).
EASE = {"compas": Ease(0.706, 1.578), "adult": Ease(0.663, 0.924)}
MIDDLE = Ease(0.6845, 1.251)  # the mean of both, for tables that no published crowd has seen

# Published column -> ours, by which a row of the crowd file is found in the data set.
MATCHED = {
    "compas": {"age": "age", "num_of_crimes": "priors_count", "crime_level": "c_charge_degree", "gender": "sex"},
    "adult": {
        "age": "age",
        "education_num": "education_num",
        "capital_gain": "capital_gain",
        "work_hours_per_week": "hours_per_week",
        "gender": "sex",
    },
}
MOST_UNMATCHED = 0.2


def majority(answers: np.ndarray) -> np.ndarray:
    """Return -1/+1 [n] from answers 1 .. 4 [n, workers]: +1 where more than half are 3 or 4."""
    return np.where((answers >= 3).mean(axis=1) > 0.5, 1, -1).astype(np.float32)


def simulated_answers(truth: np.ndarray, ease: Ease, seed: int) -> np.ndarray:
    """Return whether each of the eleven answers to each row is right, bool [n, 11]; every row has its own workers."""
    random = np.random.default_rng(seed)
    row = random.normal(ease.mean, ease.spread, (len(truth), 1))
    skill = random.normal(0, SKILL_SPREAD, (len(truth), WORKERS))
    return random.random((len(truth), WORKERS)) < 1 / (1 + np.exp(-(row + skill)))


def simulated_labels(truth: np.ndarray, dataset: str, seed: int) -> np.ndarray:
    """Return the majority of eleven simulated answers, -1/+1 [n], for true labels -1/+1 [n].

    A table without a published crowd gets workers between those of the two that have one.
    """
    right = simulated_answers(truth, EASE.get(dataset, MIDDLE), seed).sum(axis=1) > WORKERS / 2
    return np.where(right, truth, -truth).astype(np.float32)


def load_crowd(path: str | Path, frame: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Read a published crowd file and find its rows in the data set.

    Args:
        frame: the data set, as made by rule `tabular`.

    Returns:
        Columns position (row of `frame`) and label (-1/+1, the majority of the answers).

    Raises:
        UserError: the file is missing or damaged, lacks a column, holds another answer than 1 to 4, or more than a
            fifth of its rows are not in the data set.
    """
    try:
        crowd = pd.read_csv(Path(path).expanduser(), encoding="utf-8-sig")
        if ";" in crowd.columns[0]:  # as spreadsheets of some countries save a CSV file
            crowd = pd.read_csv(Path(path).expanduser(), encoding="utf-8-sig", sep=";")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such crowd file; mend frtrain.real in the config or leave it empty") from error
    except (ValueError, OSError, zipfile.BadZipFile) as error:  # pandas' own errors are ValueErrors
        raise UserError(f"{path}: no CSV file ({error}); give the published crowd file or leave it empty") from error
    missing = [name for name in [*MATCHED[dataset], "race", "true_label", *ANSWERS] if name not in crowd.columns]
    if missing:
        raise UserError(f"{path}: the column {', '.join(missing)} is missing; give the published crowd file")
    answers = crowd[ANSWERS].to_numpy()
    if not len(answers):
        raise UserError(f"{path}: holds no rows; give the published crowd file")
    if not np.isin(answers, (1, 2, 3, 4)).all():
        raise UserError(f"{path}: answers must be 1 to 4; give the published crowd file")
    if not np.isin(crowd["true_label"].to_numpy(), (-1, 0, 1)).all():
        raise UserError(f"{path}: true_label must be -1 or 1; give the published crowd file")
    keys = _keys(crowd, list(MATCHED[dataset]), crowd["true_label"] > 0, dataset)
    waiting: dict[tuple, list[int]] = {}
    for position, key in enumerate(_keys(frame, list(MATCHED[dataset].values()), frame["y"] > 0, dataset)):
        waiting.setdefault(key, []).append(position)
    positions = np.array([waiting[key].pop(0) if waiting.get(key) else -1 for key in keys])
    lost = float((positions < 0).mean())
    if lost > MOST_UNMATCHED:
        raise UserError(
            f"{path}: {lost:.0%} of its rows are not in {dataset}; is it the crowd file of another data set?"
        )
    found = pd.DataFrame({"position": positions, "label": majority(answers)})
    return found[found["position"] >= 0].reset_index(drop=True)


def _keys(frame: pd.DataFrame, columns: list[str], positive: pd.Series, dataset: str) -> list[tuple]:
    """Return one comparable tuple per row: the shared columns, whether the race is the named one, the label."""
    require(frame, [*columns, "race"], dataset)
    parts = [frame[name].astype(str).str[:1] if frame[name].dtype == object else frame[name] for name in columns]
    race = frame["race"].isin(["Caucasian", "White"])
    return list(zip(*parts, race, positive, strict=True))
