"""The fairness frontier over all models: its hull, its optima, and what a near-zero gap costs.

Operating points (a threshold per sex) of all trained models of a protocol are pooled. What is
chosen is chosen on `error_chosen` and `gap_chosen` (the test part itself in the published protocol,
the validation part in the corrected one); what it is worth is `error` and `gap` on the test part.
"""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from scripts.common.intervals import absolute_interval, unpaired_difference
from scripts.tradeoffs.model_points import hull_rows
from scripts.tradeoffs.thresholds import ERROR_WEIGHT, GAP_WEIGHT

VARIANTS = {"as_published": "published_grid", "corrected": "exact"}  # how each protocol sweeps the thresholds
NEAR_ZERO_GAP = 0.01
COLUMNS = ["run", "protocol", "chosen_on", "threshold_men", "threshold_women", "error_chosen", "gap_chosen"]
MEASURED = ["error", "error_low", "error_high", "gap", "gap_low", "gap_high"]


@dataclass(frozen=True)
class Price:
    """From the lowest error on the hull to a near-zero gap, all measured on the test part."""

    error_from: float
    gap_from: float
    error_to: float
    gap_to: float
    error_paid: float
    error_paid_low: float
    error_paid_high: float

    def as_dict(self) -> dict[str, float]:
        """Return the numbers by name."""
        return asdict(self)


def operating_points(frontiers: pd.DataFrame, runs: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """Return the Pareto-efficient operating points of every trained model of a protocol; gaps without sign."""
    own = (frontiers.protocol == protocol) & (frontiers.variant == VARIANTS[protocol]) & frontiers.pareto
    points = frontiers.loc[own, COLUMNS + MEASURED].merge(runs[["run", "arm", "method"]], on="run")
    points["gap_low"], points["gap_high"] = absolute_interval(points.gap_low, points.gap_high)
    points[["gap", "gap_chosen"]] = points[["gap", "gap_chosen"]].abs()
    return points


def frontier_hull(points: pd.DataFrame) -> pd.DataFrame:
    """Return the vertices of the lower hull of what was chosen, from the least error to the least gap."""
    return hull_rows(points, "error_chosen", "gap_chosen")


def cheapest_within(points: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Return the point (one row, or none) of least chosen error whose chosen gap is at most `limit`."""
    allowed = points[points.gap_chosen <= limit]
    return allowed.sort_values(["error_chosen", "gap_chosen"], kind="stable").head(1)


def best_weighted(points: pd.DataFrame) -> pd.DataFrame:
    """Return the point (one row) of least 1.0 error + 0.1 gap, as chosen."""
    cost = ERROR_WEIGHT * points.error_chosen + GAP_WEIGHT * points.gap_chosen
    return points.loc[cost.sort_values(kind="stable").index[:1]]


def spread(hull: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most `most` vertices, evenly spread along what was chosen; both ends and the price's end stay.

    The test values take no part, so a line through these vertices is no choice made on the test part.
    """
    if len(hull) <= most:
        return hull
    chosen = hull[["error_chosen", "gap_chosen"]].to_numpy()
    steps = np.diff(chosen, axis=0) / np.ptp(chosen, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    places = {int(np.abs(along - at).argmin()) for at in np.linspace(0, along[-1], most - 1)}
    return hull.iloc[sorted(places | {near_zero(hull)})]


def near_zero(hull: pd.DataFrame) -> int:
    """Return the place of the first vertex whose chosen gap is at most 0.01, else of the last one."""
    near = (hull.gap_chosen <= NEAR_ZERO_GAP).to_numpy()
    return int(near.argmax()) if near.any() else len(hull) - 1


def price_of_fairness(hull: pd.DataFrame) -> Price:
    """Return what it costs to go from the least error to a gap of at most 0.01 (else the least gap) on the hull.

    The interval of the difference is one for unpaired errors. Both come from the same images and mostly err
    together, so it is rather too wide.
    """
    start, end = hull.iloc[0], hull.iloc[near_zero(hull)]
    bounds = [(point.error_low, point.error_high) for point in (end, start)]
    paid, low, high = unpaired_difference(end.error, bounds[0], start.error, bounds[1])
    if start.name == end.name:  # the same operating point: nothing is paid, whatever the images
        low = high = 0.0
    return Price(*(float(x) for x in (start.error, start.gap, end.error, end.gap, paid, low, high)))
