"""Distributions, associations and the classifier of synthetic rows: by hand, against scipy, and on known cases."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.stats.contingency import association, crosstab

from scripts.common.errors import UserError
from scripts.common.mixed_table import MISSING
from scripts.common.synthetic_quality import (
    association_distance,
    associations,
    kolmogorov_smirnov,
    marginal_distance,
    marginal_distances,
    total_variation,
)
from scripts.common.two_sample_classifier import real_synthetic_roc_auc
from tests.common.mixed_tables import drawn, table


def test_marginals_by_hand():
    real = table([[1, 2, 3, 4]], [[0, 0, 1, 2]], [4])
    synthetic = table([[3, 3, 5, 6]], [[0, 1, 1, 3]], [4])
    # numbers: after 2 half of the real rows and no synthetic one; categories: (1/4 + 1/4 + 1/4 + 1/4) / 2
    assert marginal_distances(real, synthetic) == {"n0": 0.5, "c0": 0.5}
    assert marginal_distance(real, synthetic) == 0.5
    assert marginal_distance(real, real) == 0
    assert math.isnan(marginal_distance(real, synthetic.take(np.arange(0))))


@pytest.mark.parametrize("decimals", [1, 15])  # with and without ties
def test_kolmogorov_smirnov_equals_scipy(decimals):
    random = np.random.default_rng(decimals)
    first, second = random.normal(size=70).round(decimals), random.normal(0.3, 2, size=41).round(decimals)
    assert kolmogorov_smirnov(first, second) == pytest.approx(stats.ks_2samp(first, second).statistic, abs=1e-12)


def test_total_variation_is_the_largest_difference_over_sets_of_categories():
    random = np.random.default_rng(0)
    first, second = random.integers(4, size=50), random.integers(3, size=30)
    sets = [[code for code in range(5) if bits >> code & 1] for bits in range(32)]
    largest = max(np.isin(first, codes).mean() - np.isin(second, codes).mean() for codes in sets)
    assert total_variation(first, second, 5) == pytest.approx(largest, abs=1e-12)


def test_associations_by_hand():
    # the second number is -2 times the first and c1 renames c0; the first has mean 7/4, and means 1, 5/2 by c0, 3/2, 2
    # by c2, so sums of squares of 9/4 and 1/4 between the categories of all 11/4
    found = associations(table([[1, 1, 2, 3], [-2, -2, -4, -6]], [[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]], [2, 3, 2]))
    a, b = math.sqrt(9 / 11), math.sqrt(1 / 11)
    expected = [[1, -1, a, a, b], [-1, 1, a, a, b], [a, a, 1, 1, 0], [a, a, 1, 1, 0], [b, b, 0, 0, 1]]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_associations_equal_scipy():
    rows = drawn(200, 1)
    found, (a, b), (c, d) = associations(rows), rows.numeric.T, rows.codes.T
    assert found[0, 1] == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-12)
    assert found[2, 3] == pytest.approx(association(crosstab(c, d).count, method="cramer"), abs=1e-12)
    groups = [a[d == code] for code in range(4)]
    f = stats.f_oneway(*groups).statistic  # F = eta^2 / (1 - eta^2) * (n - k) / (k - 1)
    assert found[0, 3] ** 2 / (1 - found[0, 3] ** 2) * 196 / 3 == pytest.approx(f, rel=1e-10)
    assert (found == found.T).all()


def test_categories_that_do_not_occur_and_constant_columns():
    rows = drawn(100, 2)
    wider = table(rows.numeric.T, rows.codes.T, [2, 9])
    np.testing.assert_allclose(associations(wider), associations(rows), atol=1e-12)
    constant = table([[5.1] * 3, [1, 2, 4]], [[1, 1, 1], [0, 1, 2]], [2, 3])
    assert associations(constant)[[0, 2]].tolist() == [[0] * 4] * 2
    assert math.isnan(association_distance(table([[1, 2]]), table([[1, 2]])))


def test_association_distance_by_hand():
    rising, falling = table([[1, 2, 3], [1, 2, 3]]), table([[1, 2, 3], [3, 2, 1]])
    assert association_distance(rising, falling) == pytest.approx(2)
    assert association_distance(rising, rising) == 0
    with_constant = table([[1, 2, 3], [1, 2, 3], [7, 7, 7]]), table([[1, 2, 3], [3, 2, 1], [7, 7, 7]])
    assert association_distance(*with_constant) == pytest.approx(2 / 3)


def test_a_classifier_recognises_what_differs_and_nothing_else():
    same = [real_synthetic_roc_auc(drawn(300, seed), drawn(300, 1000 + seed), seed) for seed in range(20)]
    assert np.mean([value for value, _, _ in same]) == pytest.approx(0.5, abs=0.03)  # sd .04 / sqrt 20, three of them
    assert sum(low <= 0.5 <= high for _, low, high in same) >= 17
    value, low, high = real_synthetic_roc_auc(drawn(300, 1), drawn(300, 2, shift=6.0), 0)
    assert value > 0.99 and low > 0.95 and high <= 1


def test_a_classifier_sees_a_changed_dependence_that_the_columns_do_not_show():
    real, random = drawn(600, 3), np.random.default_rng(0)
    synthetic = table([random.permutation(column) for column in real.numeric.T], real.codes.T, [2, 4])
    assert marginal_distance(real, synthetic) == 0
    assert real_synthetic_roc_auc(drawn(600, 4), synthetic, 0)[1] > 0.6


def test_the_classifier_judges_rows_that_it_has_not_seen():
    random = np.random.default_rng(0)
    noise = [table(random.normal(size=(20, 60))) for _ in range(2)]  # a model of 120 rows knows them by heart
    value, low, high = real_synthetic_roc_auc(*noise, 0, rounds=100)
    assert low < 0.5 < high and 0.3 < value < 0.7


def test_the_same_seed_gives_the_same_value_and_few_rows_none():
    real, synthetic = drawn(80, 5), drawn(50, 6, 0.5)
    assert real_synthetic_roc_auc(real, synthetic, 3) == real_synthetic_roc_auc(real, synthetic, 3)
    assert np.isnan(real_synthetic_roc_auc(real, synthetic.take(np.arange(9)), 3)).all()


def test_what_cannot_be_compared_is_refused():
    rows = drawn(20, 0)
    with pytest.raises(UserError, match="differ in their columns or categories"):
        marginal_distance(rows, table(rows.numeric.T, rows.codes.T, [2, 5]))
    gaps = table(rows.numeric.T, rows.codes.T, [2, 4])
    gaps.numeric[3, 1], gaps.codes[4, 0] = np.nan, MISSING
    with pytest.raises(UserError, match="missing in n1, c0"):
        association_distance(rows, gaps)
