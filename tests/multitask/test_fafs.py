"""FAFS: affinities by hand, the cheapest groups against all partitions, and identical tasks."""

import numpy as np
import pytest

from scripts.multitask.fafs import best_groups, branch_affinity, fafs, task_affinity
from tests.multitask.small import WIDTHS, problem
from tests.multitask.test_partitions import all_partitions


def test_affinity_of_tasks_by_hand():
    errors = np.array([[0.9, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.9], [0.2, 0.2, 0.7]])
    # difficult: 1 1 0 / 1 0 0 / 0 0 1 / 0 0 1
    expected = [[1, 0.75, 0], [0.75, 1, 0.25], [0, 0.25, 1]]
    np.testing.assert_allclose(task_affinity(errors), expected)


def test_affinity_of_tasks_by_a_loop():
    errors = np.random.default_rng(0).random((50, 4))
    difficult = errors >= errors.mean(0)
    expected = [[np.mean(difficult[:, i] == difficult[:, j]) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(task_affinity(errors), expected)


def test_affinity_of_branches_by_hand():
    affinity = np.array([[1, 0.9, 0.3], [0.9, 1, 0.5], [0.3, 0.5, 1]])
    found = branch_affinity(affinity, [[0, 1], [2]])
    # From [0, 1]: mean of .3 and .5; from [2]: the smaller of both.
    assert found[0, 1] == found[1, 0] == pytest.approx((0.4 + 0.3) / 2)
    np.testing.assert_allclose(branch_affinity(affinity, [[0], [1], [2]]), affinity)


def cost(affinity, parts, branch_cost):
    apart = [1 - min((affinity[k, m] for m in part if m != k), default=1.0) for part in parts for k in part]
    return branch_cost * (len(parts) - 1) + np.mean(apart)


@pytest.mark.parametrize("branches", [2, 5, 7])
@pytest.mark.parametrize("branch_cost", [0.0, 0.03, 0.1, 1.0])
def test_groups_have_the_lowest_cost(branches, branch_cost):
    for seed in range(5):
        affinity = np.random.default_rng(seed).uniform(0.4, 1, (branches, branches))
        affinity = (affinity + affinity.T) / 2
        every = [cost(affinity, parts, branch_cost) for parts in all_partitions(list(range(branches)))]
        assert cost(affinity, best_groups(affinity, branch_cost), branch_cost) == pytest.approx(min(every))


@pytest.mark.parametrize(
    ("cluster", "branch_cost", "groups"),
    [
        ([0, 1, 0, 1], 0.1, [[0, 2], [1, 3]]),
        ([0, 1, 0, 1], 0.9, [[0, 1, 2, 3]]),  # a branch costs more than it is worth
        ([0, 0, 0], 0.1, [[0, 1, 2]]),
        ([0, 1, 2], 0.1, [[0], [1], [2]]),
        ([0] * 6 + [1] * 6, 0.05, [list(range(6)), list(range(6, 12))]),
    ],
)
def test_like_tasks_stay_together_and_unlike_ones_part(cluster, branch_cost, groups):
    affinity = np.where(np.equal.outer(cluster, cluster), 0.95, 0.2)
    assert best_groups(affinity, branch_cost) == groups


def identical_pairs(score):
    first, second = (score[:, :2] > 0).astype(np.int8).T
    return np.column_stack([first, second, first, second])


def test_identical_tasks_share_every_layer():
    found = fafs(problem(labels=identical_pairs, rows=600, epochs=6, alike=True), branch_cost=0.02)
    assert [branching["layer"] for branching in found.branchings] == [3, 2, 1]
    assert [branching["epoch"] for branching in found.branchings] == [2, 4, 6]
    assert found.branchings[0]["of"] == [[0], [1], [2], [3]]
    assert all(branching["groups"] == [[0, 2], [1, 3]] for branching in found.branchings)
    assert found.branchings[0]["similarity"][0, 2] == 1


def test_one_group_ends_the_widening():
    found = fafs(problem(tasks=3, epochs=4), branch_cost=2.0, split_every=1)
    assert [record["value"] for record in found.curve if record["quantity"] == "branches"] == [1.0]
    assert found.branchings == []
    assert [len(layer.weight) for layer in found.network.layers] == [1, 1, 1]


def test_free_branches_are_one_per_task():
    found = fafs(problem(tasks=3, epochs=5), branch_cost=0.0, split_every=1)
    assert len(found.branchings) == len(WIDTHS)
    kept = [len(layer.weight) for layer in found.network.layers]
    assert kept == [3 if found.best_epoch >= epoch else 1 for epoch in (3, 2, 1)]


@pytest.mark.parametrize(("thin", "widths"), [(0.5, [6, 5, 4]), (1.0, [12, 10, 8]), (0.01, [1, 1, 1])])
def test_the_first_network_is_thin_and_the_problem_stays_as_it_is(thin, widths):
    what = problem(tasks=3, epochs=1)
    found = fafs(what, thin=thin)
    assert [layer.weight.shape[2] for layer in found.network.layers] == widths
    assert what.settings.widths == WIDTHS
