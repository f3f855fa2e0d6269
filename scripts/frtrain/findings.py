"""What follows from the runs of all seeds: means and spreads, seeds that are fair, RML's weight on flipped rows."""

import numpy as np
import pandas as pd

from scripts.common.aggregate import aggregate
from scripts.common.conditions import condition
from scripts.common.interval_kinds import STUDENT
from scripts.common.schemas.metrics import EVERYONE, NO_ATTRIBUTE
from scripts.frtrain.plan import CLEAN_ROWS, RATE

PRINTED = "FR-Train at the printed lambda_f"
FLOOR = 0.8
DI, GAP = "demographic_parity_ratio", "equalized_odds_difference"
SETTING = ["dataset", "attributes", "labels", "method", "notion", "variant", "clean_labels"]
MEASURE = ["metric", "attribute", "subgroup", "condition"]


def at_printed_lambda(metrics: pd.DataFrame, printed: dict[str, float]) -> pd.DataFrame:
    """Return FR-Train's test metrics at the printed lambdas, all variants and seeds, on the data as published."""
    own = metrics[(metrics.split == "test") & (metrics.method == "FR-Train") & (metrics.notion == "parity")]
    own = own[(own.dataset == "synthetic") & (own.rule == "targeted") & (own.clean_rows == CLEAN_ROWS)]
    own = own[((own.labels == "clean") | (own.rate == RATE)) & (own.knob == own.labels.map(printed))]
    return own.assign(method=PRINTED, protocol="corrected")


def of_everybody(choices: pd.DataFrame, fixed: pd.DataFrame) -> pd.DataFrame:
    """Return the test metrics of everybody, of the chosen settings and of FR-Train at the printed lambda."""
    every = pd.concat([choices, fixed], ignore_index=True)
    return every[(every.subgroup == EVERYONE) & (every.split == "test")]


def summary(choices: pd.DataFrame, fixed: pd.DataFrame) -> pd.DataFrame:
    """Return means over seeds with Student's interval, deviation, lowest and highest value, one row per setting."""
    every, keys = of_everybody(choices, fixed), ["protocol", *SETTING, *MEASURE]
    ends = every.groupby(keys, sort=False)["value"].agg(lowest="min", highest="max").reset_index()
    return aggregate(every, keys, STUDENT).merge(ends, on=keys, validate="one_to_one")


def fair_seeds(choices: pd.DataFrame, fixed: pd.DataFrame) -> pd.DataFrame:
    """Return the share of seeds with a test disparate impact of at least 0.8, schema METRICS; n counts the seeds."""
    every, keys = of_everybody(choices, fixed), ["protocol", *SETTING, "attribute"]
    reached = every[every.metric == DI].groupby(keys, sort=False)["value"]
    frame = reached.agg(value=lambda values: (values >= FLOOR).mean(), n="size").reset_index()
    return frame.assign(
        metric="share_of_fair_seeds", condition=condition(threshold=FLOOR), run="", seed=0, split="test"
    )


def weight_mass(runs: pd.DataFrame) -> pd.DataFrame:
    """Return RML's weight on flipped rows per seed, metric "flipped_weight_mass", schema METRICS."""
    own = runs[(runs.method == "RML") & runs.flipped_mass.notna() & (runs.variant == "standard")]
    frame = own[["dataset", "method", "run", "seed", *SETTING[1:3], *SETTING[4:], "rule", "rate", "clean_rows"]]
    frame = frame.assign(value=own.flipped_mass, n=own.flipped, attribute=NO_ATTRIBUTE, condition="")
    return frame.assign(protocol="corrected", split="train", metric="flipped_weight_mass")


def findings(choices: pd.DataFrame, fixed: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return what is no metric of one run's test rows, schema METRICS with the facts of the runs.

    Args:
        choices, fixed: test metrics of the chosen runs, and of FR-Train at the printed lambda.
        runs: of all runs.
    """
    found = pd.concat([fair_seeds(choices, fixed), weight_mass(runs)], ignore_index=True)
    return found.assign(study="frtrain", subgroup=EVERYONE, ci_low=np.nan, ci_high=np.nan, interval=None)
