"""What all rivals have in common: how they are called, what they return, and that a second run is the same."""

import numpy as np
import pytest

from scripts.multitask.fafs import fafs
from scripts.multitask.mta_f import mta_f
from scripts.multitask.pcgrad import pcgrad
from scripts.multitask.recon import recon
from scripts.multitask.tag import tag
from scripts.multitask.wb_fair import wb_fair
from tests.multitask.small import problem

RIVALS = [pcgrad, recon, tag, fafs, wb_fair, mta_f]


@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize("weight", [0.0, 1.0])
@pytest.mark.parametrize("method", RIVALS)
def test_a_rival_returns_a_fit_with_its_conflicts(method, weight, groups):
    what = problem(tasks=3, epochs=3, groups=groups)
    found = method(what, what.train, fair_weight=weight)
    log_odds = found.log_odds(what.valid)
    assert log_odds.shape == (len(what.valid), 3) and np.isfinite(log_odds).all()
    counted = [record["epoch"] for record in found.curve if record["quantity"] == "conflicts"]
    assert set(counted) == {1, 2, 3} and len(counted) == 3 * 3 * 3  # epochs, layers, kinds of pair
    assert 1 <= found.best_epoch <= 3 and found.seconds > 0


@pytest.mark.parametrize("method", RIVALS)
def test_a_second_run_is_the_same(method):
    first, second = (method(problem(tasks=3), fair_weight=1.0) for _ in range(2))
    assert np.array_equal(first.log_odds(problem().valid), second.log_odds(problem().valid))
    other = method(problem(tasks=3, seed=1), fair_weight=1.0)
    assert not np.array_equal(first.log_odds(problem().valid), other.log_odds(problem().valid))


@pytest.mark.parametrize("method", RIVALS)
def test_the_fairness_loss_makes_a_difference(method):
    plain, fair = (method(problem(tasks=3), fair_weight=weight) for weight in (0.0, 1.0))
    assert not np.array_equal(plain.log_odds(problem().valid), fair.log_odds(problem().valid))
