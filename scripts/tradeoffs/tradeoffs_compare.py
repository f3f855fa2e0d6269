"""Rule `tradeoffs_compare`: paired differences on the same test images, and the derived numbers that claims rest on.

A paired difference says what a comparison of intervals cannot. Two questions per seed. What does an arm cost against
plain training? And what do thresholds per sex cost: the cheapest pair that (nearly) closes the gap against the pair
with the least error, both chosen where the protocol chooses?
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.intervals import paired_difference
from scripts.common.metrics import RATES
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.tradeoffs.findings import findings
from scripts.tradeoffs.thresholds import SEXES

RATES_COMPARED = {name: RATES[name] for name in ("zero_one_loss", "false_negative_rate")}
CLOSED_GAP = 0.01  # a gap that counts as closed
CLOSED, LEAST_ERROR = "thresholds that close the gap", "thresholds of least error"
KEYS = ["protocol", "network", "seed", "method", "first", "second"]


def test_rows(path: str) -> dict[str, pd.DataFrame]:
    """Return the test predictions of each run of a file, in the order of the images."""
    frame = parquet.read(path, PREDICTIONS)
    runs = frame[frame["split"] == "test"].groupby("run", sort=False)
    return {run: rows.sort_values("row_id", ignore_index=True) for run, rows in runs}


def difference(rows: pd.DataFrame, first: np.ndarray, second: np.ndarray, replicates: int) -> pd.DataFrame:
    """Return error and FNR of `first` minus `second` (predictions [n] on the same images), with paired intervals."""
    y, male = rows["y_true"].to_numpy(), rows["male"].to_numpy()
    return paired_difference(
        y, first, second, male, SEXES, replicates, seed_from("compare"), RATES_COMPARED, attribute="sex"
    )


def against_plain(runs: pd.DataFrame, predictions: dict[str, pd.DataFrame], replicates: int) -> list[pd.DataFrame]:
    """Compare every other arm with the plain run of the same protocol, network and seed."""
    tables = []
    for _, same in runs.groupby(["protocol", "network", "seed"], sort=False):
        plain = same[same["arm"] == "plain"]
        for run in same[same["arm"] != "plain"].itertuples():
            for base in plain.itertuples():
                rows, other = predictions[run.run], predictions[base.run]
                table = difference(rows, rows["y_pred"].to_numpy(), other["y_pred"].to_numpy(), replicates)
                tables.append(table.assign(**named(run), first=run.method, second=base.method))
    return tables


def closed_against_best(
    runs: pd.DataFrame, predictions: dict[str, pd.DataFrame], frontiers: pd.DataFrame, replicates: int
) -> list[pd.DataFrame]:
    """Compare, within each run, thresholds that close the gap with those of least error."""
    tables = []
    for run in runs.itertuples():
        front = frontiers[(frontiers["run"] == run.run) & frontiers["pareto"]]
        closed = front[front["gap_chosen"] <= max(CLOSED_GAP, front["gap_chosen"].min())]
        rows = predictions[run.run]
        fair, best = (accepted(rows, pairs.loc[pairs["error_chosen"].idxmin()]) for pairs in (closed, front))
        table = difference(rows, fair, best, replicates)
        tables.append(table.assign(**named(run), first=CLOSED, second=LEAST_ERROR))
    return tables


def accepted(rows: pd.DataFrame, pair: pd.Series) -> np.ndarray:
    """Return the predictions (int8 [n]) of a pair of thresholds."""
    threshold = np.where(rows["male"] == 1, pair["threshold_men"], pair["threshold_women"])
    return (rows["score"].to_numpy() > threshold).astype(np.int8)


def named(run) -> dict:
    """Return what a line of the table says of its run."""
    return {key: getattr(run, key) for key in KEYS[:-2]} | {"run": run.run}


def compare(predictions: list[str], runs: str, frontiers: str, output: str, replicates: int, dataset: str) -> None:
    """Write all paired differences (schema COMPARISONS with run, method and network) to Parquet.

    Raises:
        UserError: a file is missing or damaged.
    """
    trained = parquet.read(runs)
    frames = {run: rows for path in predictions for run, rows in test_rows(path).items()}
    trained = trained[trained["run"].isin(frames)]
    tables = against_plain(trained, frames, replicates)
    tables += closed_against_best(trained, frames, parquet.read(frontiers), replicates)
    result = pd.concat(tables, ignore_index=True)
    about = {"study": "tradeoffs", "dataset": dataset, "split": "test", "condition": "", "paired_by": "rows"}
    parquet.write(result.assign(**about, seeds=1), output, COMPARISONS)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        files = snakemake.input
        compare(
            list(files.predictions),
            files.runs,
            files.frontiers,
            snakemake.output.comparisons,
            snakemake.params.replicates,
            json.loads(Path(files.dataset).read_text(encoding="utf-8"))["name"],
        )
        derived = findings(
            parquet.read(files.metrics, METRICS), parquet.read(files.runs), parquet.read(files.frontiers)
        )
        parquet.write(derived, snakemake.output.findings, METRICS)
