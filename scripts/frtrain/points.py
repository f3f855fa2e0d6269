"""What figures and tables share: colours, words, and settings with their spread over seeds."""

import pandas as pd

from scripts.common import colours
from scripts.common.aggregate import aggregate
from scripts.common.errors import UserError
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.schemas.metrics import EVERYONE

ACCURACY, DI, GAP = "accuracy", "demographic_parity_ratio", "equalized_odds_difference"
FLOOR = 0.8
PROTOCOLS = {"as_published": "as published (printed setting, seed 1)", "corrected": "corrected"}
LABELS = {"clean": "clean training labels", "poisoned": "10 % of the training labels flipped"}
METHODS = {  # colour and marker; a two-step method has the colour of its second step
    "LR": (colours.BLACK, "o"),
    "FC": (colours.BLUE, "o"),
    "LBC": (colours.GREEN, "o"),
    "AD": (colours.ORANGE, "o"),
    "RML": (colours.GREY, "D"),
    "RML+FC": (colours.BLUE, "D"),
    "RML+LBC": (colours.GREEN, "D"),
    "RML+AD": (colours.ORANGE, "D"),
    "FR-Train": (colours.VERMILION, "s"),
    "ExponentiatedGradient": (colours.PURPLE, "^"),
}
SETTING = ["dataset", "labels", "method", "notion", "variant", "clean_labels", "protocol"]


def spread(choices: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds of each chosen setting and metric, and of its knob, as `aggregate` does.

    The interval is that over rows, the one kind that all methods have: where nothing is random there is one seed.
    """
    own, keys = choices[(choices.subgroup == EVERYONE) & (choices.split == "test")], [*SETTING, "metric"]
    further = own.groupby(keys, sort=False)[["knob", "met"]].mean().reset_index()
    return aggregate(own, keys, BOOTSTRAP).merge(further, on=keys, validate="one_to_one")


def wide(spreads: pd.DataFrame) -> pd.DataFrame:
    """Return one row per setting with METRIC, METRIC_low, METRIC_high, METRIC_sd, and seeds, knob and met."""
    keys = [*SETTING, "seeds", "knob", "met", "n"]
    parts = []
    for suffix, column in (("", "value"), ("_low", "ci_low"), ("_high", "ci_high"), ("_sd", "deviation")):
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
