"""Rule `leakage_models`: train the study's own models on one table and attribute, and write what they expose."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.datasets import check_complete, check_labels, sample_rows, subset_rows
from scripts.common.logs import job, log, progress
from scripts.common.schemas.predictions import write_predictions
from scripts.common.seeds import shuffled
from scripts.common.tabular import Table, encode, groups, table_of
from scripts.leakage.methods import METHODS, Task

RAREST = 0.005  # categories with a smaller share of the training rows are merged


def chosen_rows(frame: pd.DataFrame, table: Table, most: int | None) -> pd.DataFrame:
    """Return the rows that take part: of COMPAS the usual subset; at most `most` of them, at random."""
    frame = subset_rows(frame, table, "filtered" if "filtered" in table.subset_names else "all")
    return sample_rows(frame, most, "leakage rows").reset_index(drop=True)


def task_of(frame: pd.DataFrame, table: Table, attribute: str, seed: int, settings: dict) -> Task:
    """Return the task: half of the rows train, and the attribute's own column is no feature."""
    codes, column = groups(frame, table, attribute), table.attributes[attribute].column
    order = shuffled(len(frame), seed, "split", table.name)
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
        UserError: the table lacks a column or the attribute, or a value is missing.
    """
    table, parts = table_of(name), []
    frame = chosen_rows(parquet.read(table_path), table, settings["rows"])
    check_complete(frame, table)
    check_labels(frame["y"], name)
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
