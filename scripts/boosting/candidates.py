"""The models that the explorer offers: rounds of all boosters that no other round beats."""

import pandas as pd

from scripts.boosting import names, notions
from scripts.common.pareto import pareto_mask

# columns of the rounds in numbers; smaller is better
OBJECTIVES = ("zero_one_loss", "balance", notions.PARITY, notions.OPPORTUNITY, notions.ODDS)
DIGITS = 5


def candidates(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the models that no other one beats on the choosing rows, with their numbers on both halves.

    Args:
        rounds: all rounds of one cell. AdaFair with held-out rows is left out: it was fitted on fewer rows.

    Returns:
        protocol, method, round, theta, and `choice_X` and `report_X` for every objective X, to five digits. A round
        that accepts everybody or nobody is none.
    """
    keys = ["protocol", "method", "round", "theta"]
    rounds = rounds[rounds["method"] != names.ADAFAIR_HELD].drop_duplicates(["protocol", "method", "round", "part"])
    halves = {}
    for part in ("choice", "report"):
        own = rounds[rounds["part"] == part].set_index(keys)
        some = own[(own["selection_rate"] > 0) & (own["selection_rate"] < 1)]
        halves[part] = some[list(OBJECTIVES)].add_prefix(f"{part}_")
    joined = halves["choice"].join(halves["report"], how="inner").dropna().reset_index()
    points = joined[[f"choice_{name}" for name in OBJECTIVES]].round(DIGITS)
    joined = joined[pareto_mask(points) & ~points.duplicated()]
    return joined.round(DIGITS).reset_index(drop=True)
