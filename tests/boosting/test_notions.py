"""Notions along several attributes against fairlearn and against small cases by hand."""

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.boosting import notions
from scripts.boosting.fair import signed_gaps
from scripts.boosting.mfbpp import not_constant, objectives
from scripts.common.errors import UserError
from scripts.common.metrics import RATES, count_table


def people(seed: int, rows: int = 400, attributes: int = 2):
    random = np.random.default_rng(seed)
    groups = random.integers(0, 2, (rows, attributes))
    y, said = random.integers(0, 2, (2, rows))
    return y, said, groups, count_table(y, said, *groups.T, sizes=[2] * attributes)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_gaps_are_those_of_fairlearn(seed):
    y, said, groups, counts = people(seed)
    for k in range(2):
        told = {"y_true": y, "y_pred": said, "sensitive_features": groups[:, k]}
        tpr = theirs.MetricFrame(metrics=theirs.true_positive_rate, **told).difference()
        fpr = theirs.MetricFrame(metrics=theirs.false_positive_rate, **told).difference()
        parity = theirs.demographic_parity_difference(**told)
        assert notions.gap(counts, 2, k, notions.PARITY) == pytest.approx(parity, abs=1e-12)
        assert notions.gap(counts, 2, k, notions.ODDS) == pytest.approx(
            theirs.equalized_odds_difference(**told), abs=1e-12
        )
        assert notions.gap(counts, 2, k, notions.ODDS_SUM) == pytest.approx(tpr + fpr, abs=1e-12)
        assert notions.gap(counts, 2, k, notions.OPPORTUNITY) == pytest.approx(tpr, abs=1e-12)
    told["sensitive_features"] = pd.DataFrame(groups, columns=["a", "b"])
    cells = theirs.MetricFrame(metrics=theirs.true_positive_rate, **told).difference()
    assert notions.intersectional(counts, 2, RATES["true_positive_rate"], 1) == pytest.approx(cells, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), attributes=st.integers(1, 3))
def test_worst_is_at_most_the_sum_and_combinations_are_at_least_the_worst(seed, attributes):
    *_, counts = people(seed, 800, attributes)
    for notion in notions.GAPS:
        worst, total = (form(counts, attributes, notion) for form in (notions.worst_attribute, notions.additive))
        assert worst <= total + 1e-12 and total <= attributes * worst + 1e-12
    cells = notions.intersectional(counts, attributes, RATES["selection_rate"], 1)
    assert cells >= notions.worst_attribute(counts, attributes, notions.PARITY) - 1e-12
    assert objectives(counts[None])[0, 2] == pytest.approx(notions.worst_attribute(counts, attributes, notions.ODDS))


def test_one_table_and_many_give_the_same():
    many = np.stack([people(seed)[3] for seed in range(3)])
    forms = [
        lambda t: notions.worst_attribute(t, 2, notions.ODDS_SUM),
        lambda t: notions.additive(t, 2, notions.PARITY),
        lambda t: notions.intersectional(t, 2, RATES["true_negative_rate"], 20),
        lambda t: notions.differential_fairness(t, 2, 20),
        lambda t: notions.subgroup_fairness(t, 2, notions.SUBGROUP_PARITY),
        lambda t: notions.subgroup_fairness(t, 2, notions.SUBGROUP_ERRORS),
    ]
    for form in forms:
        np.testing.assert_allclose(form(many), [form(table) for table in many])


def test_a_combination_below_the_minimum_leaves_the_notion_undecided():
    counts = np.full((2, 2, 2, 2), 10)
    counts[0, 1, 1] = [3, 4]  # seven positives
    assert np.isnan(notions.intersectional(counts, 2, RATES["true_positive_rate"], 8))
    assert notions.intersectional(counts, 2, RATES["true_positive_rate"], 7) == pytest.approx(4 / 7 - 0.5)
    assert notions.intersectional(counts, 2, RATES["selection_rate"], 8) == pytest.approx(0.5 - 14 / 27 + 1 / 27)
    assert np.isnan(notions.differential_fairness(counts, 2, 28))
    assert notions.smallest_cell(counts, 2, RATES["true_positive_rate"]) == 7
    counts[0, 1, 1] = 0  # nobody at all: undecided whatever the minimum
    assert np.isnan(notions.intersectional(counts, 2, RATES["true_positive_rate"], 0))


def test_differential_fairness_by_hand():
    counts = np.zeros((2, 2, 2), np.int64)
    counts[0], counts[1] = [[30, 9], [0, 0]], [[15, 24], [0, 0]]
    p = [(9 + 0.5) / 40, (24 + 0.5) / 40]
    expected = max(abs(np.log(p[0] / p[1])), abs(np.log((1 - p[0]) / (1 - p[1]))))
    assert notions.differential_fairness(counts, 1, 1) == pytest.approx(expected)


def test_subgroup_fairness_weighs_by_size_and_looks_at_single_attributes_too():
    counts = np.zeros((2, 2, 2, 2), np.int64)  # all negatives; accepted shares by (a, b)
    for (a, b), (no, yes) in {(0, 0): (90, 10), (0, 1): (90, 10), (1, 0): (50, 50), (1, 1): (70, 30)}.items():
        counts[a, b, 0] = [no, yes]
    # everybody 100/400 = .25; a = 0: .10, half of the people; (1, 0): .50, a quarter
    assert notions.subgroup_fairness(counts, 2, notions.SUBGROUP_PARITY) == pytest.approx(0.15 * 0.5)
    assert notions.subgroup_fairness(counts, 2, notions.SUBGROUP_ERRORS) == pytest.approx(0.15 * 0.5)
    with pytest.raises(UserError, match="no subgroup fairness 'TPR'; there are statistical_parity"):
        notions.subgroup_fairness(counts, 2, "TPR")


def test_sequential_gaps_by_hand():
    counts = np.zeros((2, 2, 3), np.int64)  # a, b, stages passed
    counts[0, 0], counts[0, 1] = [50, 30, 20], [50, 10, 40]  # a = 0: 100 of 200 pass stage 1
    counts[1, 0], counts[1, 1] = [20, 60, 20], [20, 20, 60]  # a = 1: 160 of 200
    found = {key: float(value) for key, value in notions.sequential(counts, (0, 1)).items()}
    assert found[(0,), 1] == pytest.approx(0.8 - 0.5)
    assert found[(1,), 2] == pytest.approx(100 / 130 - 40 / 130)  # among those who passed the first, by b
    assert found[(0,), None] == pytest.approx(80 / 200 - 60 / 200)
    assert found[(1,), None] == pytest.approx(100 / 200 - 40 / 200)
    assert found[(0, 1), None] == pytest.approx(0.6 - 0.2)


def test_a_stage_that_nobody_of_a_group_reaches_has_no_gap():
    counts = np.zeros((2, 2, 3), np.int64)
    counts[0, 0, 0] = counts[0, 1, 2] = counts[1, 1, 2] = 5
    assert np.isnan(notions.sequential(counts, (0, 1))[(1,), 2])


def test_an_unknown_notion_is_named():
    with pytest.raises(UserError, match="no fairness notion 'CDM'; there are demographic_parity_difference, equal"):
        notions.gap(people(0)[3], 2, 0, "CDM")


def test_gaps_keep_their_sign_and_constant_rounds_are_seen():
    *_, counts = people(5)
    gaps = signed_gaps(counts, 2, 0)
    assert abs(gaps["selection_rate"]) == pytest.approx(notions.gap(counts, 2, 0, notions.PARITY))
    nobody, everybody = counts.copy(), counts.copy()
    nobody[..., 0], nobody[..., 1] = counts.sum(-1), 0
    everybody[..., 1], everybody[..., 0] = counts.sum(-1), 0
    assert not_constant(np.stack([nobody, counts, everybody])).tolist() == [False, True, False]
