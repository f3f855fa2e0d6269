"""Massaging, reweighing and the notebook's procedure on tables small enough to work out by hand."""

import numpy as np
import pandas as pd
import pytest

from scripts.income import reweighing
from scripts.income.literal import new_data, ranked, swap_rows
from scripts.income.massaging import candidates, chosen_swaps, swap_count, swapped

# six men (group 1), four women; the model accepts four men and one woman
GROUP = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
Y = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0])
SCORE = np.array([3.0, 0.5, 2.0, -0.1, 1.0, -2.0, 4.0, -0.2, -3.0, -1.0])


def test_n_by_hand():
    # n = (4 * 4 - 6 * 1) / 10
    assert swap_count(GROUP, SCORE > 0) == 1.0
    assert swap_count(GROUP, Y > 0) == 1.0  # four men and one woman have the label too
    assert swap_count(1 - GROUP, SCORE > 0) == -1.0


def test_n_makes_both_shares_equal():
    random = np.random.default_rng(0)
    group, accepted = random.integers(0, 2, 500), random.random(500) < 0.4
    n = swap_count(group, accepted)
    men, women = (accepted[group == own].sum() for own in (1, 0))
    assert (men - n) / (group == 1).sum() == pytest.approx((women + n) / (group == 0).sum(), abs=1e-12)


def test_the_least_sure_men_are_demoted_and_the_likeliest_women_promoted():
    every = candidates(Y, GROUP, SCORE, demote=1)
    assert every.demoted.tolist() == [3, 1, 2, 0]  # men with label 1, lowest score first
    assert every.promoted.tolist() == [7, 9, 8]  # women with label 0, highest score first
    chosen = chosen_swaps(Y, GROUP, SCORE, share=2)
    assert (chosen.demoted.tolist(), chosen.promoted.tolist()) == ([3, 1], [7, 9])
    assert swapped(Y, chosen).tolist() == [1, 0, 1, 0, 0, 0, 1, 1, 0, 1]
    assert Y.tolist() == [1, 1, 1, 1, 0, 0, 1, 0, 0, 0]  # the labels given are as they were


def test_the_group_that_is_accepted_more_often_is_demoted():
    chosen = chosen_swaps(Y, 1 - GROUP, SCORE)
    assert (chosen.demoted.tolist(), chosen.promoted.tolist()) == ([3], [7])


def test_labels_may_be_counted_in_place_of_predictions():
    score = np.where(GROUP == 1, -1.0, 1.0)  # accepts women alone
    assert chosen_swaps(Y, GROUP, score, count_labels=True).demoted.size == 1
    assert GROUP[chosen_swaps(Y, GROUP, score).demoted].tolist() == [0]  # the one woman with label 1: there is no other


def test_massaged_labels_are_equal_and_keep_their_number():
    random = np.random.default_rng(3)
    group = random.integers(0, 2, 1000)
    y = (random.random(1000) < 0.2 + 0.3 * group).astype(int)
    new = swapped(y, chosen_swaps(y, group, random.normal(size=1000), count_labels=True))
    assert new.sum() == y.sum()
    assert abs(new[group == 1].mean() - new[group == 0].mean()) < 0.004  # n is a whole number


def test_reweighing_by_hand():
    weights = reweighing.weights(Y, GROUP)
    # P(man) P(1) / P(man, 1) = 0.6 * 0.5 / 0.4; man, 0: / 0.2; woman, 1: 0.4 * 0.5 / 0.1; woman, 0: / 0.3
    assert weights == pytest.approx([0.75] * 4 + [1.5] * 2 + [2.0] + [2 / 3] * 3, abs=1e-12)
    assert weights.sum() == pytest.approx(10)
    shares = [np.average(Y[own == GROUP], weights=weights[own == GROUP]) for own in (0, 1)]
    assert shares == pytest.approx([0.5, 0.5], abs=1e-12)


def test_the_notebook_ranks_by_confidence_whatever_the_model_is_confident_of():
    frame = pd.DataFrame({"row": np.arange(10), "y": Y, "group": GROUP, "confidence": 1 / (1 + np.exp(-abs(SCORE)))})
    men, women = ranked(frame)
    assert men.row.tolist() == [3, 1, 2, 0]
    assert women.row.tolist() == [8, 9, 7]  # the woman whom the model rejects most surely comes first


def test_the_notebooks_swap_changes_copies_of_rows_and_no_label():
    def tables():
        rows = {"row": [0, 1, 2], "confidence": [0.6, 0.7, 0.8]}
        return pd.DataFrame({**rows, "y": [1, 1, 1]}), pd.DataFrame({**rows, "y": [0, 0, 0]})

    men, women = tables()
    swap_rows(men, women, 2, works=False)
    assert (men.y.tolist(), women.y.tolist()) == ([1, 1, 1], [0, 0, 0])
    swap_rows(men, women, 2, works=True)
    assert (men.y.tolist(), women.y.tolist()) == ([0, 0, 1], [1, 1, 0])
    # what the notebook does, one row at a time: the row is a copy
    men, women = tables()
    for place in range(2):
        one, other = men.iloc[place], women.iloc[place]
        with pd.option_context("mode.chained_assignment", None):
            one["y"], other["y"] = other["y"], one["y"]
    assert (men.y.tolist(), women.y.tolist()) == ([1, 1, 1], [0, 0, 0])


def test_the_notebooks_new_data_are_men_with_label_1_and_women_with_label_0():
    rows = np.arange(10) + 100
    left, y, n = new_data(rows, Y, GROUP, SCORE, works=False)
    assert n == 1 and sorted(left) == [100, 101, 102, 103, 107, 108, 109]
    assert np.array_equal(y, GROUP[left - 100])  # the label is the sex
    left, y, n = new_data(rows, Y, GROUP, SCORE, works=True)
    assert (y != GROUP[left - 100]).sum() == 2 * n
