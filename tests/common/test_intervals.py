from collections import Counter
from itertools import product
from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scripts.common.errors import UserError
from scripts.common.intervals import (
    absolute_interval,
    bootstrap_counts,
    bootstrap_interval,
    bootstrap_metrics,
    bootstrap_weights,
    difference_of_proportions,
    paired_difference,
    percentile_interval,
    proportion_interval,
    stacked_intervals,
)
from scripts.common.metrics import RATES, count_table, equalized_odds_difference, signed

SEXES = {"men": 1, "women": 0}
SOME = {name: RATES[name] for name in ("accuracy", "false_negative_rate")}


def people(n, seed=0, quality=0.7):
    random = np.random.default_rng(seed)
    male, y_true = random.integers(2, size=n), random.integers(2, size=n)
    y_pred = np.where(random.random(n) < quality, y_true, 1 - y_true)
    return y_true, y_pred, male


def test_multinomial_over_cells_is_resampling_of_rows():
    """All 5^5 equally likely resamples of five rows give exactly the multinomial law over three cells."""
    cells = [0, 0, 1, 2, 2]
    drawn = Counter(tuple(np.bincount([cells[i] for i in pick], minlength=3)) for pick in product(range(5), repeat=5))
    shares = np.bincount(cells) / 5
    for table, times in drawn.items():
        ways = factorial(5) / prod(factorial(k) for k in table)
        assert times / 5**5 == pytest.approx(ways * prod(shares**table), abs=1e-12)


def test_bootstrap_counts_has_the_moments_of_a_multinomial():
    counts = count_table(*people(200))
    samples = bootstrap_counts(counts, 20000, seed=1)
    assert samples.shape == (20000, 2, 2, 2) and (samples.sum((1, 2, 3)) == 200).all()
    share = counts.ravel() / 200
    covariance = 200 * (np.diag(share) - np.outer(share, share))
    flat = samples.reshape(20000, 8)
    np.testing.assert_allclose(flat.mean(0), counts.ravel(), atol=5 * np.sqrt(200 / 4 / 20000))
    np.testing.assert_allclose(np.cov(flat.T), covariance, atol=1.2)
    assert (bootstrap_counts(counts, 5, seed=1) == bootstrap_counts(counts, 5, seed=1)).all()
    assert bootstrap_counts(np.zeros((2, 2), int), 3, seed=0).tolist() == np.zeros((3, 2, 2)).tolist()


def test_weights_and_counts_agree_in_law():
    y_true, y_pred, male = people(300)
    weights = bootstrap_weights(300, 4000, seed=2)
    assert weights.shape == (4000, 300) and (weights.sum(1) == 300).all()
    by_rows = (weights * (y_true == y_pred)).sum(1) / 300
    by_cells = RATES["accuracy"](bootstrap_counts(count_table(y_true, y_pred, male).sum(0), 4000, seed=3))
    assert by_rows.mean() == pytest.approx(by_cells.mean(), abs=0.003)
    assert by_rows.std() == pytest.approx(by_cells.std(), rel=0.06)
    assert stats.ks_2samp(by_rows, by_cells).pvalue > 0.01


def test_wilson_published_example_and_ends():
    low, high = proportion_interval(81, 263)  # Newcombe 1998, table I of the one-sample paper
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert proportion_interval(0, 20)[0] == 0 and proportion_interval(20, 20)[1] == 1
    assert np.isnan(proportion_interval(0, 0)).all()


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.5, 0.999))
def test_wilson_equals_scipy(successes, n, level):
    successes = min(successes, n)
    oracle = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    assert proportion_interval(successes, n, level) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_newcombe_published_examples():
    # Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10
    for counts, expected in [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ]:
        assert difference_of_proportions(*counts) == pytest.approx(expected, abs=5e-5)
    assert np.isnan(difference_of_proportions(1, 2, 0, 0)).all()
    assert difference_of_proportions(np.array([9, 56]), np.array([10, 70]), 3, 10)[0].shape == (2,)


def test_absolute_interval():
    low, high = absolute_interval([-0.1, 0.02, -0.3, 0.0], [0.2, 0.1, -0.1, 0.1])
    assert low.tolist() == [0.0, 0.02, 0.1, 0.0] and high.tolist() == [0.2, 0.1, 0.3, 0.1]


def test_undefined_replicates_are_left_out():
    samples = np.array([[0.0, np.nan], [1.0, np.nan], [np.nan, np.nan]])
    low, high = percentile_interval(samples)
    assert low[0] == pytest.approx(0.025) and high[0] == pytest.approx(0.975)
    assert np.isnan([low[1], high[1]]).all()


def test_bootstrap_metrics_table():
    counts = count_table(*people(500))
    table = bootstrap_metrics(counts, SEXES, replicates=2000, seed=5, attribute="sex").set_index(["metric", "subgroup"])
    assert len(table) == len(RATES) * 4
    assert ((table["ci_low"] <= table["value"]) & (table["value"] <= table["ci_high"])).all()
    assert table.loc[("accuracy", "all"), "n"] == 500
    assert table.loc[("false_negative_rate", "men"), "n"] == counts[1, 1].sum()  # false negatives rest on the positives
    assert table.loc[(signed("false_negative_rate"), "all"), "n"] == counts[:, 1].sum()
    accuracy = table.loc[("accuracy", "all")]
    wilson = proportion_interval(round(accuracy["value"] * 500), 500)
    assert (accuracy["ci_low"], accuracy["ci_high"]) == pytest.approx(wilson, abs=0.006)
    fnr = table.loc[(signed("false_negative_rate"), "all")]
    parts = [int(counts[1, 1, 0]), int(counts[1, 1].sum()), int(counts[0, 1, 0]), int(counts[0, 1].sum())]
    assert (fnr["ci_low"], fnr["ci_high"]) == pytest.approx(difference_of_proportions(*parts), abs=0.012)


def test_constant_classifier_has_intervals_with_a_width():
    y_true, _, male = people(200)
    counts = count_table(y_true, np.zeros(200, int), male)
    table = bootstrap_metrics(counts, SEXES, replicates=500, seed=0, attribute="sex").set_index(["metric", "subgroup"])
    fnr = table.loc[("false_negative_rate", "men")]
    assert fnr["value"] == 1 and fnr["ci_high"] == 1 and fnr["ci_low"] == proportion_interval(fnr["n"], fnr["n"])[0] < 1
    gap = table.loc[(signed("false_negative_rate"), "all")]
    assert gap["value"] == 0 and gap["ci_low"] < 0 < gap["ci_high"]
    ppv = table.loc[("positive_predictive_value", "all")]
    assert np.isnan(ppv[["value", "ci_low", "ci_high"]].astype(float)).all() and ppv["n"] == 0


def test_bootstrap_interval_of_a_summary():
    counts = count_table(*people(400))
    value, low, high = bootstrap_interval(counts, equalized_odds_difference, 1000, seed=1)
    assert value == equalized_odds_difference(counts) and low < value < high


def test_coverage_of_the_bootstrap_and_of_wilson():
    """95 % intervals hold the truth in 93 to 97 % of simulated data sets (standard error 0.9 points)."""
    law = np.array([[[0.2, 0.05], [0.1, 0.15]], [[0.15, 0.1], [0.05, 0.2]]])  # [sex, label, prediction]
    truth = {(m, s): None for m in SOME for s in ("all", "men")} | {(signed(m), "all"): None for m in SOME}
    truth = {key: value for key, value in _rates(law).items() if key in truth}
    random = np.random.default_rng(0)
    inside = Counter()
    for trial in range(600):
        counts = random.multinomial(400, law.ravel()).reshape(2, 2, 2)
        table = bootstrap_metrics(counts, SEXES, 400, seed=trial, rates=SOME, attribute="sex")
        for row in table.itertuples():
            if (row.metric, row.subgroup) in truth:
                inside[row.metric, row.subgroup] += row.ci_low <= truth[row.metric, row.subgroup] <= row.ci_high
    for key, hits in inside.items():
        assert 0.92 <= hits / 600 <= 0.975, (key, hits / 600)


def _rates(law):
    counts = np.round(law * 10**6).astype(int)
    table = bootstrap_metrics(counts, SEXES, 2, seed=0, rates=SOME, attribute="sex")
    return {(row.metric, row.subgroup): row.value for row in table.itertuples()}


def test_paired_difference_equals_weighting_the_same_rows():
    y_true, a, male = people(600, seed=1)
    b = np.where(np.random.default_rng(9).random(600) < 0.9, a, 1 - a)  # agrees with A on 90 % of rows
    table = paired_difference(y_true, a, b, male, SEXES, 4000, seed=3, rates=SOME, attribute="sex").set_index(
        ["metric", "subgroup"]
    )
    accuracy = table.loc[("accuracy", "all")]
    assert accuracy["value"] == pytest.approx((a == y_true).mean() - (b == y_true).mean(), abs=1e-12)
    assert accuracy["n"] == 600 and table.loc[("false_negative_rate", "men"), "n"] == (male == 1).sum()
    weights = bootstrap_weights(600, 4000, seed=4)
    by_rows = weights @ ((a == y_true).astype(int) - (b == y_true).astype(int)) / 600
    oracle = np.quantile(by_rows, [0.025, 0.975])
    assert accuracy[["ci_low", "ci_high"]].tolist() == pytest.approx(oracle.tolist(), abs=0.004)
    men, women = ((male == code) & (y_true == 1) for code in (1, 0))
    gap = [((p == 0) & men).sum() / men.sum() - ((p == 0) & women).sum() / women.sum() for p in (a, b)]
    assert table.loc[(signed("false_negative_rate"), "all"), "value"] == pytest.approx(gap[0] - gap[1], abs=1e-12)


def test_pairing_narrows_the_interval():
    y_true, a, male = people(600, seed=1)
    b = a.copy()
    b[:30] = 1 - b[:30]
    paired = paired_difference(y_true, a, b, male, SEXES, 2000, seed=3, rates=SOME, attribute="sex").iloc[0]
    alone = bootstrap_metrics(count_table(y_true, a, male), SEXES, 2000, seed=3, rates=SOME, attribute="sex").iloc[0]
    assert paired["ci_high"] - paired["ci_low"] < 0.7 * (alone["ci_high"] - alone["ci_low"])


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_model_does_not_differ_from_itself(seed):
    y_true, a, male = people(60, seed)
    table = paired_difference(y_true, a, a, male, SEXES, 50, seed=seed, rates=SOME, attribute="sex")
    assert (table[["value", "ci_low", "ci_high"]] == 0).all(axis=None)


def test_paired_difference_of_unlike_lengths_is_one_clear_line():
    with pytest.raises(UserError, match=r"differ in length: .*'y_pred_b': \(1,\)"):
        paired_difference([0, 1], [0, 1], [0], [0, 1], SEXES, 10, seed=0, attribute="sex")


def test_intervals_of_many_metrics_at_once_are_those_of_each_alone():
    random = np.random.default_rng(4)
    samples = {name: random.random(300) for name in "abc"}
    samples["now and then undefined"] = np.where(random.random(300) < 0.1, np.nan, random.random(300))
    together = stacked_intervals(samples)
    for name, own in samples.items():
        assert together[name] == tuple(float(end) for end in percentile_interval(own))
