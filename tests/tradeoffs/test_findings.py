"""The derived numbers that claims rest on, against the frames that they are derived from."""

import numpy as np
import pandas as pd
import pytest

from scripts.tradeoffs.attack_table import under
from scripts.tradeoffs.fairness_price import frontier_hull, operating_points, price_of_fairness
from scripts.tradeoffs.findings import difference, findings
from scripts.tradeoffs.model_points import model_points
from tests.tradeoffs.synthetic import study

MOST_ROBUST = under("linf_0.01", point="most_robust")


@pytest.fixture(scope="module")
def frames():
    return study()


@pytest.fixture(scope="module")
def found(frames):
    table = findings(frames["metrics"], frames["runs"], frames["frontiers"])
    return table.set_index(["protocol", "method", "metric", "condition"]).sort_index()


def test_the_price_is_that_of_the_frontier(frames, found):
    points = operating_points(frames["frontiers"], frames["runs"], "corrected")
    price = price_of_fairness(frontier_hull(points))
    row = found.loc[("corrected", "all models", "price_of_fairness", "")]
    assert (row.value, row.ci_low, row.ci_high) == (price.error_paid, price.error_paid_low, price.error_paid_high)
    assert found.loc[("corrected", "all models", "zero_one_loss", "point=least_error")].value == price.error_from


def test_the_penalty_arms_are_left_out_where_the_name_says_so(frames, found):
    points = operating_points(frames["frontiers"], frames["runs"], "as_published")
    without = price_of_fairness(frontier_hull(points[points.arm.isin(["plain", "adversarial"])]))
    assert (
        found.loc[("as_published", "without the fairness penalty", "price_of_fairness", "")].value == without.error_paid
    )


def test_robustness_is_compared_with_rejecting_everybody(frames, found):
    points = model_points(frames["metrics"], frames["runs"])
    own = points[points.protocol == "corrected"]
    means = own[~own.arm.str.startswith("constant")].groupby("method").adversarial_error.mean()
    reject = own[own.arm == "constant_reject"].adversarial_error.iloc[0]
    assert found.loc[("corrected", "all models", "robust_zero_one_loss", MOST_ROBUST)].value == pytest.approx(
        means.min()
    )
    row = found.loc[("corrected", "all models", "excess_robust_error", MOST_ROBUST)]
    assert row.value == pytest.approx(means.min() - reject) and row.ci_low < row.value < row.ci_high
    errors = own[~own.arm.str.startswith("constant")].groupby("method").error.mean()
    price = found.loc[("corrected", "all models", "price_of_robustness", under("linf_0.01"))].value
    assert price == pytest.approx(errors[means.idxmin()] - errors.min())


def test_distances_are_added_in_squares(frames):
    first, second = (pd.Series({"value": v, "ci_low": v - 3, "ci_high": v + 4}) for v in (10.0, 7.0))
    assert difference(first, second) == (3.0, 3.0 - np.hypot(3, 4), 3.0 + np.hypot(4, 3))


def test_what_was_not_measured_is_left_out(frames):
    runs = frames["runs"]
    only = runs[runs.protocol == "corrected"].run
    metrics = frames["metrics"][frames["metrics"].run.isin(only)]
    table = findings(metrics, runs[runs.run.isin(only)], frames["frontiers"])
    assert set(table.protocol) == {"corrected"}
