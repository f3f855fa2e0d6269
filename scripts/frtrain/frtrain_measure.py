"""Rule `frtrain_measure`: accuracy, disparate impact and odds gap of every run, with bootstrap intervals over rows.

One table holds the counts of all runs, so a thousand models are measured in one pass. The column `protocol` says
whether a run belongs to the published grid (first seed, `as_published`) or only to the repeats (`corrected`).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.interval_kinds import BOOTSTRAP, WILSON
from scripts.common.intervals import percentile_interval, proportion_interval
from scripts.common.logs import job, log
from scripts.common.metrics import FAIRNESS, RATES, joint_table
from scripts.common.schemas.metrics import EVERYONE, METRICS, NO_ATTRIBUTE
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from

SPLITS = ("valid", "test")
OVERALL = ("demographic_parity_ratio", "demographic_parity_difference", "equalized_odds_difference")
GROUP_RATES = ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate")
# What a metric row says of its run beside the common schema: enough to choose and draw from this file alone.
FACTS = ["attributes", "labels", "notion", "variant", "knob_name", "knob", "rule", "rate", "clean_rows", "clean_labels"]
FACTS += ["train_rows"]


def count_runs(predictions: pd.DataFrame, attribute: str) -> tuple[list[str], np.ndarray]:
    """Return the runs in their order, and int64 [runs, splits, 2, 2, 2] (group, label, prediction).

    Raises:
        UserError: a split is unknown, or a label, prediction or group is not 0 or 1.
    """
    codes, runs = pd.factorize(predictions["run"])
    splits = pd.Categorical(predictions["split"], SPLITS).codes
    named = {"run": codes, "split": splits, attribute: predictions[attribute].to_numpy()}
    named |= {name: predictions[name].to_numpy() for name in ("y_true", "y_pred")}
    return list(runs), joint_table(named, [len(runs), len(SPLITS), 2, 2, 2])


def overall(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the metrics of everyone, each [...], of tables [..., 2, 2, 2]."""
    return {"accuracy": RATES["accuracy"](counts.sum(-3))} | {name: FAIRNESS[name](counts) for name in OVERALL}


def resampled(counts: np.ndarray, replicates: int, seeds: list[int]) -> np.ndarray:
    """Return bootstrap resamples [replicates, runs, 2, 2, 2] of tables [runs, 2, 2, 2], each with its own seed.

    So an interval depends on its run alone, and not on which others are measured beside it. Intervals of two runs are
    not paired.
    """
    draws = []
    for table, seed in zip(counts.reshape(len(counts), 8), seeds, strict=True):
        total = table.sum()
        draws.append(np.random.default_rng(seed).multinomial(total, table / total, size=replicates))
    return np.stack(draws, axis=1).reshape(replicates, *counts.shape)


def measure_runs(predictions: pd.DataFrame, attribute: str, words: tuple[str, str], replicates: int) -> pd.DataFrame:
    """Return run, split, attribute, subgroup, metric, value, ci_low, ci_high, interval and n of every run.

    Args:
        words: of group 0 and 1 of the attribute.
    """
    runs, table = count_runs(predictions, attribute)
    parts = []
    for place, split in enumerate(SPLITS):
        counts = table[:, place]
        if (counts.sum((-3, -2, -1)) == 0).any():
            raise UserError(f"predictions: a run has no rows in the part {split}; delete the predictions and rerun")
        seeds = [seed_from("frtrain bootstrap", split, run) for run in runs]
        samples = overall(resampled(counts, replicates, seeds))
        for metric, value in overall(counts).items():
            low, high = percentile_interval(samples[metric])
            where = (attribute if metric in OVERALL else NO_ATTRIBUTE, EVERYONE)
            parts.append(_rows(runs, split, where, metric, value, (low, high, BOOTSTRAP), counts.sum((-3, -2, -1))))
        for name in GROUP_RATES:
            for group, word in enumerate(words):
                top, bottom = RATES[name].parts(counts[:, group])
                low, high = proportion_interval(top, bottom)
                value = RATES[name](counts[:, group])
                parts.append(_rows(runs, split, (attribute, word), name, value, (low, high, WILSON), bottom))
    return pd.concat(parts, ignore_index=True)


def _rows(runs: list[str], split: str, where: tuple[str, str], metric: str, value, bounds: tuple, n) -> pd.DataFrame:
    low, high, kind = bounds
    own = pd.DataFrame({"run": runs, "value": value, "ci_low": low, "ci_high": high, "n": n})
    own["interval"] = own["ci_low"].notna().map({True: kind, False: None})
    return own.assign(split=split, attribute=where[0], subgroup=where[1], metric=metric, condition="")


def measure(predictions: list[str], runs: list[str], first_seed: int, replicates: int, output: dict[str, str]) -> None:
    """Measure all batches; write `metrics` (schema METRICS and FACTS) and `runs`.

    Raises:
        UserError: a file is missing, damaged or of another schema.
    """
    described = pd.concat([parquet.read(path) for path in runs], ignore_index=True)
    parts = []
    for path, own in zip(predictions, runs, strict=True):
        frame = parquet.read(path, PREDICTIONS)
        told = parquet.read(own, columns=["attributes", "group_0", "group_1"])
        ((attribute, *words),) = told.drop_duplicates().itertuples(index=False)
        parts.append(measure_runs(frame, attribute, tuple(words), replicates))
        log.info("%s: %d runs", Path(path).stem, frame["run"].nunique())
    metrics = pd.concat(parts, ignore_index=True).merge(
        described[["run", "dataset", "method", "seed", *FACTS]], on="run", how="left", validate="many_to_one"
    )
    protocol = np.where(metrics["seed"] == first_seed, "as_published", "corrected")
    parquet.write(metrics.assign(study="frtrain", protocol=protocol), output["metrics"], METRICS)
    parquet.write(described, output["runs"])


if "snakemake" in globals():
    with job(snakemake):
        files, params = snakemake.input, snakemake.params
        outputs = dict(snakemake.output.items())
        measure(list(files.predictions), list(files.runs), params.first_seed, params.replicates, outputs)
