"""PCGrad and FBGrad's projection by hand, against a literal loop and, where it is installed, against torchjd."""

import itertools

import pytest
import torch

from scripts.multitask.gradients import fill_trunk, gradients_of, pcgrad, project_conflicts, task_gradients
from scripts.multitask.losses import task_losses
from scripts.multitask.pcgrad import PCGrad
from scripts.multitask.pcgrad import pcgrad as train
from tests.multitask.small import batch, network, problem


def vectors(count, size=20, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, dtype=torch.float64, generator=generator)


def literal(gradients, orders):
    """Algorithm 1 of Yu et al., one vector after another."""
    total = torch.zeros_like(gradients[0])
    for i, order in enumerate(orders):
        own = gradients[i].clone()
        for j in order:
            if j != i and torch.dot(own, gradients[j]) < 0:
                own = own - torch.dot(own, gradients[j]) / gradients[j].norm() ** 2 * gradients[j]
        total = total + own
    return total


def test_two_gradients_by_hand():
    pair = torch.tensor([[1.0, 0.0], [-1.0, 1.0]])
    assert project_conflicts(pair).tolist() == [[0.5, 0.5], [0.0, 1.0]]
    assert pcgrad(pair, [[1], [0]]).tolist() == [0.5, 1.5]


def test_gradients_that_agree_are_added():
    agree = vectors(4).abs()
    torch.testing.assert_close(pcgrad(agree, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]), agree.sum(0))
    assert torch.equal(project_conflicts(agree), agree)


@pytest.mark.parametrize("count", [2, 3, 5, 17])
def test_a_literal_loop(count):
    changed = 0
    for seed in range(10):
        gradients = vectors(count, 6, seed)  # in few dimensions many of them conflict
        orders = torch.rand(count, count, generator=torch.Generator().manual_seed(seed)).argsort(1)
        expected = literal(gradients, orders.tolist())
        torch.testing.assert_close(pcgrad(gradients, orders), expected, rtol=0, atol=1e-12)
        changed += bool((expected - gradients.sum(0)).abs().max() > 1e-3)
    assert changed >= 3


def test_the_order_matters_for_three():
    gradients = vectors(3, 2, 1)
    sums = {
        tuple(pcgrad(gradients, orders).tolist())
        for orders in itertools.product(*(list(itertools.permutations({0, 1, 2} - {own})) for own in range(3)))
    }
    assert len(sums) > 1


def test_zero_gradients_are_no_conflict():
    gradients = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    assert pcgrad(gradients, [[1], [0]]).tolist() == [1.0, 0.0]
    assert project_conflicts(gradients).tolist() == gradients.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_torchjd(seed):
    aggregation = pytest.importorskip("torchjd.aggregation")
    gradients = vectors(2, 50, seed)
    expected = aggregation.PCGrad()(gradients)
    torch.testing.assert_close(pcgrad(gradients, [[1], [0]]), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_fbgrad_of_a_pair_is_pcgrad_and_leaves_no_conflict_with_the_other_original(seed):
    pair = vectors(2, 3, seed)
    projected = project_conflicts(pair)
    torch.testing.assert_close(projected.sum(0), pcgrad(pair, [[1], [0]]), rtol=0, atol=1e-12)
    assert projected[0] @ pair[1] >= -1e-12
    assert projected[1] @ pair[0] >= -1e-12


def test_fbgrad_of_three_takes_both_components_of_the_originals():
    a, b, c = torch.tensor([[0.0, -1.0, -1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert project_conflicts(torch.stack([a, b, c]))[0].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_gradients_of_tasks_are_autograds(weight):
    net, rows = network(4).double().train(), batch(tasks=4)
    rows = type(rows)(rows.features.double(), rows.labels, rows.groups, rows.group_count)
    losses, found = task_gradients(net, rows, weight)
    heads = [net.head_weight.grad, net.head_bias.grad]
    expected_losses = task_losses(net(rows.features), rows, weight)
    own = gradients_of(list(expected_losses), [*net.shared_parameters(), net.head_weight, net.head_bias])
    torch.testing.assert_close(losses, expected_losses.detach())
    flat = torch.stack([torch.cat([part.flatten() for part in parts[:-2]]) for parts in own])
    torch.testing.assert_close(found, flat, rtol=0, atol=1e-12)
    for place, head in ((-2, heads[0]), (-1, heads[1])):
        torch.testing.assert_close(head, sum(parts[place] for parts in own), rtol=0, atol=1e-12)
    fill_trunk(net, found.sum(0))
    for parameter, *parts in zip(net.shared_parameters(), *(parts[:-2] for parts in own), strict=True):
        torch.testing.assert_close(parameter.grad, sum(parts), rtol=0, atol=1e-12)


def test_gradients_of_tasks_need_one_trunk():
    with pytest.raises(ValueError, match="without branches"):
        task_gradients(network(3, [[[0, 1, 2]], [[0, 1, 2]], [[0], [1, 2]]]), batch(tasks=3), 0.0)


def test_a_step_projects_the_trunk_and_leaves_the_heads():
    rows = batch(tasks=2)
    opposed = type(rows)(rows.features, torch.stack([rows.labels[:, 0], 1 - rows.labels[:, 0]], 1), rows.groups, 2)
    net = network(2, same_heads=True).train()
    losses, gradients = task_gradients(net, opposed, 0.0)
    assert gradients[0] @ gradients[1] < 0
    heads = net.head_weight.grad.clone()
    returned = PCGrad(0.0, torch.Generator()).gradients(net, opposed)
    trunk = torch.cat([parameter.grad.flatten() for parameter in net.shared_parameters()])
    assert torch.equal(net.head_weight.grad, heads) and torch.equal(returned, losses)
    torch.testing.assert_close(trunk, project_conflicts(gradients).sum(0))
    assert (trunk - gradients.sum(0)).norm() > 0.01 * trunk.norm()


def test_orders_are_drawn_anew_and_depend_on_the_generator_alone(monkeypatch):
    seen = []
    monkeypatch.setattr("scripts.multitask.pcgrad.projected", lambda v, orders: seen.append(orders) or v.sum(0))
    for _ in range(2):
        method, net = PCGrad(0.0, torch.Generator().manual_seed(3)), network(5)
        for _ in range(2):
            method.gradients(net, batch(tasks=5))
    assert torch.equal(seen[0], seen[2]) and torch.equal(seen[1], seen[3]) and not torch.equal(seen[0], seen[1])
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in seen[0].tolist())


def test_a_run():
    fit = train(problem(tasks=3, epochs=3), fair_weight=1.0)
    assert (fit.steps, fit.passes) == (9, 27)
    assert fit.curve[-1]["value"] < fit.curve[1]["value"]
    again = train(problem(tasks=3, epochs=3), fair_weight=1.0)
    assert [record["value"] for record in fit.curve] == [record["value"] for record in again.curve]
    vanilla = train(problem(tasks=3, epochs=3))
    assert [record["value"] for record in fit.curve] != [record["value"] for record in vanilla.curve]
