"""Rule `frtrain_compare`: the differences that claims state, of two chosen runs of a seed on the same test rows.

Intervals are those of a paired bootstrap: a row that is drawn twice counts twice for both runs.
"""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.intervals import bootstrap_counts, percentile_interval
from scripts.common.logs import job, log
from scripts.common.metrics import FAIRNESS, RATES, joint_table
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.frtrain.findings import DI

RIVALS = ("FC", "LBC", "AD", "RML+FC", "RML+LBC", "RML+AD")
# (method, labels) less (method, labels): FR-Train less each rival, and what the poisoning changes of a method
PAIRS = [(("FR-Train", "poisoned"), (method, "poisoned")) for method in RIVALS]
PAIRS += [((method, "poisoned"), (method, "clean")) for method in RIVALS[:3]]
COMPARED = ("accuracy", DI)
FINER = (
    20  # times the resamples of the study: a verdict must not hang on which were drawn, and here few pairs cost little
)
ATTRIBUTE = "z"  # of the synthetic data
USUAL = {"dataset": "synthetic", "notion": "parity", "variant": "standard", "clean_labels": "truth"}
COLUMNS = ["dataset", "protocol", "seed", "method", "labels", "minus_method", "minus_labels", "run", "minus_run"]
COLUMNS += ["split", "subgroup", "metric", "value", "ci_low", "ci_high", "n"]


def paired_runs(choices: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of chosen runs: the first columns of `COLUMNS`.

    A method with one seed, because nothing in it is random, is compared with every seed of the other.
    """
    own = choices[(choices[list(USUAL)] == pd.Series(USUAL)).all(axis=1)]
    own = own.drop_duplicates(["protocol", "method", "labels", "seed"])
    parts = []
    for protocol, chosen in own.groupby("protocol", sort=False):
        settings = {key: rows[["seed", "run"]] for key, rows in chosen.groupby(["method", "labels"], sort=False)}
        for first, second in PAIRS:
            if not {first, second} <= settings.keys():
                continue
            ours, others = settings[first], settings[second].rename(columns={"run": "minus_run"})
            if 1 in (len(ours), len(others)):
                pairs = ours.merge(others, how="cross", suffixes=("", "_2"))
                pairs["seed"] = pairs["seed"] if len(others) == 1 else pairs["seed_2"]
            else:
                pairs = ours.merge(others, on="seed", validate="one_to_one")
            named = dict(zip(COLUMNS[3:7], (*first, *second), strict=True))
            parts.append(pairs.assign(dataset=USUAL["dataset"], protocol=protocol, **named))
    return pd.concat(parts, ignore_index=True)[COLUMNS[:9]] if parts else pd.DataFrame(columns=COLUMNS[:9])


def measured(table: np.ndarray) -> np.ndarray:
    """Return accuracy and disparate impact of everyone, [..., 2], of tables [..., 2, 2, 2]; see `COMPARED`."""
    return np.stack([RATES["accuracy"](table.sum(-3)), FAIRNESS[DI](table)], axis=-1)


def difference(first: pd.DataFrame, second: pd.DataFrame, replicates: int, seed: int) -> pd.DataFrame:
    """Return metric, value, ci_low, ci_high and n of `first` minus `second`, the test predictions of two runs.

    Raises:
        UserError: they are not of the same rows.
    """
    if not first[["row_id", "y_true", ATTRIBUTE]].equals(second[["row_id", "y_true", ATTRIBUTE]]):
        runs = " and ".join(frame["run"].iloc[0] for frame in (first, second))
        raise UserError(f"predictions: {runs} have other test rows; delete the predictions and rerun")
    codes = {name: first[name].to_numpy() for name in (ATTRIBUTE, "y_true", "y_pred")}
    joint = joint_table(codes | {"y_pred of the other": second["y_pred"].to_numpy()}, [2, 2, 2, 2])
    draws = bootstrap_counts(joint, replicates, seed)
    low, high = percentile_interval(measured(draws.sum(-1)) - measured(draws.sum(-2)))
    value = measured(joint.sum(-1)) - measured(joint.sum(-2))
    return pd.DataFrame({"metric": COMPARED, "value": value, "ci_low": low, "ci_high": high, "n": len(first)})


def compare(predictions: list[str], choices: str, output: str, replicates: int) -> None:
    """Write the paired differences of all `PAIRS` (see `COLUMNS`).

    Args:
        predictions: files that hold the chosen runs of the synthetic data.
        replicates: bootstrap resamples of the study.

    Raises:
        UserError: a file is missing or damaged, or two runs of a pair have other test rows.
    """
    pairs, tests = paired_runs(parquet.read(choices, METRICS)), {}
    for path in predictions:
        frame = parquet.read(path, PREDICTIONS)
        wanted = (frame["split"] == "test") & frame["run"].isin([*pairs["run"], *pairs["minus_run"]])
        ordered = frame[wanted].sort_values("row_id", kind="stable")
        tests |= {run: own.reset_index(drop=True) for run, own in ordered.groupby("run", sort=False)}
    parts = [pd.DataFrame(columns=COLUMNS)] if pairs.empty else []
    for pair in pairs.to_dict("records"):
        seed = seed_from("frtrain paired", pair["run"], pair["minus_run"])
        found = difference(tests[pair["run"]], tests[pair["minus_run"]], FINER * replicates, seed)
        parts.append(found.assign(**pair, split="test", subgroup="all"))
    parquet.write(pd.concat(parts, ignore_index=True)[COLUMNS], output)
    log.info("%d pairs of runs", len(pairs))


if "snakemake" in globals():
    with job(snakemake):
        files = snakemake.input
        compare(list(files.predictions), files.choices, snakemake.output[0], snakemake.params.replicates)
