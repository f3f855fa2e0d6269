"""The metrics of the study against fairlearn, against worked examples, and where they are undefined."""

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score

from scripts.common.aggregate import mean_interval
from scripts.common.interval_kinds import BOOTSTRAP, NEWCOMBE
from scripts.common.metrics import signed
from scripts.income.measures import PARITY, RATIO, calibration, measure

NAMES = {"men": 1, "women": 0}


def measured(y_true, y_pred, group, score=None):
    found = measure(y_true, y_pred, score, group, NAMES, 100, 1, "sex")
    return found.set_index(["metric", "subgroup"])


@pytest.mark.parametrize("seed", range(5))
def test_group_metrics_agree_with_fairlearn(seed):
    random = np.random.default_rng(seed)
    y_true, y_pred, group = (random.integers(0, 2, 300) for _ in range(3))
    ours = measured(y_true, y_pred, group).value
    given = {"y_true": y_true, "y_pred": y_pred, "sensitive_features": group}
    for name, theirs in {
        "demographic_parity_difference": demographic_parity_difference,
        "demographic_parity_ratio": demographic_parity_ratio,
        "equal_opportunity_difference": equal_opportunity_difference,
    }.items():
        assert ours[name, "all"] == pytest.approx(theirs(**given), abs=1e-12)
    rates = {"accuracy": accuracy_score, "selection_rate": selection_rate}
    rates |= {"true_positive_rate": true_positive_rate, "false_positive_rate": false_positive_rate}
    frame = MetricFrame(metrics=rates, **given)
    for name in rates:
        for words, code in NAMES.items():
            assert ours[name, words] == pytest.approx(frame.by_group[name][code], abs=1e-12)
        assert abs(ours[signed(name), "all"]) == pytest.approx(frame.difference()[name], abs=1e-12)


def test_the_two_metrics_of_the_notebook_by_hand():
    group = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    y_pred = np.array([1, 1, 1, 0, 1, 0, 0, 0])
    found = measured(np.zeros(8, int), y_pred, group)
    assert found.value[PARITY, "all"] == 0.5
    assert found.value[RATIO, "all"] == pytest.approx(1 / 3)
    turned = measured(np.zeros(8, int), y_pred, 1 - group)  # the notebook's metrics keep the sign, the field's do not
    assert turned.value[PARITY, "all"] == -0.5
    assert turned.value[RATIO, "all"] == 3
    assert turned.value["demographic_parity_difference", "all"] == 0.5
    assert np.isnan(found.value["true_positive_rate", "men"])  # nobody has the label: undefined, not 0


def test_disparate_impact_to_nobody_is_undefined():
    found = measured(np.zeros(4, int), np.array([0, 0, 1, 0]), np.array([1, 1, 0, 0]))
    assert np.isnan(found.value[RATIO, "all"]) and np.isnan(found.ci_low[RATIO, "all"])


def test_numbers_without_groups_have_no_attribute_and_every_interval_its_kind():
    random = np.random.default_rng(3)
    y_true, y_pred, group = (random.integers(0, 2, 300) for _ in range(3))
    found = measure(y_true, y_pred, random.normal(size=300), group, NAMES, 100, 1, "sex")
    alone = found[found.attribute == "none"]
    assert set(alone.subgroup) == {"all"} and {"accuracy", "calibration_error"} <= set(alone.metric)
    assert set(found[found.attribute == "sex"].subgroup) == {"all", "men", "women"}
    assert (found.interval.isna() == found.ci_low.isna()).all() and set(found.interval.dropna()) == {BOOTSTRAP}
    apart = measured(np.zeros(8, int), np.array([1, 1, 1, 1, 0, 0, 0, 0]), np.array([1, 1, 1, 1, 0, 0, 0, 0]))
    assert apart.interval[PARITY, "all"] == NEWCOMBE and apart.ci_low[PARITY, "all"] < 1 == apart.ci_high[PARITY, "all"]


def test_calibration_by_hand():
    y, probability = np.array([1, 0, 1, 1]), np.array([0.95, 0.95, 0.15, 0.25])
    error, bias = calibration(y, probability)
    # bins: {1, 0} at .95 is .45 too high on average, two rows; .15 and .25 are .85 and .75 too low
    assert error == pytest.approx((0.9 + 0.85 + 0.75) / 4) and bias == pytest.approx((0.9 - 0.85 - 0.75) / 4)
    assert np.isnan(calibration(y[:0], probability[:0])).all()


def test_a_calibrated_score_has_little_error_and_a_shifted_one_much():
    random = np.random.default_rng(0)
    probability = random.random(20000)
    y = (random.random(20000) < probability).astype(int)
    assert calibration(y, probability)[0] < 0.015
    assert calibration(y, np.clip(probability + 0.2, 0, 1))[0] > 0.1


def test_the_interval_over_seeds_is_wider_than_that_of_independent_samples():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    low, high = mean_interval(values, test_by_train=0.0)
    assert high - 2.5 == pytest.approx(3.182446 * values.std(ddof=1) / 2, rel=1e-6)  # Student's t, 3 degrees
    wider = mean_interval(values, test_by_train=0.6)
    assert (wider[1] - wider[0]) / (high - low) == pytest.approx(np.sqrt((0.25 + 0.6) / 0.25))
    assert np.isnan(mean_interval(values[:1], 0.6)).all() and np.isnan(mean_interval([1.0, np.nan], 0.6)).all()
