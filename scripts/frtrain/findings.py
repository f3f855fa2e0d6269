"""What follows from the runs of all seeds: spreads, paired differences, RML's weight on flipped rows.

Every quantity is a row in the common schema METRICS, so that a claim can name it.
"""

import numpy as np
import pandas as pd

from scripts.frtrain.plan import CLEAN_ROWS, RATE
from scripts.frtrain.summaries import paired, student_interval

PRINTED = "FR-Train at the printed lambda_f"
FLOOR = 0.8
DI, GAP = "demographic_parity_ratio", "equalized_odds_difference_max"
SETTING = ["dataset", "attribute", "labels", "method", "notion", "variant", "clean_labels"]
DERIVED = {"study": "frtrain", "protocol": "corrected", "run": "", "seed": 0, "split": "test", "subgroup": "all"}


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
    return frame.assign(**DERIVED, clean_labels="truth")


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


def curve_differences(metrics: pd.DataFrame, printed: dict[str, float]) -> pd.DataFrame:
    """Return what other rates, rules and validation sizes change, paired by seed, schema METRICS; n counts the pairs.

    METRIC_minus_unflipped: with a share of the labels flipped less without any (columns rule, rate).
    METRIC_minus_published_size: with another number of clean rows less with 200 (column clean_rows).
    """
    own = metrics[(metrics.dataset == "synthetic") & (metrics.split == "test") & (metrics.subgroup == "all")]
    own = own[(own.notion == "parity") & (own.variant == "standard") & (own.labels == "poisoned")]
    own = own[own.method.isin(["LR", "RML"]) | ((own.method == "FR-Train") & (own.knob == printed["poisoned"]))]
    parts = []
    for (method, metric), rows in own.groupby(["method", "metric"], sort=False):
        usual = rows[rows.clean_rows == CLEAN_ROWS]
        published = rows[(rows.rule == "targeted") & (rows.rate == RATE)]
        rates = usual[usual.rate > 0].groupby(["rule", "rate"], sort=False)
        sizes = published[published.clean_rows != CLEAN_ROWS].groupby("clean_rows", sort=False)
        cases = [(usual[usual.rate == 0], "unflipped", {"rule": key[0], "rate": key[1]}, one) for key, one in rates]
        base = published[published.clean_rows == CLEAN_ROWS]
        cases += [(base, "published_size", {"clean_rows": size}, one) for size, one in sizes]
        for reference, words, where, one in cases:
            if reference.empty or not set(reference.seed) & set(one.seed):
                continue
            value, low, high, n = paired(one, reference)
            named = {"rule": "targeted", "rate": RATE, "clean_rows": CLEAN_ROWS} | where
            named |= {"method": method, "metric": f"{metric}_minus_{words}", "attribute": one.attribute.iloc[0]}
            parts.append(named | {"value": value, "ci_low": low, "ci_high": high, "n": n})
    frame = pd.DataFrame(parts)
    shared = {"dataset": "synthetic", "labels": "poisoned", "notion": "parity", "variant": "standard"}
    return frame.assign(**DERIVED, **shared, clean_labels="truth")


def weight_mass(runs: pd.DataFrame) -> pd.DataFrame:
    """Return RML's weight on flipped rows per seed, metric "flipped_weight_mass", schema METRICS."""
    own = runs[(runs.method == "RML") & runs.flipped_mass.notna() & (runs.variant == "standard")]
    frame = own[["dataset", "method", "run", "seed", *SETTING[1:3], *SETTING[4:], "rule", "rate", "clean_rows"]]
    frame = frame.assign(value=own.flipped_mass, ci_low=np.nan, ci_high=np.nan, n=own.flipped)
    return frame.assign(
        study="frtrain", protocol="corrected", split="train", subgroup="all", metric="flipped_weight_mass"
    )


def findings(
    choices: pd.DataFrame, metrics: pd.DataFrame, runs: pd.DataFrame, printed: dict[str, float]
) -> pd.DataFrame:
    """Return all derived quantities, schema METRICS with the facts of the runs.

    Args:
        choices: test metrics of the chosen runs.
        metrics, runs: of all runs.
        printed: the lambda_f whose row is printed, by kind of labels.
    """
    fixed = at_printed_lambda(metrics, printed)
    parts = [derived(choices, fixed), differences(choices, fixed), curve_differences(metrics, printed)]
    return pd.concat([*parts, weight_mass(runs)], ignore_index=True)
