"""WB-fair: distributions of scores after the map, its identities, and what it needs."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from scripts.common.errors import UserError
from scripts.multitask.batch import Batch
from scripts.multitask.simple import vanilla
from scripts.multitask.training import fit
from scripts.multitask.wb_fair import Barycentre, post_process, wb_fair
from tests.multitask.small import people, problem

RANDOM = np.random.default_rng(0)


def scores(groups, seed=0):
    random = np.random.default_rng(seed)
    return 1 / (1 + np.exp(-random.normal(np.array([-1.5, 0.5, 2.0])[groups], np.array([1.0, 2.0, 0.5])[groups])))


def test_groups_of_equal_size_get_the_same_scores():
    groups = np.repeat([0, 1, 2], 200)
    values = scores(groups)
    mapped = Barycentre(values, groups, 3)(values, groups)
    first, *others = (np.sort(mapped[groups == group]) for group in range(3))
    expected = np.mean([np.sort(values[groups == group]) for group in range(3)], axis=0)
    np.testing.assert_allclose(first, expected, atol=1e-12)
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-12)


def test_the_quantiles_are_weighted_by_the_groups():
    groups = np.array([0] * 30 + [1] * 10)
    values = np.where(groups == 0, 0.2, 0.6)
    mapped = Barycentre(values, groups, 2)(values, groups)
    np.testing.assert_allclose(mapped, 0.75 * 0.2 + 0.25 * 0.6)


@pytest.mark.parametrize("count", [2, 3])
def test_new_rows_have_equal_distributions_up_to_sampling(count):
    fitted, new = (
        np.random.default_rng(seed).choice(count, 6000, p=[0.6, 0.3, 0.1][:count] if count == 3 else None)
        for seed in (1, 2)
    )
    values, fresh = scores(fitted, 3), scores(new, 4)
    mapped = Barycentre(values, fitted, count)(fresh, new)
    for group in range(1, count):
        before = ks_2samp(fresh[new == 0], fresh[new == group]).statistic
        after = ks_2samp(mapped[new == 0], mapped[new == group]).statistic
        assert before > 0.3 and after < 0.08


def test_one_group_is_left_alone():
    values, fresh = RANDOM.random(100), np.r_[0.0, RANDOM.random(300), 1.0]
    mapped = Barycentre(values, np.zeros(100, int), 1)(fresh, np.zeros(302, int))
    np.testing.assert_allclose(mapped, fresh, atol=1e-12)
    tied = np.repeat([0.2, 0.7, 0.9], [5, 1, 3])
    np.testing.assert_allclose(Barycentre(tied, np.zeros(9, int), 1)(fresh, np.zeros(302, int)), fresh, atol=1e-12)


def test_groups_with_one_distribution_are_left_alone():
    values = np.tile(RANDOM.random(50), 2)
    groups = np.repeat([0, 1], 50)
    np.testing.assert_allclose(Barycentre(values, groups, 2)(values, groups), values, atol=1e-12)


@pytest.mark.parametrize("group", [0, 1, 2])
def test_the_map_rises_within_a_group(group):
    groups = RANDOM.integers(0, 3, 300)
    line = np.linspace(0, 1, 2001)
    mapped = Barycentre(scores(groups), groups, 3)(line, np.full(2001, group))
    assert (np.diff(mapped) > 0).all()
    assert mapped[0] == pytest.approx(0) and mapped[-1] == pytest.approx(1)


def shifted(rows=2000, groups=2):
    what = problem(rows=rows, tasks=3, epochs=4, groups=groups)
    return what, fit(what, what.network(), vanilla())


@pytest.mark.parametrize("groups", [2, 3])
def test_a_fit_is_mapped_by_the_groups_of_its_rows(groups):
    what, learned = shifted(groups=groups)
    found = post_process(learned, what.valid)
    plain, mapped = learned.log_odds(what.valid), found.log_odds(what.valid)
    assert mapped.shape == plain.shape and mapped.dtype == np.float32 and np.isfinite(mapped).all()
    codes = what.valid.groups.numpy()
    for task in range(3):
        before, after = (ks_2samp(*(v[codes == c, task] for c in (0, 1))).statistic for v in (plain, mapped))
        assert after < 0.02 < before
    other = Batch(what.valid.features, what.valid.labels, (what.valid.groups + 1) % groups, groups)
    assert np.abs(found.log_odds(other) - mapped).max() > 0.1
    assert (found.seconds, found.steps, found.curve) == (learned.seconds, learned.steps, learned.curve)


def test_one_group_keeps_the_log_odds_of_a_fit():
    what, learned = shifted(groups=1)
    found = post_process(learned, what.valid)
    far = dataclasses.replace(what.train, features=5 * what.train.features)
    assert 12 > np.abs(learned.log_odds(far)).max() > 6
    np.testing.assert_allclose(found.log_odds(far), learned.log_odds(far), rtol=1e-4, atol=1e-5)


def test_a_learned_fit_is_not_trained_again(monkeypatch):
    what, learned = shifted()
    monkeypatch.setattr("scripts.multitask.wb_fair.fit", None)
    found = wb_fair(what, learned=learned, rows="train")
    codes, mapped = what.train.groups.numpy(), found.log_odds(what.train)
    assert ks_2samp(*(mapped[codes == code, 0] for code in (0, 1))).statistic < 0.01


def test_a_run_of_its_own():
    what = problem(tasks=3)
    assert wb_fair(what).steps == 6
    assert wb_fair(what, fair_weight=1.0).curve[-1]["value"] != wb_fair(what).curve[-1]["value"]


def test_a_group_without_rows_is_refused():
    what, learned = shifted(400)
    rows = dataclasses.replace(what.valid, groups=torch.zeros_like(what.valid.groups))
    with pytest.raises(UserError, match="group 1 has no row"):
        post_process(learned, rows)


def test_people_of_the_test_differ_by_group():
    some = people(2000)
    assert some.features[some.groups == 1, 0].mean() - some.features[some.groups == 0, 0].mean() > 0.8
