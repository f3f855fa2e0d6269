"""Derived numbers that claims rest on, in the schema of metrics.parquet.

`method` says of which models: all of a protocol, or those without the fairness penalty, which the published study
does not have.
"""

import pandas as pd

from scripts.common.aggregate import aggregate
from scripts.common.conditions import condition
from scripts.common.interval_kinds import BOOTSTRAP, JOINED, RANGE
from scripts.common.intervals import unpaired_difference
from scripts.tradeoffs.attack_table import under
from scripts.tradeoffs.fairness_price import frontier_hull, near_zero, operating_points, price_of_fairness
from scripts.tradeoffs.model_points import PROTOCOLS, THREAT, model_points, trained

ORIGINAL_ARMS = ("plain", "adversarial")
GAP = "equal_opportunity_difference"  # |FNR men - FNR women|
LEAST_ERROR, NEAR_ZERO_GAP = condition(point="least_error"), condition(point="near_zero_gap")
FOUND = ["metric", "attribute", "condition", "value", "ci_low", "ci_high", "interval"]
MODELS = {"all models": None, "without the fairness penalty": ORIGINAL_ARMS}


def fairness_findings(points: pd.DataFrame) -> list[tuple]:
    """Return the two ends of the fairness frontier and the price between them; columns `FOUND`."""
    hull = frontier_hull(points)
    price, start, end = price_of_fairness(hull), hull.iloc[0], hull.iloc[near_zero(hull)]
    return [
        ("zero_one_loss", "none", LEAST_ERROR, price.error_from, start.error_low, start.error_high, BOOTSTRAP),
        (GAP, "sex", LEAST_ERROR, price.gap_from, start.gap_low, start.gap_high, BOOTSTRAP),
        (GAP, "sex", NEAR_ZERO_GAP, price.gap_to, end.gap_low, end.gap_high, BOOTSTRAP),
        ("price_of_fairness", "sex", "", price.error_paid, price.error_paid_low, price.error_paid_high, JOINED),
    ]


def averaged(points: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return method, arm, value, ci_low, ci_high of a column of `model_points`, the seeds of a method together."""
    rows = points[["method", "arm", "seed"]].assign(
        value=points[column], ci_low=points[f"{column}_low"], ci_high=points[f"{column}_high"], n=points[f"{column}_n"]
    )
    return aggregate(rows, ["method", "arm"], RANGE)


def difference(first: pd.Series, second: pd.Series) -> tuple[float, float, float]:
    """Return first - second with an interval for unpaired values."""
    bounds = [(row.ci_low, row.ci_high) for row in (first, second)]
    return unpaired_difference(first.value, bounds[0], second.value, bounds[1])


def robustness_findings(points: pd.DataFrame, constants: pd.DataFrame) -> list[tuple]:
    """Return what robustness costs, and how the most robust model compares with rejecting everybody; columns `FOUND`.

    The most robust model is the one of least error under the worst case of all attacks.
    """
    attacked, clean = averaged(points, "adversarial_error"), averaged(points, "error")
    best = attacked.loc[attacked.value.idxmin()]
    its_error = clean[clean.method == best.method].iloc[0]
    least = clean.loc[clean.value.idxmin()]
    found = [
        (
            "robust_zero_one_loss",
            "none",
            under(THREAT, point="most_robust"),
            best.value,
            best.ci_low,
            best.ci_high,
            RANGE,
        ),
        ("price_of_robustness", "none", under(THREAT), *difference(its_error, least), JOINED),
    ]
    reject = constants[constants.arm == "constant_reject"]
    if len(reject):
        beyond = difference(best, averaged(reject, "adversarial_error").iloc[0])
        found.append(("excess_robust_error", "none", under(THREAT, point="most_robust"), *beyond, JOINED))
    return found


def findings(metrics: pd.DataFrame, runs: pd.DataFrame, frontiers: pd.DataFrame) -> pd.DataFrame:
    """Return all derived numbers (schema METRICS) of the test part; those of absent models are left out."""
    points, rows = model_points(metrics, runs), []
    dataset = ", ".join(sorted(set(metrics.dataset)))
    measured = set(metrics.run[(metrics.metric == "robust_accuracy") & (metrics.condition == under(THREAT))])
    for protocol in PROTOCOLS:
        own = points[points.protocol == protocol]
        operating = operating_points(frontiers, runs, protocol)
        for models, arms in MODELS.items():
            chosen = trained(own)[lambda rows, arms=arms: rows.arm.isin(arms or rows.arm)]
            if chosen.empty:
                continue
            found = fairness_findings(operating[operating.run.isin(chosen.run)])
            attacked = chosen[chosen.run.isin(measured)]
            if len(attacked):
                found += robustness_findings(attacked, own)
            n = int(chosen.error_n.min())
            rows += [(models, protocol, n, *own) for own in found]
    frame = pd.DataFrame(rows, columns=["method", "protocol", "n", *FOUND])
    seeds = int(metrics.seed.max())
    return frame.assign(study="tradeoffs", dataset=dataset, run="", seed=seeds, split="test", subgroup="all")
