"""The battery on known laws, and what each attack is chosen by."""

import numpy as np
import pytest

from scripts.common.leakage import attacks
from scripts.leakage.leakage_checks import COLUMNS, KNOWN_LAWS, forest_on_law, power_rows


def test_the_attacks_have_the_power_that_the_laws_allow():
    reached = {}
    for row in power_rows(1):
        reached[row[1]] = dict(zip(COLUMNS, row, strict=True))["value"]
    assert reached["shift"] >= 0.585 - 0.005 and reached["scale"] >= 0.64 and abs(reached["equal"] - 0.5) <= 0.02
    assert all(reached[law] <= best + 0.008 for law, (_, _, best) in KNOWN_LAWS.items())


def test_a_threshold_alone_would_fail_the_scale_law():
    random = np.random.default_rng(0)
    groups = np.arange(40_000) % 2
    scores = random.normal(0, np.where(groups == 1, 2.0, 1.0))
    for upward in (True, False):
        guess = attacks.fit_threshold(scores[:8000], groups[:8000], upward)
        assert attacks.balanced(guess(scores[8000:]), groups[8000:], 2) < 0.6


def test_the_published_attack_is_caught_as_too_weak():
    row, compared = forest_on_law()
    assert dict(zip(COLUMNS, row, strict=True))["value"] < 0.55
    assert compared["ci_low"] > 0  # the interval of the shortfall excludes zero


@pytest.mark.parametrize("upward", [True, False])
def test_youdens_threshold_by_brute_force(upward):
    random = np.random.default_rng(4)
    for _ in range(30):
        scores, groups = random.integers(0, 9, size=40).astype(float), np.arange(40) % 2
        guess = attacks.fit_threshold(scores, groups, upward)
        cuts = np.arange(-0.5, 9.5)
        best = max(attacks.balanced(((scores > cut) == upward).astype(int), groups, 2) for cut in cuts)
        assert attacks.balanced(guess(scores), groups, 2) == pytest.approx(best)


def test_infinite_scores_are_ordered():
    guess = attacks.fit_threshold(np.array([-1e30, -1e30, 1e30, 1e30]), np.array([0, 0, 1, 1]), True)
    assert guess(np.array([-1e30, 0.1, 1e30])).tolist()[::2] == [0, 1]


def test_the_label_attack_is_the_best_map_and_knows_unseen_labels():
    outputs, groups = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 2])
    guess = attacks.fit_label(outputs, groups, 3)
    assert guess(np.array([0, 1, 2, 7])).tolist() == [0, 1, 2, 0]


def test_the_choice_does_not_read_the_judging_rows():
    random = np.random.default_rng(6)
    groups = np.arange(600) % 2
    values = random.normal(size=(600, 1)) + groups[:, None]
    train = np.arange(300)
    spoiled, other = values.copy(), groups.copy()
    spoiled[300:], other[300:] = 0, 1 - groups[300:]
    chosen = [
        attacks.strongest(attacks.battery(v, None, g, 2, 0), train, g, 2)
        for v, g in ((values, groups), (spoiled, other))
    ]
    assert chosen[0][0] == chosen[1][0]
    assert np.array_equal(chosen[0][1](train), chosen[1][1](train))


def test_more_than_two_groups_have_no_threshold():
    groups = np.arange(90) % 3
    names = attacks.battery(np.zeros((90, 1)), None, groups, 3, 0)
    assert list(names) == ["quantile bins", "boosting"]


def test_an_absent_group_has_no_accuracy():
    assert np.isnan(attacks.balanced(np.zeros(4, int), np.zeros(4, int), 2))
