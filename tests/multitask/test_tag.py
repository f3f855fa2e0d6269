"""TAG: affinities against literal steps, groups against all partitions, and tasks that belong together."""

import copy

import numpy as np
import pytest
import torch

from scripts.multitask.gradients import task_gradients
from scripts.multitask.losses import task_losses
from scripts.multitask.simple import fixed_weight
from scripts.multitask.tag import MeasureAffinity, affinities, best_groups, tag
from scripts.multitask.training import optimizer_of
from tests.multitask.small import WIDTHS, batch, network, problem
from tests.multitask.test_partitions import all_partitions

SEPARATE = [[[0], [1], [2]]] * len(WIDTHS)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_affinities_are_those_of_literal_steps(weight):
    net, ahead, rows = network(3).train(), network(3, SEPARATE, seed=9).train(), batch(tasks=3)
    losses, vectors = task_gradients(net, rows, weight)
    before = copy.deepcopy(net.state_dict())
    found = affinities(net, ahead, rows, losses, vectors, 0.5, weight)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    expected = torch.empty(3, 3)
    for i in range(3):
        stepped = copy.deepcopy(net)
        stepped.zero_grad()
        task_losses(stepped(rows.features), rows, weight)[i].backward()
        with torch.no_grad():
            for parameter in stepped.shared_parameters():
                parameter -= 0.5 * parameter.grad
            expected[i] = 1 - task_losses(stepped(rows.features), rows, weight) / losses
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)
    assert (found.diagonal() > 0).all()  # a step on its loss helps a task


def total(affinity, parts):
    return sum(
        np.mean([affinity[i, j] for i in part if i != j]) if len(part) > 1 else 0.0 for part in parts for j in part
    )


@pytest.mark.parametrize("tasks", [2, 5, 7])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_groups_are_the_best_partition(tasks, groups):
    for seed in range(5):
        affinity = np.random.default_rng(seed).normal(size=(tasks, tasks))
        every = [parts for parts in all_partitions(list(range(tasks))) if len(parts) <= groups]
        found = best_groups(affinity, groups)
        assert len(found) <= groups
        assert total(affinity, found) == pytest.approx(max(total(affinity, parts) for parts in every))


@pytest.mark.parametrize(
    ("cluster", "most", "groups"),
    [
        ([0, 1, 0, 1], 2, [[0, 2], [1, 3]]),
        ([0, 1, 0, 1], 4, [[0, 2], [1, 3]]),
        ([0, 0, 0], 3, [[0, 1, 2]]),
        ([0] * 6, 3, [[0, 1, 2, 3, 4, 5]]),  # pairs would do as well, with more networks
        ([0, 1, 2], 3, [[0], [1], [2]]),
        ([0] * 9 + [1] * 8, 3, [list(range(9)), list(range(9, 17))]),  # more than are compared exactly
    ],
)
def test_helpful_tasks_stay_together_and_opposed_ones_part(cluster, most, groups):
    affinity = np.where(np.equal.outer(cluster, cluster), 0.1, -0.1)
    assert best_groups(affinity, most) == groups


def test_the_diagonal_is_not_read():
    affinity = np.random.default_rng(0).normal(size=(5, 5))
    assert best_groups(affinity, 3) == best_groups(affinity + 100 * np.eye(5), 3)


def test_direction_of_an_affinity():
    affinity = np.array([[0, 1.0, 0], [0, 0, 0], [0, 0, 0]])  # 0 helps 1, nobody else helps anyone
    assert [0, 1] in best_groups(affinity, 2)
    affinity[1, 0] = -2  # but 1 harms 0 more
    assert [0, 1] not in best_groups(affinity, 2)


@pytest.mark.parametrize(("every", "measured"), [(1, 6), (2, 3), (4, 2), (10, 1)])
def test_training_is_plain_whether_measured_or_not(every, measured):
    what = problem(tasks=3)
    plain, watched = what.network(), what.network()
    method = MeasureAffinity(what.network(what.separate()), 0.1, every, 1.0)
    for net, own in ((plain, fixed_weight(1.0)), (watched, method)):
        optimizer = optimizer_of(net, what.settings)
        for epoch in (1, 2):
            for rows in what.batches(epoch):
                net.train()
                optimizer.zero_grad()
                own.gradients(net, what.train.take(rows))
                optimizer.step()
    assert method.measured == measured
    assert method.affinity.shape == (3, 3)
    for first, second in zip(plain.state_dict().values(), watched.state_dict().values(), strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=1e-4)


def pairs(score):
    first, second = (score[:, :2] > 0).astype(np.int8).T
    return np.column_stack([first, second, first, second])


def test_identical_tasks_come_together():
    what = problem(labels=pairs, rows=600, epochs=3, alike=True)
    found, names = tag(what, groups=2, every=1), what.people.tasks
    assert found.branchings[0]["groups"] == [[0, 2], [1, 3]]
    assert [len(layer.weight) for layer in found.network.layers] == [2, 2, 2]
    affinity = {(r["task"], r["other"]): r["value"] for r in found.curve if r["quantity"] == "affinity"}
    assert len(affinity) == 12
    a, b, c = (names[place] for place in (1, 3, 2))
    assert affinity[a, b] > 0 and affinity[a, b] > affinity[a, c]
    assert affinity[a, b] == pytest.approx(affinity[b, a], rel=1e-3)


def test_steps_and_passes_of_both_runs():
    found = tag(problem(tasks=3, epochs=4), groups=1, every=2, fraction=0.5)
    assert found.steps == 6 + 12
    assert found.passes == 6 + 12 + 3 * 2  # three steps measured, two more passes each
    assert found.branchings[0]["groups"] == [[0, 1, 2]]
    assert found.network.size() == problem(tasks=3).network().size()
