"""Rule `measure`: the group metrics and the robust accuracy of the runs of a job, with bootstrap intervals.

Robustness is measured with the same count table as everything else: an image that an attack has broken
counts as predicted wrongly, so the accuracy under attack is robust accuracy and the false-negative rate
under attack is the share of deserving people whom an attacker can have rejected.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.intervals import bootstrap_metrics, unsigned_differences
from scripts.common.metrics import RATES, Rate, count_table
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.tradeoffs.attack_table import NO_ATTACK, PUBLISHED, WORST, attack_names, under
from scripts.tradeoffs.frontier import frontier
from scripts.tradeoffs.thresholds import SEXES

REPORTED = (
    "accuracy",
    "zero_one_loss",
    "selection_rate",
    "false_positive_rate",
    "false_negative_rate",
    "true_positive_rate",
    "positive_predictive_value",
    "prevalence",
)
UNSIGNED = {"demographic_parity_difference": "selection_rate", "equal_opportunity_difference": "true_positive_rate"}
ATTRIBUTE = "sex"


def clean_metrics(predictions: pd.DataFrame, replicates: int, seed: int) -> pd.DataFrame:
    """Return the columns of `bootstrap_metrics`, split and condition, of every split in the predictions.

    Args:
        predictions: split, y_true, y_pred and male, one line per image.

    Raises:
        UserError: a label, prediction or sex is not 0 or 1.
    """
    rates = {name: RATES[name] for name in REPORTED}
    parts = []
    for split, rows in predictions.groupby("split", sort=False):
        counts = count_table(rows["y_true"], rows["y_pred"], rows["male"], sizes=[2])
        table = bootstrap_metrics(
            counts, SEXES, replicates, seed_from(seed, "clean", split), rates, attribute=ATTRIBUTE
        )
        parts.append(pd.concat([table, unsigned_differences(table, UNSIGNED)]).assign(split=split))
    return pd.concat(parts, ignore_index=True).assign(condition="")


def robust_metrics(attacks: pd.DataFrame, replicates: int, seed: int) -> pd.DataFrame:
    """Return the robustness metrics of every split and threat in an attacks table, same columns.

    The condition names norm, eps and attack: robust accuracy, false-negative and false-positive rate in the worst
    case over the attacks ("ensemble"), robust accuracy after each attack and all before it, and after APGD-CE alone
    ("apgd_ce", where it was run), and the accuracy on the same images without attack ("none").

    Raises:
        ValueError: the columns contradict each other, or the published attack was run on some images only.
    """
    parts = []
    for (split, norm, eps), rows in attacks.groupby(["split", "norm", "eps"], sort=False):
        y_true, threat = rows["y_true"].to_numpy(), f"{norm}_{eps:g}"
        for right, attack, rates in _outcomes(rows, threat):
            counts = count_table(y_true, np.where(right, y_true, 1 - y_true), rows["male"], sizes=[2])
            table = bootstrap_metrics(
                counts, SEXES, replicates, seed_from(seed, "robust", split, threat), rates, attribute=ATTRIBUTE
            )
            parts.append(table.assign(split=split, condition=under(threat, attack)))
    return pd.concat(parts, ignore_index=True)


def _outcomes(rows: pd.DataFrame, threat: str) -> list[tuple[np.ndarray, str, dict[str, Rate]]]:
    """Return the images classified rightly (bool [n]), under which attack, and the rates to report of them."""
    accuracy = {"robust_accuracy": RATES["accuracy"]}
    rates = accuracy | {f"robust_{name}": RATES[name] for name in ("false_negative_rate", "false_positive_rate")}
    clean, robust = rows["clean_correct"].to_numpy(bool), rows["robust"].to_numpy(bool)
    outcomes = [(robust, WORST, rates)]
    standing = clean
    for attack in attack_names(rows):
        standing = standing & ~_broken(rows[attack])
        outcomes.append((standing, attack, accuracy))
    if (standing != robust).any():
        count = int((standing != robust).sum())
        raise ValueError(f"{threat}: {count} images are robust in one column and broken in another")
    unknown = rows["published_broken"].isna().to_numpy() & clean
    if not unknown.any():
        published = clean & ~_broken(rows["published_broken"])
        outcomes.append((published, PUBLISHED, accuracy))
    elif not unknown[clean].all():
        raise ValueError(f"{threat}: the published attack lacks a verdict on {int(unknown.sum())} of its images")
    return [*outcomes, (clean, NO_ATTACK, {"accuracy": RATES["accuracy"]})]


def _broken(column: pd.Series) -> np.ndarray:
    """Return a nullable verdict as bool [n]: an image that was not attacked was not broken."""
    return column.astype("boolean").fillna(False).to_numpy(bool)


def measure(
    predictions: list[str],
    attacks: list[str],
    output: str,
    study: str,
    dataset: str,
    identities: list[dict],
    replicates: int,
) -> None:
    """Write the metrics of some runs (schema METRICS).

    Args:
        predictions, attacks: Parquet files of the runs.
        dataset: what the numbers rest on, in words.
        identities: method, protocol, run and seed (of the training) of each.
        replicates: bootstrap resamples.

    Raises:
        UserError: a file is missing, damaged or of another schema, or a code is not 0 or 1.
    """
    # one seed for all runs: equal count tables get equal intervals
    seed = seed_from("bootstrap", study)
    predicted, attacked, frames = parquet.gather(predictions, PREDICTIONS), parquet.gather(attacks), []
    for identity in identities:
        clean, robust = (frame[frame["run"] == identity["run"]] for frame in (predicted, attacked))
        tables = [clean_metrics(clean, replicates, seed), robust_metrics(robust, replicates, seed)]
        frames.append(pd.concat(tables, ignore_index=True).assign(study=study, dataset=dataset, **identity))
    parquet.write(pd.concat(frames, ignore_index=True), output, METRICS)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        files, out, params = snakemake.input, snakemake.output, snakemake.params
        dataset = json.loads(Path(files.dataset).read_text(encoding="utf-8"))["name"]
        predictions, runs = list(files.predictions), params.identities
        measure(predictions, list(files.attacks), out.metrics, params.study, dataset, runs, params.replicates)
        frontier(predictions, out.frontier, out.optimism, runs, params.replicates)
