"""Bounds and intervals against brute force, the tables of the reference, and simulated truth."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.intervals import difference_of_proportions
from scripts.common.leakage import bounds
from scripts.common.leakage.identities import best_map_by_trying, broken, table
from scripts.common.leakage.significance import permutation_p_value
from scripts.leakage.leakage_checks import COLUMNS, COVERAGE, coverage_rows


@pytest.mark.parametrize(
    ("method", "bins", "epsilon", "rows"),
    [
        ("labels", 5, 0.1, 300),
        ("labels", 5, 0.01, 29_958),
        ("thresholds", 5, 0.1, 877),
        ("thresholds", 5, 0.02, 21_911),
        ("bins", 5, 0.1, 1419),
        ("bins", 20, 0.05, 14_042),
    ],
)
def test_rows_to_certify_are_those_of_the_reference(method, bins, epsilon, rows):
    assert bounds.rows_needed(method, epsilon, bins) == rows


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("m", [1, 2, 3])
def test_the_formula_is_the_best_of_all_maps(m, k):
    random = np.random.default_rng(10 * m + k)
    for _ in range(20):
        groups = np.concatenate([np.arange(k), random.integers(k, size=60)])
        outputs = random.integers(m, size=len(groups))
        best = best_map_by_trying(outputs, groups, k)
        assert bounds.best_accuracy(table(outputs, groups, k)) == pytest.approx(best, abs=1e-12)
        assert broken(outputs, groups, k, attack_accuracy=best) == []


def test_a_broken_identity_is_seen():
    groups, outputs = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 0, 1, 1])
    assert broken(outputs, groups, 2, 2 / 3) == []
    assert "more than the possible" in broken(outputs, groups, 2, 0.7)[0]
    assert "none of" in broken(outputs, groups, 2, 0.6)[0]


def test_multi_class_labels_are_not_judged_by_one_class():
    """Reference: the selection of label 1 differs by 0.5 where the total variation is 1."""
    counts = np.array([[2, 0], [2, 4], [0, 0]]) + np.array([[0, 0], [-2, -2], [2, 2]])
    assert bounds.best_accuracy(counts) == (1 + bounds.total_variation(counts)) / 2
    assert bounds.best_accuracy(counts) != (1 + bounds.parity_gap(counts[:2])) / 2


def test_for_two_groups_the_interval_is_newcombes():
    hits, sizes = np.array([29, 40]), np.array([50, 1000])
    low, high = difference_of_proportions(hits[1], sizes[1], sizes[0] - hits[0], sizes[0])
    assert bounds.accuracy_interval(hits, sizes) == pytest.approx(((1 + low) / 2, (1 + high) / 2), abs=1e-12)


def test_newcombe_covers_and_wald_fails_the_same_test():
    rows = pd.DataFrame(coverage_rows(4000), columns=COLUMNS)
    found = rows.groupby(["metric", "condition"])["value"].min()
    least = {name: found["interval_coverage", f"interval={name}"] for name in ("newcombe", "wald")}
    assert len(COVERAGE) == 4 and least["newcombe"] >= 0.93 and least["wald"] < 0.93
    assert found["interval_width", "interval=wald"] == 0 < found["interval_width", "interval=newcombe"]


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_an_upper_bound_of_the_gap_holds_often_enough(gap):
    random = np.random.default_rng(3)
    sizes, rates, missed = np.array([80, 300]), np.array([0.4, 0.4 + gap]), 0
    for _ in range(1000):
        ones = random.binomial(sizes, rates)
        missed += bounds.gap_upper(np.stack([sizes - ones, ones])) < gap
    assert missed <= 50


def test_halving_the_rows_never_certifies_more():
    random = np.random.default_rng(5)
    for _ in range(200):
        sizes = random.integers(40, 4000, size=2) * 2
        ones = random.binomial(sizes, 0.3)
        whole, half = np.stack([sizes - ones, ones]), np.stack([sizes - ones, ones]) / 2
        assert bounds.gap_upper(half) >= bounds.gap_upper(whole)
        assert bounds.threshold_error(sizes / 2) > bounds.threshold_error(sizes)
        assert bounds.binned_error(sizes / 2, 5) > bounds.binned_error(sizes, 5)


def test_the_exact_p_value_is_that_of_permutations():
    random = np.random.default_rng(1)
    groups = np.repeat([0, 1], [12, 20])
    guessed = np.where(random.random(32) < 0.7, groups, 1 - groups)
    observed = np.mean([(guessed[groups == g] == g).mean() for g in (0, 1)])
    drawn = []
    for _ in range(4000):
        shuffled = random.permutation(groups)
        drawn.append(np.mean([(guessed[shuffled == g] == g).mean() for g in (0, 1)]))
    simulated = np.mean(np.array(drawn) >= observed - 1e-12)
    assert permutation_p_value(guessed, groups, 2, 0) == pytest.approx(simulated, abs=0.02)


def test_more_groups_draw_tables():
    random = np.random.default_rng(2)
    groups = random.integers(3, size=300)
    assert permutation_p_value(groups, groups, 3, 0) < 0.001
    assert permutation_p_value(random.integers(3, size=300), groups, 3, 0) > 0.01


def test_the_odds_prediction_is_exact_under_equalized_odds():
    y_true = np.repeat([0, 1, 0, 1], [60, 20, 30, 40])
    group = np.repeat([0, 0, 1, 1], [60, 20, 30, 40])
    y_pred = np.concatenate(
        [np.arange(n) < n * rate for n, rate in ((60, 0.1), (20, 0.8), (30, 0.1), (40, 0.8))]
    ).astype(int)
    predicted, gap = bounds.odds_prediction(y_true, y_pred, group)
    assert gap == pytest.approx(0) and predicted == pytest.approx(
        bounds.best_accuracy(table(y_pred, group, 2)), abs=1e-12
    )
