"""Rule `gather`: one table each of all runs' metrics, settings, curves, frontiers and optimism."""

import json
from pathlib import Path

import pandas as pd

from scripts.common import parquet
from scripts.common.schemas.curves import CURVES
from scripts.common.schemas.metrics import METRICS
from scripts.tradeoffs.runs import CONSTANTS, method_label


def runs_table(settings: list[str], metrics: pd.DataFrame) -> pd.DataFrame:
    """Return one line per run: the settings of the trained ones, and the constants without any."""
    records = [json.loads(Path(path).read_text(encoding="utf-8")) for path in settings]
    runs = pd.DataFrame([run for record in records for run in (record if isinstance(record, list) else [record])])
    for name in ("augmentation", "learning_rate_drops"):
        runs[name] = runs[name].map(lambda values: ", ".join(map(str, values)))
    constants = [
        {"run": run, "protocol": run.split(".")[0], "network": "none", "arm": run.split(".")[1], "seed": 0}
        | {"train_eps": 0.0, "fairness_weight": 0.0, "method": method_label(run.split(".")[1])}
        for run in metrics["run"].unique()
        if run.split(".")[-1] in CONSTANTS
    ]
    return pd.concat([runs, pd.DataFrame(constants)], ignore_index=True)


def gather(inputs: dict[str, list[str]], outputs: dict[str, str]) -> None:
    """Stack the runs' files of each kind, in the order of the grid, and write them."""
    metrics = parquet.gather(inputs["metrics"], METRICS)
    parquet.write(metrics, outputs["metrics"], METRICS)
    parquet.write(runs_table(inputs["settings"], metrics), outputs["runs"])
    parquet.write(parquet.gather(inputs["curves"], CURVES), outputs["curves"], CURVES)
    for name in ("frontiers", "optimism"):
        parquet.write(parquet.gather(inputs[name]), outputs[name])


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        kinds = ("metrics", "settings", "curves", "frontiers", "optimism")
        gather({name: list(snakemake.input[name]) for name in kinds}, dict(snakemake.output.items()))
