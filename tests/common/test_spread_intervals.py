"""Intervals of differences over many groups: they cover, and for two groups they are Newcombe's."""

import numpy as np
import pytest

from scripts.common.intervals import absolute_interval, difference_of_proportions
from scripts.common.spread_intervals import (
    balanced_interval,
    largest_difference,
    smallest_ratio,
    sum_of_differences,
)


def counts(*pairs):
    successes, trials = np.array(pairs).T
    return successes, trials


def test_two_groups_have_newcombes_interval_of_the_absolute_difference():
    value, low, high = largest_difference(counts((30, 100), (60, 120)))
    ends = absolute_interval(*difference_of_proportions(30, 100, 60, 120))
    assert value == pytest.approx(0.2) and (low, high) == pytest.approx(tuple(map(float, ends)))


def test_the_worst_of_two_rates_is_the_larger_and_its_lower_end_pays_for_both():
    tpr, fpr = counts((30, 100), (60, 100)), counts((10, 100), (12, 100))
    worst, alone = largest_difference(tpr, fpr), largest_difference(tpr)
    assert worst[0] == alone[0] == pytest.approx(0.3) and worst[1] < alone[1] and worst[2] == alone[2]
    total = sum_of_differences(tpr, fpr)
    assert total[0] == pytest.approx(0.32) and total[1] < 0.32 < total[2] <= alone[2] + largest_difference(fpr)[2]


def test_an_undefined_rate_makes_the_difference_undefined():
    for function in (largest_difference, sum_of_differences):
        assert np.isnan(function(counts((0, 0), (1, 2)))).all()
    assert np.isnan(smallest_ratio(*counts((0, 9), (0, 9)))).all()
    assert np.isnan(balanced_interval([(0, 0), (1, 2)])).all()


@pytest.mark.parametrize("rates", [[0.3] * 8, [0.3, 0.35, 0.5], [0.02, 0.6], [0.1, 0.1, 0.1, 0.2, 0.9]])
def test_intervals_cover_the_truth(rates):
    random, trials = np.random.default_rng(0), np.array([40, 200, 90, 60, 400, 30, 100, 80])[: len(rates)]
    difference, ratio = max(rates) - min(rates), min(rates) / max(rates)
    held = np.zeros(2)
    for _ in range(400):
        successes = random.binomial(trials, rates)
        _, low, high = largest_difference((successes, trials))
        held[0] += low <= difference <= high
        _, low, high = smallest_ratio(successes, trials)
        held[1] += low <= ratio <= high
    assert (held >= 0.93 * 400).all()


def test_fifty_equal_groups_are_not_said_to_differ():
    random, trials = np.random.default_rng(1), np.full(50, 300)
    found = [largest_difference((random.binomial(trials, 0.4), trials)) for _ in range(40)]
    assert sum(low > 0 for _, low, _ in found) <= 3 and min(value for value, _, _ in found) > 0.05


def test_a_tiny_group_makes_the_interval_wide():
    value, low, high = largest_difference(counts((300, 1000), (3, 3)))
    assert value == pytest.approx(0.7) and low < 0.2 and high > 0.7
    assert smallest_ratio(*counts((300, 1000), (3, 3)))[2] > 0.6


def test_ratios_stay_between_zero_and_one():
    random = np.random.default_rng(2)
    for _ in range(500):
        trials = random.integers(1, 30, size=4)
        value, low, high = smallest_ratio(random.binomial(trials, random.random(4)), trials)
        assert np.isnan(value) or 0 <= low <= value + 1e-12 <= high + 2e-12 <= 1 + 3e-12
