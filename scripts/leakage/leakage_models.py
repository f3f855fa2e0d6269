"""Rule `leakage_models`: train the study's own models on one table and attribute, and write what they expose."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log, progress
from scripts.common.schemas.predictions import write_predictions
from scripts.common.seeds import seed_from
from scripts.common.tabular import Table, encode, groups, table_of
from scripts.leakage.methods import METHODS, Task

FIVE_RACES = "race_five"  # the five races of Adult instead of White and others
RAREST = 0.005  # categories with a smaller share of the training rows are merged


def chosen_rows(frame: pd.DataFrame, table: Table, most: int | None) -> pd.DataFrame:
    """Return the rows that take part: of COMPAS the usual subset; at most `most` of them, at random."""
    if "filtered" in table.rows:
        frame = frame[frame["filtered"]]
    if most is not None and len(frame) > most:
        frame = frame.iloc[np.sort(np.random.default_rng(seed_from("leakage rows")).permutation(len(frame))[:most])]
    return frame.reset_index(drop=True)


def group_codes(frame: pd.DataFrame, table: Table, attribute: str) -> tuple[np.ndarray, str]:
    """Return the group of every row, int8 [n], and the column that it comes from.

    Raises:
        UserError: the table has no such attribute.
    """
    if attribute != FIVE_RACES:
        return groups(frame, table, attribute), table.attributes[
            attribute
        ].column if attribute in table.attributes else ""
    if table.name != "adult":
        raise UserError(f"leakage.models.{table.name}: the attribute {FIVE_RACES} belongs to adult alone")
    return np.unique(frame["race"], return_inverse=True)[1].astype(np.int8), "race"


def task_of(frame: pd.DataFrame, table: Table, attribute: str, seed: int, settings: dict) -> Task:
    """Return the task: half of the rows train, and the attribute's own column is no feature."""
    codes, column = group_codes(frame, table, attribute)
    order = np.random.default_rng(seed_from(seed, "split", table.name)).permutation(len(frame))
    train = np.sort(order[: len(order) // 2])
    without = replace(
        table,
        numeric=tuple(name for name in table.numeric if name != column),
        categorical=tuple(name for name in table.categorical if name != column),
    )
    features, _ = encode(frame, without, train, RAREST)
    return Task(features, frame["y"].to_numpy(np.int64), codes.astype(np.int64), train, seed, settings)


def predict(
    table_path: str, name: str, attribute: str, methods: Sequence[str], seeds: Sequence[int], settings: dict
) -> pd.DataFrame:
    """Train every method with every seed.

    Args:
        name: of the table.
        settings: rows, epochs, epsilon, iterations.

    Returns:
        Rows of `PREDICTIONS` with the attribute's column and the optional ones of scripts/leakage/reading.py.

    Raises:
        UserError: the table lacks a column or the attribute.
    """
    table, parts = table_of(name), []
    frame = chosen_rows(parquet.read(table_path), table, settings["rows"])
    for seed in seeds:
        task = task_of(frame, table, attribute, seed, settings)
        split = np.full(len(frame), "test", dtype=object)
        split[task.train] = "train"
        for method in progress(methods, f"{name} {attribute}", unit="model"):
            for ending, exposed in METHODS[method](task).items():
                columns = {
                    "run": f"{name}.{attribute}.{method}{ending}.seed{seed}",
                    "row_id": frame["row_id"],
                    "split": split,
                    "y_true": frame["y"],
                    "y_pred": exposed.labels,
                    "score": exposed.score,
                    attribute: task.groups.astype(np.int8),
                }
                columns |= {key: value.astype(np.float32) for key, value in exposed.further.items()}
                parts.append(pd.DataFrame(columns))
                right = (exposed.labels == frame["y"])[split == "test"].mean()
                log.info("%s: %.3f right on the test rows", columns["run"], right)
    return pd.concat(parts, ignore_index=True)


if "snakemake" in globals():
    with job(snakemake):
        batch = snakemake.params.batch
        predictions = predict(
            snakemake.input.table,
            batch["table"],
            batch["attribute"],
            batch["methods"],
            batch["seeds"],
            snakemake.params.settings,
        )
        write_predictions(predictions, snakemake.output[0], [batch["attribute"]])
