"""Rule `imbalance_fit`: the classifiers of some splits of a dataset, as predictions of the test rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log, progress
from scripts.common.schemas.predictions import write_predictions
from scripts.imbalance import synthetic_file
from scripts.imbalance.augmentation import Synthetic
from scripts.imbalance.fits import Split, runs
from scripts.imbalance.names import dataset_name
from scripts.imbalance.people import People, people
from scripts.imbalance.splits import Splitting, fill_gaps, splits


def fit_splits(
    data: People,
    entry: Mapping[str, Any],
    numbers: Sequence[int],
    splitting: Splitting,
    synthetic: Sequence[Synthetic],
    settings: Mapping[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return predictions (schema PREDICTIONS with the group) and the description of every run of some splits.

    Raises:
        UserError: the synthetic rows are of another table.
    """
    drawn = splits(data, splitting)
    predictions, descriptions = [], []
    for number in progress(numbers, f"{entry['table']}: splits"):
        train, test = drawn[number]
        own = [rows for rows in synthetic if rows.split == number]
        if any(rows.table.schema != data.features.schema for rows in own):
            raise UserError(f"{entry['table']}: the synthetic rows are of another table; delete them and rerun")
        split = Split(dataset_name(entry), number, data, fill_gaps(data.features, train), train, test)
        about = {"row_id": data.row_ids[test], "y_true": data.y[test], data.attribute: data.groups[test]}
        for run in runs(split, own, entry, settings):
            guessed = (run.log_odds > 0).astype(np.int8)
            frame = pd.DataFrame({**about, "y_pred": guessed, "score": run.log_odds})
            predictions.append(frame.assign(run=run.name, split="test"))
            descriptions.append({"run": run.name, "dataset": data.title, "attributes": data.attribute, **run.about})
    frame = pd.concat(predictions, ignore_index=True)
    return frame.astype({"run": "category", data.attribute: np.int8}), pd.DataFrame(descriptions)


def fit_part(
    frame: pd.DataFrame,
    entry: Mapping[str, Any],
    numbers: Sequence[int],
    splitting: Splitting,
    synthetic: str | Path,
    settings: Mapping[str, Any],
    output: Mapping[str, str],
) -> None:
    """Write the predictions and the runs of some splits of a dataset.

    Args:
        frame: the prepared table.
        entry: the dataset's entry of the config.
        synthetic: the file of its synthetic rows.
        settings: of the classifier.
        output: paths of `predictions` and `runs`.
    """
    data = people(frame, entry["table"], entry["attributes"], entry["most_rows"])
    predictions, found = fit_splits(data, entry, numbers, splitting, synthetic_file.read(synthetic), settings)
    write_predictions(predictions, output["predictions"], {data.attribute: data.group_names})
    parquet.write(found, output["runs"])
    log.info("%d runs", len(found))


if "snakemake" in globals():
    with job(snakemake):
        fit_part(
            parquet.read(snakemake.input.table),
            snakemake.params.entry,
            snakemake.params.numbers,
            Splitting(**snakemake.params.splitting),
            snakemake.input.rows,
            snakemake.params.classifier,
            {"predictions": snakemake.output.predictions, "runs": snakemake.output.runs},
        )
