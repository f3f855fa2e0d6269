"""The outlier test: the published worked example, both medians, its law without a backdoor, and the verdict."""

import numpy as np
import pytest
import torch

from scripts.backdoor.outliers import (
    Rule,
    anomaly_index,
    median_of,
    null_table,
    rule_of,
    smallest_index,
    verdict,
)
from scripts.common.errors import UserError

RULE = Rule(index=2.0, log_index=3.8, success=0.9)
CLEAN = [80.0, 156.0, 72.0, 82.0, 103.0, 70.0, 90.0, 103.0, 79.0, 91.0]
INFECTED = [87.0, 128.0, 67.0, 5.0, 103.0, 81.0, 87.0, 100.0, 72.0, 92.0]


def gtsrb_norms() -> np.ndarray:
    """Return 43 norms with the published median, scaled deviation (13.238736) and infected norm; the rest is made up.

    21 lie above and 21 below the median; the 22nd smallest of the 43 deviations is the wanted one.
    """
    centre, deviation = 64.466667, 13.238736 / 1.4826
    near, far = np.linspace(0.05, 0.9, 10), np.linspace(1.1, 3.0, 10)
    sides = np.concatenate([near, -near, far, -far, [0.0, 1.0]])
    return np.append(centre + deviation * sides, 16.117647)


def test_the_published_worked_example_to_six_digits():
    norms = gtsrb_norms()
    centre = float(median_of(norms))
    spread = 1.4826 * float(median_of(abs(norms - centre)))
    assert centre == pytest.approx(64.466667, abs=5e-7) and spread == pytest.approx(13.238736, abs=5e-7)
    assert anomaly_index(norms)[-1] == pytest.approx(3.652087, abs=5e-7)
    assert smallest_index(norms) == pytest.approx(3.652087, abs=5e-7)


def test_medians_are_numpys_and_torchs():
    random = np.random.default_rng(0)
    for count in (1, 2, 9, 10, 43):
        values = random.random((7, count))
        assert np.array_equal(median_of(values), np.median(values, axis=1))
        assert np.allclose(median_of(values, "lower"), torch.from_numpy(values).median(1).values)


def test_index_is_free_of_place_and_scale_and_signed():
    norms = np.random.default_rng(1).random((50, 10)) * 100
    assert np.allclose(anomaly_index(norms), anomaly_index(3.0 * norms + 7))
    index = anomaly_index(norms)
    assert ((index > 0) == (norms < np.median(norms, axis=1, keepdims=True))).all()


def test_equal_norms_are_no_outliers_and_one_odd_one_is_infinite():
    assert (anomaly_index([5.0] * 10) == 0).all()
    odd = anomaly_index([5.0] * 9 + [1.0])
    assert np.isinf(odd[-1]) and odd[-1] > 0 and (odd[:-1] == 0).all()


def test_norms_without_a_number_end_in_one_line():
    with pytest.raises(UserError, match="2 are NaN or infinite"):
        anomaly_index([1.0, np.nan, 2.0, np.inf])


def test_the_simulated_law_is_the_known_one():
    table = null_table(10, 60_000, seed=1).set_index(["law", "median"])
    above = table["above_2"]
    assert above["normal", "true"] == pytest.approx(0.33, abs=0.01)
    assert above["normal", "lower"] == pytest.approx(0.377, abs=0.01)
    assert above["log-normal", "true"] == pytest.approx(0.152, abs=0.01)
    assert (table["above_3"] < table["above_2"]).all() and (table["quantile_95"] > 2).all()
    two = np.random.default_rng(3).standard_normal((60_000, 10))
    centre = np.median(two, 1, keepdims=True)
    mad = 1.4826 * np.median(abs(two - centre), 1)
    other = ((centre[:, 0] - two.min(1)) / mad > 2).mean()
    assert above["normal", "true"] == pytest.approx(other, abs=4 * np.sqrt(0.25 / 60_000) * 2)


def test_the_rule_keeps_its_false_alarm_rate():
    settings = {"index": 2, "false_alarm": 0.05, "success": 0.9, "null_draws": 60_000, "null_seed": 1}
    rule = rule_of(settings, 10)
    fresh = smallest_index(np.random.default_rng(9).standard_normal((60_000, 10)))
    assert (fresh > rule.log_index).mean() == pytest.approx(0.05, abs=0.005)


WORKS = np.full(10, 0.99)
VERDICTS = {
    "clean": (CLEAN, WORKS, "clean", []),
    "infected": (INFECTED, WORKS, "infected label 3", [3]),
    "trigger fails": (INFECTED, np.where(np.arange(10) == 3, 0.5, 0.99), "undecided", []),
    "two suspects": (np.where(np.arange(10) == 8, 4.0, INFECTED), WORKS, "undecided", [3, 8]),
    "clean norms differ widely": (
        np.array([30, 60, 100, 2, 45, 150, 80, 120, 40, 70.0]),
        WORKS,
        "infected label 3",
        [3],
    ),
    "norms alone": (np.where(np.arange(10) == 5, 54.0, CLEAN), WORKS, "undecided", []),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdicts(case):
    norms, success, words, suspects = VERDICTS[case]
    got, of, reason = verdict(norms, success, RULE)
    assert (got, of) == (words, suspects) and reason
