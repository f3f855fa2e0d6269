"""The booster against scikit-learn and against a plain loop over people; its options; what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from scripts.boosting import fair, kernel
from scripts.boosting.fair import Rows, Settings, chosen_round, fit, violation
from scripts.boosting.plain import adafair
from scripts.boosting.stumps import Columns
from scripts.common.errors import UserError
from scripts.common.metrics import equalized_odds_sum
from tests.boosting.synthetic import CATEGORICAL, NUMERIC, coded


def one_hot(frame):
    """Return the features with a column per category, as the plain loop wants them."""
    parts = [frame[NUMERIC].to_numpy(float)]
    parts += [(frame[[name]].to_numpy() == np.unique(frame[name])).astype(float) for name in CATEGORICAL]
    return np.hstack(parts)


def test_adaboost_is_that_of_scikit_learn():
    columns, rows, frame = coded(600)
    ours = fit(columns, rows, Settings("none", 15, csb=1)).ensemble
    theirs = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=15).fit(one_hot(frame), rows.y)
    np.testing.assert_allclose(ours.alpha, theirs.estimator_weights_, rtol=1e-10)
    assert ((ours.votes(rows.codes) > 0) == theirs.predict(one_hot(frame))).all()


@pytest.mark.parametrize("notion", ["DM", "SP", "EOpp"])
@pytest.mark.parametrize("csb", [1, 2])
@pytest.mark.parametrize("rule", ["as_released", "corrected"])
def test_adafair_is_that_of_a_plain_loop_over_people(notion, csb, rule):
    columns, rows, frame = coded(500, seed=3)
    history = fit(columns, rows, Settings(notion, 25, rule, csb))
    _, alphas, theta = adafair(one_hot(frame), rows.y, rows.groups[:, 0], notion, 25, csb, rule == "as_released")
    np.testing.assert_allclose(history.ensemble.alpha, alphas, rtol=1e-9)
    assert chosen_round(history) == theta


@pytest.fixture
def set_costs(monkeypatch):
    """Return the rule of costs as plain Python, which needs no compiling."""
    monkeypatch.setattr(kernel, "gaps_of", kernel.gaps_of.py_func)
    return kernel.set_costs.py_func


def test_the_two_cost_rules_differ_where_the_signs_of_the_differences_do(set_costs):
    counts = np.array([[[5, 5], [4, 6]], [[9, 1], [2, 8]]])  # others have the higher TPR and TNR
    counts[0], counts[1] = [[9, 1], [6, 4]], [[5, 5], [4, 6]]  # TPR of others higher, TNR lower
    sides = np.array([[0], [1]], np.int8)
    found = {}
    for released in (True, False):
        kept, costs = np.ones((1, 2, 2)), np.ones((2, 2))
        set_costs(counts, sides, kernel.MISTREATMENT, released, False, kept, costs)
        found[released] = costs.copy()
    assert found[True][0, 1] == found[False][0, 1] == pytest.approx(1.2)  # protected positives
    assert found[True][1, 0] == 1 and found[False][1, 0] == pytest.approx(1.4)  # others' negatives


def test_stale_costs_stay_and_fresh_ones_do_not(set_costs):
    behind, ahead = np.array([[[9, 1], [6, 4]], [[9, 1], [4, 6]]]), np.array([[[9, 1], [4, 6]], [[9, 1], [6, 4]]])
    sides = np.array([[0], [1]], np.int8)
    for stale, expected in ((True, 1.2), (False, 1.0)):
        kept, costs = np.ones((1, 2, 2)), np.ones((2, 2))
        for counts in (behind, ahead):
            set_costs(counts, sides, kernel.OPPORTUNITY, False, stale, kept, costs)
        assert costs[0, 1] == pytest.approx(expected) and costs[1, 1] == pytest.approx(1.2)


def test_with_several_attributes_a_mistake_costs_the_most_that_any_attribute_asks(set_costs):
    counts = np.zeros((4, 2, 2), np.int64)
    counts[:, 0] = [8, 2]
    counts[:, 1] = [[8, 2], [4, 6], [6, 4], [2, 8]]  # TPR .2 .6 .4 .8 by (first, second)
    sides = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.int8)
    kept, costs = np.ones((2, 2, 2)), np.ones((4, 2))
    set_costs(counts, sides, kernel.MISTREATMENT, False, False, kept, costs)
    np.testing.assert_allclose(costs[:, 1], [1.4, 1.2, 1.4, 1.0])  # first attribute asks .2, second .4
    assert (costs[:, 0] == 1).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), attributes=st.integers(1, 2))
def test_weights_sum_to_one_and_every_person_is_counted_every_round(seed, attributes):
    columns, rows, _ = coded(120, seed, attributes)
    history = fit(columns, rows, Settings("DM", 8, "corrected"))
    np.testing.assert_allclose(history.masses.sum((1, 2)), 1)
    axes = tuple(range(1, history.together.ndim))
    assert (history.together.sum(axes) == 120).all() and (history.alone.sum(axes) == 120).all()


def test_the_last_counts_are_those_of_the_ensemble_and_the_violation_is_the_shared_metric():
    columns, rows, _ = coded(300)
    history = fit(columns, rows, Settings("DM", 9))
    said = history.ensemble.votes(rows.codes) > 0
    expected = [
        [[((rows.groups[:, 0] == g) & (rows.y == y) & (said == p)).sum() for p in (0, 1)] for y in (0, 1)]
        for g in (0, 1)
    ]
    assert history.together[-1].tolist() == expected
    assert violation(history.together[-1], "DM") == pytest.approx(equalized_odds_sum(history.together[-1]))


def test_not_cumulative_costs_follow_the_last_stump_alone():
    columns, rows, _ = coded(500, seed=1)
    both = [fit(columns, rows, Settings("DM", 20, csb=1, cumulative=value)) for value in (True, False)]
    assert not np.array_equal(both[0].ensemble.alpha, both[1].ensemble.alpha)
    fair_alone = violation(both[1].alone, "DM")
    fair_alone[0] = 1.0
    tpr, tnr = both[1].together[:, :, 1].sum(1), both[1].together[:, :, 0].sum(1)
    ber = 1 - (tpr[:, 1] / tpr.sum(1) + tnr[:, 0] / tnr.sum(1)) / 2
    assert chosen_round(both[1]) == np.argmin(ber + fair_alone) + 1


def test_balance_weighs_error_against_balanced_error():
    columns, rows, _ = coded(500, seed=2)
    history = fit(columns, rows, Settings("DM", 30, balance=0.0))
    counts = history.together.sum(1)
    error = (counts[:, 0, 1] + counts[:, 1, 0]) / counts.sum((1, 2))
    gap = violation(history.together, "DM")
    gap[0] = 1.0
    assert chosen_round(history) == np.argmin(error + gap) + 1


def test_held_out_rows_are_what_the_round_is_chosen_on():
    columns, rows, _ = coded(400)
    kept, held = (Rows(rows.codes[own], rows.y[own], rows.groups[own]) for own in (slice(0, 300), slice(300, None)))
    history = fit(columns, kept, Settings("DM", 10), held)
    assert (history.together.sum((1, 2, 3)) == 100).all()
    said = history.ensemble.votes(held.codes) > 0
    assert history.together[-1, :, :, 1].sum() == said.sum()


def test_a_perfect_stump_ends_the_boosting():
    columns, rows, frame = coded(200)
    y = (frame["hours"] > 30).to_numpy(np.int8)
    history = fit(columns, Rows(rows.codes, y, rows.groups), Settings("DM", 50))
    assert len(history.ensemble) == 1 and ((history.ensemble.decision(frame) > 0) == y).all()


def test_without_a_useful_feature_it_says_so():
    _, rows, frame = coded(200)
    flat = Columns.fit(frame.assign(age=1, hours=1, job="x", sex="y"), NUMERIC, CATEGORICAL)
    codes = np.zeros_like(rows.codes)
    with pytest.raises(UserError, match="no stump is better than chance"):
        fit(flat, Rows(codes, rows.y, rows.groups), Settings("DM", 5))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"notion": "EqOdds"}, "no fairness notion 'EqOdds'; there are none, SP, EOpp, DM"),
        ({"notion": "DM", "rule": "fixed"}, "no cost rule 'fixed'"),
        ({"notion": "DM", "csb": 3}, "csb is 1 or 2"),
        ({"notion": "none", "csb": 2}, "csb must be 1"),
        ({"notion": "DM", "balance": 1.5}, "balance parameter"),
        ({"notion": "DM", "rounds": 0}, "rounds must be at least 1"),
    ],
)
def test_wrong_settings_are_named(told, message):
    with pytest.raises(UserError, match=message):
        Settings(**{"rounds": 5, **told})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y, g: (np.ones_like(y), g), "one label only"),
        (lambda y, g: (y * 2, g), "labels are 0 and 1"),
        (lambda y, g: (y, np.zeros_like(g)), r"attribute 1 has the values \[0\]"),
        (lambda y, g: (np.where(g[:, 0] == 1, 1, y).astype(np.int8), g), "group 1 of attribute 1 has one label only"),
    ],
)
def test_rows_that_cannot_be_compared_are_refused(change, message):
    columns, rows, _ = coded(100)
    y, groups = change(rows.y, rows.groups)
    with pytest.raises(UserError, match=message):
        fit(columns, Rows(rows.codes, y, groups), Settings("DM", 5))


def test_a_fit_repeats_bit_by_bit():
    columns, rows, _ = coded(300)
    first, second = (fit(columns, rows, Settings("DM", 20)) for _ in range(2))
    assert first.ensemble.alpha.tobytes() == second.ensemble.alpha.tobytes()
    assert fair.chosen_round(first) == fair.chosen_round(second)
