"""Pseudo-weights, preferences, and what a wrong preference is told."""

import numpy as np
import pytest

from scripts.boosting import fair, mfbpp
from scripts.boosting.fair import History, Settings
from scripts.boosting.preferences import check_preference, chosen, pseudo_weights
from scripts.common.errors import UserError
from tests.boosting.synthetic import coded

FRONT = np.array([[0.0, 1.0], [0.2, 0.4], [1.0, 0.0]])


def test_pseudo_weights_by_hand():
    np.testing.assert_allclose(pseudo_weights(FRONT), [[1, 0], [0.8 / 1.4, 0.6 / 1.4], [0, 1]])
    np.testing.assert_allclose(pseudo_weights(FRONT).sum(1), 1)
    assert pseudo_weights(np.array([[0.5, 1.0], [0.5, 2.0]])).tolist() == [[0, 1], [0.5, 0.5]]


@pytest.mark.parametrize(("preference", "expected"), [([1, 0], 0), ([0.5, 0.5], 1), ([0.1, 0.9], 2), ([0.6, 0.4], 1)])
def test_the_nearest_pseudo_weights_are_chosen(preference, expected):
    assert chosen(FRONT, preference) == expected


def test_without_a_preference_each_objective_counts_by_what_its_pseudo_weight_lacks():
    weights = pseudo_weights(FRONT)
    assert chosen(FRONT, None) == int(np.argmin(((1 - weights) * FRONT).sum(1)))


def test_dominated_undefined_and_forbidden_points_are_no_candidates():
    points = np.vstack([FRONT, [0.3, 0.5], [np.nan, 0.0]])
    assert chosen(points, [0.45, 0.55]) == 1
    assert chosen(points, [0.6, 0.4], np.array([True, False, True, False, True])) in (0, 2)
    with pytest.raises(UserError, match="each one accepts everybody or nobody"):
        chosen(FRONT, None, np.zeros(3, bool))


@pytest.mark.parametrize(
    ("preference", "message"),
    [
        ([0.5, 0.4, 0.2], "must sum to 1; .* sum to 1.1"),
        ([0.6, 0.6, -0.2], "numbers of at least 0"),
        ([np.nan, 0.5, 0.5], "numbers of at least 0"),
        ([0.5, 0.5], "needs 3 weights"),
    ],
)
def test_a_wrong_preference_is_named(preference, message):
    with pytest.raises(UserError, match=f"adult: .*{message}"):
        check_preference(preference, 3, "adult")


def history_of(counts) -> History:
    columns, rows, _ = coded(60, attributes=2)
    own = fair.fit(columns, rows, Settings("DM", 1))
    return History(own.ensemble, own.settings, np.array(counts), np.array(counts), own.masses)


def test_a_constant_round_tempts_the_released_choice_and_not_ours():
    usual = np.array([[[[30, 20], [18, 32]], [[28, 22], [22, 28]]], [[[30, 20], [20, 30]], [[32, 18], [15, 35]]]])
    nobody = np.stack([usual.sum(-1), 0 * usual.sum(-1)], -1)
    history = history_of([usual, nobody])
    everything_on_gaps = [0, 0, 1]
    assert mfbpp.chosen_round(history, everything_on_gaps, guard=False) == 2
    assert mfbpp.chosen_round(history, everything_on_gaps) == 1


def test_mfbpp_chooses_among_the_efficient_rounds():
    columns, rows, _ = coded(600, attributes=2)
    history = fair.fit(columns, rows, Settings("DM", 40, "corrected"))
    theta = mfbpp.chosen_round(history, [0.4, 0.4, 0.2])
    points = mfbpp.objectives(history.together)
    own = points[theta - 1]
    assert not ((points <= own).all(1) & (points < own).any(1)).any()
