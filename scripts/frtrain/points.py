"""What figures and tables share: colours, words, and settings with their spread over seeds."""

import pandas as pd

from scripts.common import figures
from scripts.common.errors import UserError

ACCURACY, DI, GAP = "accuracy", "demographic_parity_ratio", "equalized_odds_difference_max"
FLOOR = 0.8
PROTOCOLS = {"as_published": "as published (printed setting, seed 1)", "corrected": "corrected"}
LABELS = {"clean": "clean training labels", "poisoned": "10 % of the training labels flipped"}
METHODS = {  # colour and marker; a two-step method has the colour of its second step
    "LR": (figures.BLACK, "o"),
    "FC": (figures.BLUE, "o"),
    "LBC": (figures.GREEN, "o"),
    "AD": (figures.ORANGE, "o"),
    "RML": (figures.GREY, "D"),
    "RML+FC": (figures.BLUE, "D"),
    "RML+LBC": (figures.GREEN, "D"),
    "RML+AD": (figures.ORANGE, "D"),
    "FR-Train": (figures.VERMILION, "s"),
    "ExponentiatedGradient": (figures.PURPLE, "^"),
}
SETTING = ["dataset", "labels", "method", "notion", "variant", "clean_labels", "protocol"]


def spread(choices: pd.DataFrame) -> pd.DataFrame:
    """Return mean, standard deviation (n - 1) and number of seeds of each chosen setting and metric.

    With one seed the standard deviation is missing, and `low` and `high` are the bootstrap interval over rows;
    with several they are mean -/+ one standard deviation.
    """
    own = choices[(choices.subgroup == "all") & (choices.split == "test")]
    grouped = own.groupby([*SETTING, "metric"], sort=False, as_index=False).agg(
        value=("value", "mean"),
        sd=("value", "std"),
        seeds=("seed", "nunique"),
        low=("ci_low", "min"),
        high=("ci_high", "max"),
        knob=("knob", "mean"),
        met=("met", "mean"),
        n=("n", "max"),
    )
    several = grouped.seeds > 1
    low = grouped.low.where(~several, grouped.value - grouped.sd)
    return grouped.assign(low=low, high=grouped.high.where(~several, grouped.value + grouped.sd))


def wide(spreads: pd.DataFrame) -> pd.DataFrame:
    """Return one row per setting with METRIC, METRIC_low and METRIC_high, and seeds, knob and met."""
    keys = [*SETTING, "seeds", "knob", "met", "n"]
    parts = []
    for suffix, column in (("", "value"), ("_low", "low"), ("_high", "high"), ("_sd", "sd")):
        part = spreads.pivot(index=keys, columns="metric", values=column)
        parts.append(part.rename(columns=lambda name, end=suffix: name + end))
    return pd.concat(parts, axis=1).reset_index()


def require_rows(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return the frame.

    Raises:
        UserError: it is empty.
    """
    if frame.empty:
        raise UserError(f"frtrain: no runs of {what} in these results; widen the grids in the config and rerun")
    return frame
