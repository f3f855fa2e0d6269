"""Rule `frtrain_choose`: which knob each protocol takes, what the chosen models reach, and what follows from it.

as_published: the knob is read off the test rows at the first seed, as the released notebooks do. corrected: it is
chosen on the validation rows, for each seed anew, and the test rows are looked at once.

For demographic parity the most accurate setting with a disparate impact of at least 0.8 is taken, for equalized odds
the most accurate with a gap of at most 0.1; if none gets there, the one that comes closest.
"""

import numpy as np
import pandas as pd

from scripts.common import records
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.frtrain.plan import CLEAN_ROWS, RATE
from scripts.frtrain.summaries import paired, student_interval

FLOOR, CEILING = 0.8, 0.1
PRINTED = "FR-Train at the printed lambda_f"
CHOOSING_PART = {"as_published": "test", "corrected": "valid"}
DI, GAP = "demographic_parity_ratio", "equalized_odds_difference_max"
SETTING = ["dataset", "attribute", "labels", "method", "notion", "variant", "clean_labels"]


def best(candidates: pd.DataFrame, notion: str) -> tuple[int, bool]:
    """Return the index of the setting to take, and whether it meets the demand.

    Args:
        candidates: columns accuracy and the metric of the notion, on the part that chooses.
    """
    if notion == "parity":
        distance = (FLOOR - candidates[DI].fillna(0.0)).clip(lower=0)
    else:
        distance = (candidates[GAP].fillna(1.0) - CEILING).clip(lower=0)
    meets = distance.to_numpy() <= 1e-12
    if meets.any():
        return candidates.index[meets][candidates["accuracy"].to_numpy()[meets].argmax()], True
    return distance.idxmin(), False


def choose(metrics: pd.DataFrame, lambdas: dict, first_seeds: dict[str, int]) -> pd.DataFrame:
    """Return the chosen run per setting, protocol and seed: SETTING, protocol, seed, run, knob, met.

    Args:
        metrics: of all runs; other rates, rules and validation sizes than the published ones are left out.
        lambdas: FR-Train's grids by kind of labels: `published` for as_published, `all_seeds` for corrected.
        first_seeds: the seed of as_published, by data set.
    """
    standard = (metrics.labels == "clean") | ((metrics.rule == "targeted") & (metrics.rate == RATE))
    standard &= (metrics.dataset != "synthetic") | (metrics.clean_rows == CLEAN_ROWS)
    rows = metrics[standard & (metrics.subgroup == "all")]
    keys = [*SETTING, "seed", "run", "knob", "split"]
    wide = rows.pivot(index=keys, columns="metric", values="value").reset_index()
    chosen = []
    for protocol, part in CHOOSING_PART.items():
        for setting, own in wide[wide.split == part].groupby([*SETTING, "seed"], sort=False):
            found = dict(zip([*SETTING, "seed"], setting, strict=True))
            if protocol == "as_published" and found["seed"] != first_seeds[found["dataset"]]:
                continue
            ours = found["method"] == "FR-Train" and found["dataset"] == "synthetic" and found["variant"] == "standard"
            if ours and found["notion"] == "parity":
                grid = lambdas[found["labels"]]["published" if protocol == "as_published" else "all_seeds"]
                own = own[own.knob.isin(grid)]
            if own.empty:
                continue
            place, met = best(own, found["notion"])
            chosen.append(found | {"protocol": protocol, "met": met, **own.loc[place, ["run", "knob"]].to_dict()})
    return pd.DataFrame(chosen)


def chosen_metrics(metrics: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the test metrics of the chosen runs, schema METRICS, under the protocol that chose them."""
    test = metrics[metrics.split == "test"].drop(columns="protocol")
    return chosen[["run", "protocol", "met"]].merge(test, on="run", how="left", validate="many_to_many")


def at_printed_lambda(metrics: pd.DataFrame, printed: dict[str, float]) -> pd.DataFrame:
    """Return FR-Train's test metrics at the printed lambdas, all variants and seeds, on the data as published."""
    own = metrics[(metrics.split == "test") & (metrics.method == "FR-Train") & (metrics.notion == "parity")]
    own = own[(own.dataset == "synthetic") & (own.rule == "targeted") & (own.clean_rows == CLEAN_ROWS)]
    own = own[((own.labels == "clean") | (own.rate == RATE)) & (own.knob == own.labels.map(printed))]
    return own.assign(method=PRINTED, protocol="corrected")


def differences(choices: pd.DataFrame, fixed: pd.DataFrame) -> pd.DataFrame:
    """Return paired differences over seeds with Student intervals, schema METRICS; n counts the pairs.

    METRIC_minus_standard: a variant of FR-Train at the printed lambda less FR-Train as published.
    METRIC_minus_FR-Train: a method less FR-Train, both with the knob of the corrected protocol.
    """
    corrected = choices[(choices.protocol == "corrected") & (choices.subgroup == "all")]
    fixed = fixed[fixed.subgroup == "all"]
    parts = []
    for frame, column, base, word in (
        (fixed, "variant", "standard", "minus_standard"),
        (corrected[corrected.clean_labels == "truth"], "method", "FR-Train", "minus_FR-Train"),
    ):
        shared = ["dataset", "labels", "notion", "metric", "attribute"]
        for key, own in frame.groupby(shared, sort=False):
            reference = own[(own[column] == base) & (own.variant == "standard")]
            others = own[(own[column] != base)]
            for (method, variant), rows in others.groupby(["method", "variant"], sort=False):
                if reference.empty:
                    continue
                value, low, high, n = paired_either(rows, reference)
                row = dict(zip(shared, key, strict=True)) | {"method": method, "variant": variant, "value": value}
                row |= {"ci_low": low, "ci_high": high, "n": n, "metric": f"{key[3]}_{word}"}
                parts.append(row)
    frame = pd.DataFrame(parts)
    return frame.assign(
        study="frtrain", protocol="corrected", run="", seed=0, split="test", subgroup="all", clean_labels="truth"
    )


def paired_either(rows: pd.DataFrame, reference: pd.DataFrame) -> tuple[float, float, float, int]:
    """Return `paired` of rows less reference, whichever of the two has one seed only."""
    if rows.seed.nunique() == 1 and reference.seed.nunique() > 1:
        value, low, high, n = paired(reference, rows)
        return -value, -high, -low, n
    return paired(rows, reference)


def derived(choices: pd.DataFrame, fixed: pd.DataFrame) -> pd.DataFrame:
    """Return what is computed over seeds, schema METRICS, one row per quantity.

    metric is NAME_mean (95 % Student interval), NAME_sd, NAME_min and NAME_max for every chosen setting and for
    FR-Train at the printed lambda (method "FR-Train at the printed lambda_f"); n counts the seeds. share_at_least_0.8
    is the share of seeds whose test disparate impact is at least 0.8.
    """
    every = pd.concat([choices, fixed], ignore_index=True)
    every = every[(every.subgroup == "all") & (every.split == "test")]
    parts = []
    keys = ["protocol", *SETTING, "metric"]
    for key, own in every.groupby(keys, sort=False):
        named = dict(zip(keys, key, strict=True))
        values = own["value"].to_numpy()
        low, high = student_interval(values)
        summary = {"mean": (values.mean(), low, high), "min": (values.min(),), "max": (values.max(),)}
        if len(values) > 1:
            summary["sd"] = (values.std(ddof=1),)
        if named["metric"] == DI:
            summary["share_at_least_0.8"] = (float((values >= FLOOR).mean()),)
        for word, (value, *ends) in summary.items():
            row = named | {"metric": f"{named['metric']}_{word}", "value": value, "n": len(values)}
            row |= dict(zip(("ci_low", "ci_high"), ends or (np.nan, np.nan), strict=True))
            parts.append(row)
    frame = pd.DataFrame(parts)
    return frame.assign(study="frtrain", run="", seed=0, split="test", subgroup="all")


def choose_and_derive(
    metrics_path: str, runs_path: str, lambdas: dict, first_seeds: dict[str, int], output: dict[str, str]
) -> None:
    """Write `choices` and `findings` (both schema METRICS with the facts of the runs).

    Raises:
        UserError: a file is missing or damaged, or holds no runs of the study.
    """
    metrics = records.read(metrics_path, records.METRICS)
    if metrics.empty:
        raise UserError(f"{metrics_path}: holds no runs; delete it and run the workflow")
    chosen = choose(metrics, lambdas, first_seeds)
    choices = chosen_metrics(metrics, chosen)
    records.write(choices, output["choices"], records.METRICS)
    printed = {labels: own["printed"] for labels, own in lambdas.items()}
    fixed = at_printed_lambda(metrics, printed)
    parts = [derived(choices, fixed), differences(choices, fixed), weight_mass(records.read(runs_path))]
    records.write(pd.concat(parts, ignore_index=True), output["findings"], records.METRICS)
    log.info("%d settings chosen, %d of them without reaching the demand", len(chosen), int((~chosen.met).sum()))


def weight_mass(runs: pd.DataFrame) -> pd.DataFrame:
    """Return RML's weight on flipped rows per seed, metric "flipped_weight_mass", schema METRICS."""
    own = runs[(runs.method == "RML") & runs.flipped_mass.notna() & (runs.variant == "standard")]
    frame = own[["dataset", "method", "run", "seed", *SETTING[1:3], *SETTING[4:], "rule", "rate", "clean_rows"]]
    frame = frame.assign(value=own.flipped_mass, ci_low=np.nan, ci_high=np.nan, n=own.flipped)
    return frame.assign(
        study="frtrain", protocol="corrected", split="train", subgroup="all", metric="flipped_weight_mass"
    )


if "snakemake" in globals():
    with job(snakemake):
        files, params = snakemake.input, snakemake.params
        choose_and_derive(files.metrics, files.runs, params.lambdas, params.first_seeds, dict(snakemake.output.items()))
