"""Scores against labels: exact small cases, all tables of a small size, and what is refused."""

import itertools
import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.common.metrics import count_table, f1_score
from scripts.common.scores import brier_score, roc_auc, roc_auc_interval


def pairs_won(y, score):
    """AUC by its definition, over all pairs of a positive and a negative."""
    rows = list(zip(y, score, strict=True))
    wins = [Fraction((p > q) * 2 + (p == q), 2) for a, p in rows for b, q in rows if a > b]
    return sum(wins) / len(wins)


def test_exact_small_cases():
    assert roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 3 / 4
    assert roc_auc([0, 1, 1], [5, 5, 5]) == 1 / 2
    assert roc_auc([1, 0], [-math.inf, math.inf]) == 0
    assert brier_score([1, 0, 1], [1.0, 0.5, 0.5]) == pytest.approx(1 / 6, abs=1e-15)
    assert f1_score(count_table([1, 1, 0, 0, 0], [1, 0, 1, 1, 0])) == 2 / 5  # TP 1, FN 1, FP 2


def test_all_small_lists_equal_the_count_of_pairs():
    for y in itertools.product([0, 1], repeat=4):
        for score in itertools.product([0.0, 0.5, 1.0], repeat=4):
            if 0 < sum(y) < 4:
                assert roc_auc(y, score) == float(pairs_won(y, score))


def test_an_increasing_map_of_the_score_and_an_exchange_of_the_labels():
    random = np.random.default_rng(0)
    y, score = random.integers(2, size=200), random.integers(20, size=200)
    assert roc_auc(y, np.exp(score)) == roc_auc(y, score)
    assert roc_auc(1 - y, score) == pytest.approx(1 - roc_auc(y, score), abs=1e-15)


def test_what_is_undefined_is_nan():
    assert math.isnan(roc_auc([1, 1], [0.1, 0.2])) and math.isnan(roc_auc([], [])) and math.isnan(brier_score([], []))
    assert math.isnan(f1_score(np.array([[3, 0], [0, 0]])))


@pytest.mark.parametrize(
    ("function", "y", "score", "message"),
    [
        (roc_auc, [0, 1], [0.5], r"shapes \(2,\) and \(1,\)"),
        (roc_auc, [-1, 1], [0.5, 0.1], "0 or 1, got -1"),
        (brier_score, [0, 1], [0.5, math.nan], "1 of 2 scores are missing"),
        (brier_score, [0, 1], [0.5, 1.5], "between 0 and 1, got 1.5"),
    ],
)
def test_what_is_refused(function, y, score, message):
    with pytest.raises(UserError, match=message):
        function(y, score)


def test_the_interval_of_an_area_solves_its_equation_and_is_symmetric():
    low, high = roc_auc_interval(0.8, 40, 60)
    for end in (low, high):
        q1, q2 = end / (2 - end), 2 * end**2 / (1 + end)  # Hanley and McNeil 1982, with 49 for both numbers less one
        variance = (end * (1 - end) + 49 * (q1 - end**2) + 49 * (q2 - end**2)) / (40 * 60)
        assert (end - 0.8) ** 2 == pytest.approx(1.959963984540054**2 * variance, rel=1e-9)
    assert roc_auc_interval(0.2, 60, 40) == pytest.approx((1 - high, 1 - low), abs=1e-12)
    assert roc_auc_interval(1.0, 10, 10)[1] == 1 and 0.7 < roc_auc_interval(1.0, 10, 10)[0] < 0.9
    assert all(math.isnan(end) for end in (*roc_auc_interval(0.5, 0, 3), *roc_auc_interval(math.nan, 3, 3)))


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0])
def test_the_interval_of_an_area_holds_the_truth(shift):
    random, hits, truth = np.random.default_rng(1), 0, NormalDist().cdf(shift / math.sqrt(2))
    y = np.repeat([0, 1], 40)
    for _ in range(400):
        low, high = roc_auc_interval(roc_auc(y, random.normal(size=80) + shift * y), 40, 40)
        hits += low <= truth <= high
    assert 0.92 < hits / 400 < 0.985
