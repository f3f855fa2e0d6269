"""Differences paired by seed, with Student's interval over the seeds: parts of FR-Train, methods, poisoning, rows."""

import pandas as pd

from scripts.common.aggregate import aggregate
from scripts.common.interval_kinds import STUDENT
from scripts.common.schemas.metrics import EVERYONE
from scripts.frtrain.findings import MEASURE
from scripts.frtrain.plan import CLEAN_ROWS, RATE

# what a row says of its first side; the second differs in what `first` and `second` name
FACTS = ["dataset", "attributes", "protocol", "method", "labels", "notion", "variant", "clean_labels"]
FACTS += ["rule", "rate", "clean_rows"]


def paired(ours: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return seed, value (ours minus other) and n over the shared seeds; there may be none.

    Another with one seed only, because nothing in it is random, is the same for every seed.
    """
    if other.seed.nunique() == 1 and ours.seed.nunique() > 1:
        both = ours.merge(other, how="cross", suffixes=("", "_other"))
    else:
        both = ours.merge(other, on="seed", suffixes=("", "_other"), validate="one_to_one")
    n = both[["n", "n_other"]].min(axis=1)
    return pd.DataFrame({"seed": both.seed, "value": both.value - both.value_other, "n": n})


def paired_either(ours: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return `paired`, whichever of the two has one seed only."""
    if ours.seed.nunique() == 1 and other.seed.nunique() > 1:
        turned = paired(other, ours)
        return turned.assign(value=-turned.value)
    return paired(ours, other)


def switched_parts(fixed: pd.DataFrame) -> list[tuple[dict, pd.DataFrame]]:
    """Return the variants of FR-Train less FR-Train as published, both at the printed lambda."""
    found = []
    for _, own in fixed.groupby(["dataset", "labels", "notion", *MEASURE], sort=False):
        usual = own[own.variant == "standard"]
        for variant, rows in own[own.variant != "standard"].groupby("variant", sort=False):
            found.append((told(rows, variant, "standard"), paired_either(rows, usual)))
    return found


def other_methods(choices: pd.DataFrame) -> list[tuple[dict, pd.DataFrame]]:
    """Return every method less FR-Train, both with the knob of the corrected protocol."""
    own = choices[(choices.protocol == "corrected") & (choices.clean_labels == "truth")]
    found = []
    for _, rows in own.groupby(["dataset", "labels", "notion", *MEASURE], sort=False):
        usual = rows[(rows.method == "FR-Train") & (rows.variant == "standard")]
        for (method, _), one in rows[rows.method != "FR-Train"].groupby(["method", "variant"], sort=False):
            found.append((told(one, method, "FR-Train"), paired_either(one, usual)))
    return found


def other_data(metrics: pd.DataFrame, printed: dict[str, float]) -> list[tuple[dict, pd.DataFrame]]:
    """Return what other rates and rules of poisoning, and other validation sizes, change of a method."""
    own = metrics[(metrics.dataset == "synthetic") & (metrics.split == "test")]
    own = own[(own.notion == "parity") & (own.variant == "standard") & (own.labels == "poisoned")]
    own = own[own.method.isin(["LR", "RML"]) | ((own.method == "FR-Train") & (own.knob == printed["poisoned"]))]
    found = []
    for _, rows in own.groupby(["method", *MEASURE], sort=False):
        usual = rows[rows.clean_rows == CLEAN_ROWS]
        for _, one in usual[usual.rate > 0].groupby(["rule", "rate"], sort=False):
            found.append((told(one, "flipped", "unflipped"), paired(one, usual[usual.rate == 0])))
        published = rows[(rows.rule == "targeted") & (rows.rate == RATE)]
        base = published[published.clean_rows == CLEAN_ROWS]
        for size, one in published[published.clean_rows != CLEAN_ROWS].groupby("clean_rows", sort=False):
            found.append((told(one, f"{size} clean rows", f"{CLEAN_ROWS} clean rows"), paired(one, base)))
    return found


def told(rows: pd.DataFrame, first: str, second: str) -> dict:
    """Return the columns that say what is compared."""
    about = {name: rows[name].iloc[0] for name in (*FACTS, *MEASURE)}
    return about | {"protocol": "corrected", "first": first, "second": second}


def seed_pairs(
    metrics: pd.DataFrame, choices: pd.DataFrame, fixed: pd.DataFrame, printed: dict[str, float]
) -> pd.DataFrame:
    """Return all differences paired by seed, schema COMPARISONS with `FACTS` of the first side and `deviation`.

    Args:
        metrics, choices: of all runs, and of the chosen ones.
        fixed: of FR-Train at the printed lambda, as `findings.at_printed_lambda` returns it.
        printed: the lambda_f whose row is printed, by kind of labels.
    """
    metrics, choices, fixed = (frame[frame.subgroup == EVERYONE] for frame in (metrics, choices, fixed))
    found = [*switched_parts(fixed), *other_methods(choices), *other_data(metrics, printed)]
    rows = pd.concat([pairs.assign(**about) for about, pairs in found], ignore_index=True)
    keys = [*FACTS, *MEASURE, "first", "second"]
    return aggregate(rows, keys, STUDENT).assign(study="frtrain", split="test", seed=pd.NA, paired_by="seeds")
