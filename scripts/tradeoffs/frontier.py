"""What thresholds per sex buy for one run, and what choosing them on the test set promises too much.

`corrected`: the exact front is chosen on the validation part and read on the test part. `as_published`: the
20 x 20 grid is chosen and read on the test part.
"""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.intervals import (
    absolute_interval,
    bootstrap_counts,
    difference_of_proportions,
    percentile_interval,
)
from scripts.common.metrics import RATES
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.tradeoffs.thresholds import SEXES, error_and_signed_gap, evaluate, exact_frontier, optimism, published_grid

POINTS = 200  # of an exact front that are kept: enough to draw it
THRESHOLDS = ["threshold_men", "threshold_women"]


def resolved(front: pd.DataFrame, y: np.ndarray, male: np.ndarray) -> pd.DataFrame:
    """Return the front up to its first gap below one image's share of a false-negative rate.

    Smaller gaps are accidents of the two denominators; following them leads to the constant classifiers.
    """
    smallest = 1 / max(np.count_nonzero((y == 1) & (male == code)) for code in SEXES.values())
    return front[front["gap"].shift(fill_value=np.inf) >= smallest]


def thin(front: pd.DataFrame, points: int = POINTS) -> pd.DataFrame:
    """Return at most `points` rows, evenly along the front, with both ends."""
    keep = np.unique(np.linspace(0, len(front) - 1, min(points, len(front))).round().astype(int))
    return front.iloc[keep].reset_index(drop=True)


def columns_of(predictions: pd.DataFrame, split: str, run: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return score, label and sex of one split.

    Raises:
        UserError: the run has no predictions there.
    """
    rows = predictions[predictions["split"] == split]
    if rows.empty:
        raise UserError(f"{run}: no predictions on the {split!r} part, on which thresholds are needed; predict it too")
    return tuple(rows[name].to_numpy() for name in ("score", "y_true", "male"))


def frontier_points(predictions: pd.DataFrame, protocol: str, run: str, replicates: int, seed: int) -> pd.DataFrame:
    """Return the threshold pairs of one run with error and gap where they were chosen and on the test part.

    Intervals: percentile bootstrap over the test images; that of the gap comes from the signed gap, so that
    it starts at 0 where the sign is open, and is Newcombe's where resampling cannot vary the FNR of a sex (0 or 1).

    Raises:
        UserError: a needed part is absent, or a sex has no positive label in it.
    """
    test = columns_of(predictions, "test", run)
    if protocol == "corrected":
        score, y, male = columns_of(predictions, "valid", run)
        chosen = thin(resolved(exact_frontier(score, y, male), y, male))
        chosen = chosen.assign(variant="exact", chosen_on="valid", pareto=True)
    else:
        chosen = published_grid(*test).assign(variant="published_grid", chosen_on="test")
    tables = evaluate(chosen[THRESHOLDS], *test)
    error, gap = error_and_signed_gap(tables)
    resampled = [error_and_signed_gap(bootstrap_counts(table, replicates, seed)) for table in tables]
    error_low, error_high = percentile_interval(np.stack([errors for errors, _ in resampled], axis=1))
    signed = percentile_interval(np.stack([gaps for _, gaps in resampled], axis=1))
    missed, deserving = RATES["false_negative_rate"].parts(tables)  # [T, sex]
    men, women = SEXES.values()
    exact = difference_of_proportions(missed[:, men], deserving[:, men], missed[:, women], deserving[:, women])
    unvaried = ((missed == 0) | (missed == deserving)).any(axis=1)
    gap_low, gap_high = absolute_interval(*(np.where(unvaried, *ends) for ends in zip(exact, signed, strict=True)))
    return pd.DataFrame(
        {
            "variant": chosen["variant"],
            "chosen_on": chosen["chosen_on"],
            **{name: chosen[name] for name in THRESHOLDS},
            "error_chosen": chosen["error"],
            "gap_chosen": chosen["gap"],
            "error": error,
            "gap": abs(gap),
            "error_low": error_low,
            "error_high": error_high,
            "gap_low": gap_low,
            "gap_high": gap_high,
            "pareto": chosen["pareto"],
        }
    )


def frontier(predictions: list[str], front: str, promise: str, identities: list[dict], replicates: int) -> None:
    """Write the threshold frontiers of runs and the optimism of the published choice on their test parts.

    Args:
        predictions: Parquet files of the runs.
        front, promise: Parquet files to write.
        identities: run, protocol and seed (of the training) of each.
        replicates: bootstrap resamples, and random halvings of the test part.

    Raises:
        UserError: the file is missing or damaged, a needed part is absent, a sex has no positive label.
    """
    frame, fronts, promises = parquet.gather(predictions, PREDICTIONS), [], []
    for identity in identities:
        names = {key: identity[key] for key in ("run", "protocol", "seed")}
        own = frame[frame["run"] == names["run"]]
        # one seed for all runs, as in `measure`
        points = frontier_points(own, names["protocol"], names["run"], replicates, seed_from("bootstrap", "frontier"))
        promised = optimism(*columns_of(own, "test", names["run"]), replicates, seed_from("optimism"))
        for table, tables in ((points, fronts), (promised, promises)):
            for place, (key, value) in enumerate(names.items()):
                table.insert(place, key, value)
            tables.append(table)
    for tables, path in ((fronts, front), (promises, promise)):
        parquet.write(pd.concat(tables, ignore_index=True), path)
