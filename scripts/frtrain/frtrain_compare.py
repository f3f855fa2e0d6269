"""Rule `frtrain_compare`: the settings that each protocol chooses, and the differences that claims state.

A difference is of two sides of one kind. Of two chosen runs of a seed on the same test rows the interval is that of a
paired bootstrap: a row that is drawn twice counts twice for both runs. Of what is paired by seed alone (`seed_pairs`)
it is Student's over the seeds.
"""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.intervals import bootstrap_counts, percentile_interval
from scripts.common.logs import job, log
from scripts.common.metrics import FAIRNESS, RATES, joint_table
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import EVERYONE, METRICS, NO_ATTRIBUTE
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.frtrain.choose import choose_and_derive
from scripts.frtrain.findings import DI, at_printed_lambda
from scripts.frtrain.groups import write_groups
from scripts.frtrain.seed_pairs import FACTS, seed_pairs

RIVALS = ("FC", "LBC", "AD", "RML+FC", "RML+LBC", "RML+AD")
# (method, labels) less (method, labels): FR-Train less each rival, and what the poisoning changes of a method. They are
# named by what the sides differ in.
PAIRS = [(("FR-Train", "poisoned"), (method, "poisoned")) for method in RIVALS]
PAIRS += [((method, "poisoned"), (method, "clean")) for method in RIVALS[:3]]
COMPARED = ("accuracy", DI)
FINER = (
    20  # times the resamples of the study: a verdict must not hang on which were drawn, and here few pairs cost little
)
ATTRIBUTE = "z"  # of the synthetic data
USUAL = {"dataset": "synthetic", "notion": "parity", "variant": "standard", "clean_labels": "truth"}
PAIR = ["first", "second", *FACTS, "seed", "run", "second_run"]


def paired_runs(choices: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of chosen runs, columns `PAIR`, with the facts of the first run.

    A method with one seed, because nothing in it is random, is compared with every seed of the other.
    """
    own = choices[(choices[list(USUAL)] == pd.Series(USUAL)).all(axis=1)]
    own = own.drop_duplicates(["protocol", "method", "labels", "seed"])
    parts = []
    for _, chosen in own.groupby("protocol", sort=False):
        settings = dict(list(chosen[[*FACTS, "seed", "run"]].groupby(["method", "labels"], sort=False)))
        for first, second in PAIRS:
            if not {first, second} <= settings.keys():
                continue
            ours, others = settings[first], settings[second][["seed", "run"]].rename(columns={"run": "second_run"})
            if 1 in (len(ours), len(others)):
                pairs = ours.merge(others, how="cross", suffixes=("", "_2"))
                pairs["seed"] = pairs["seed"] if len(others) == 1 else pairs["seed_2"]
            else:
                pairs = ours.merge(others, on="seed", validate="one_to_one")
            differ = 0 if first[0] != second[0] else 1
            parts.append(pairs.assign(first=first[differ], second=second[differ]))
    return pd.concat(parts, ignore_index=True)[PAIR] if parts else pd.DataFrame(columns=PAIR)


def measured(table: np.ndarray) -> np.ndarray:
    """Return accuracy and disparate impact of everyone, [..., 2], of tables [..., 2, 2, 2]; see `COMPARED`."""
    return np.stack([RATES["accuracy"](table.sum(-3)), FAIRNESS[DI](table)], axis=-1)


def difference(first: pd.DataFrame, second: pd.DataFrame, replicates: int, seed: int) -> pd.DataFrame:
    """Return attribute, metric, value, ci_low, ci_high and n of `first` minus `second`, test predictions of two runs.

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
    attribute = [ATTRIBUTE if metric in FAIRNESS else NO_ATTRIBUTE for metric in COMPARED]
    named = {"attribute": attribute, "metric": COMPARED}
    return pd.DataFrame(named | {"value": value, "ci_low": low, "ci_high": high, "n": len(first)})


def compare(
    predictions: list[str], choices: str, metrics: str, printed: dict[str, float], output: str, replicates: int
) -> None:
    """Write all differences: of the runs in `PAIRS`, and those paired by seed (schema COMPARISONS).

    Args:
        predictions: files that hold the chosen runs of the synthetic data.
        choices, metrics: of the chosen runs, and of all.
        printed: the lambda_f whose row is printed, by kind of labels.
        replicates: bootstrap resamples of the study.

    Raises:
        UserError: a file is missing or damaged, or two runs of a pair have other test rows.
    """
    chosen, measured_runs = parquet.read(choices, METRICS), parquet.read(metrics, METRICS)
    pairs, tests = paired_runs(chosen), {}
    for path in predictions:
        frame = parquet.read(path, PREDICTIONS)
        wanted = (frame["split"] == "test") & frame["run"].isin([*pairs["run"], *pairs["second_run"]])
        ordered = frame[wanted].sort_values("row_id", kind="stable")
        tests |= {run: own.reset_index(drop=True) for run, own in ordered.groupby("run", sort=False)}
    parts = [seed_pairs(measured_runs, chosen, at_printed_lambda(measured_runs, printed), printed)]
    for pair in pairs.to_dict("records"):
        seed = seed_from("frtrain paired", pair["run"], pair["second_run"])
        found = difference(tests[pair["run"]], tests[pair["second_run"]], FINER * replicates, seed)
        parts.append(found.assign(**pair, interval=BOOTSTRAP, seeds=1, paired_by="rows"))
    about = {"study": "frtrain", "split": "test", "subgroup": EVERYONE, "condition": ""}
    found = pd.concat(parts, ignore_index=True).assign(**about)
    parquet.write(found.astype({"seed": "Int64"}), output, COMPARISONS)
    log.info("%d pairs of runs", len(pairs))


if "snakemake" in globals():
    with job(snakemake):
        files, params, out = snakemake.input, snakemake.params, dict(snakemake.output.items())
        printed = {labels: entry["printed"] for labels, entry in params.lambdas.items()}
        choose_and_derive(files.metrics, files.runs, params.lambdas, params.first_seeds, out)
        predictions, comparisons = list(files.predictions), out["comparisons"]
        compare(predictions, out["choices"], files.metrics, printed, comparisons, params.replicates)
        write_groups(files.data, list(files.weights), params.first_seeds["synthetic"], printed, out["groups"])
