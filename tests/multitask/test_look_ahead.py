"""The look-ahead against literal copies with torch's Adam, and the gradients by hand against autograd."""

import pytest
import torch

from scripts.multitask.batch import Batch
from scripts.multitask.gradients import gradients_of
from scripts.multitask.look_ahead import look_ahead, stepped
from scripts.multitask.look_ahead_bench import example, literal, ratio
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.per_task import ForwardPass, both_losses


def largest(first, second):
    return max((a - b).abs().max().item() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("widths", [(64, 64, 64, 32), (9,), (8, 5)])
def test_equals_literal_copies_in_double_precision(widths):
    network, batch = example(200, 7, widths, 3, dtype=torch.float64)
    assert largest(look_ahead(network, batch, 1e-3), literal(network, batch, 1e-3)[0]) < 1e-11


@pytest.mark.parametrize("seed", range(3))
def test_equals_literal_copies_in_single_precision(seed):
    network, batch = example(512, 37, (64, 64, 64, 32), 5, seed)
    found, expected = look_ahead(network, batch, 1e-3), literal(network, batch, 1e-3)[0]
    assert largest(found[1:], expected[1:]) < 1e-6  # losses and heads
    assert largest(found[:1], expected[:1]) < 3e-6  # log-odds, of the size of 1


def test_equals_literal_copies_after_training_and_with_three_groups_one_of_them_empty():
    network, batch = example(120, 7, (16, 16, 8), 4, dtype=torch.float64)
    batch = Batch(batch.features, batch.labels, batch.groups, 3)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        accuracy_losses(cross_entropies(network(batch.features), batch.labels)).sum().backward()
        optimizer.step()
    assert largest(look_ahead(network, batch, 1e-2), literal(network, batch, 1e-2)[0]) < 1e-9


def test_copies_differ_by_task_and_by_loss():
    found = look_ahead(*example(200, 7, (16, 8), 3), 1e-3)
    margins = found.margins.flatten(0, 1)
    assert torch.cdist(margins, margins).add(10 * torch.eye(6)).min() > 1e-3
    assert torch.cdist(found.heads[0], found.heads[0]).add(10 * torch.eye(3)).min() > 0.1


def test_parts_equal_the_whole():
    network, batch = example(200, 7, (16, 8), 5, dtype=torch.float64)
    assert largest(look_ahead(network, batch, 1e-3, at_once=1), look_ahead(network, batch, 1e-3)) < 1e-13
    assert largest(look_ahead(network, batch, 1e-3, at_once=200 * 16 * 3), look_ahead(network, batch, 1e-3)) < 1e-13


def test_the_network_stays_as_it_is():
    network, batch = example(200, 7, (16, 8), 3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    look_ahead(network, batch, 1e-3)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_branches_are_refused():
    network = BranchedNetwork(7, (16, 8), 2, groups=[[[0, 1]], [[0], [1]]])
    _, batch = example(50, 7, (16, 8), 2)
    with pytest.raises(ValueError, match="without branches"):
        look_ahead(network, batch, 1e-3)


def test_first_step_of_adam_needs_no_state():
    parameter = torch.nn.Parameter(torch.linspace(-1, 1, 7, dtype=torch.float64))
    gradient = torch.tensor([-2.0, -1e-7, -1e-9, 0.0, 1e-9, 1e-8, 3.0], dtype=torch.float64)
    expected = stepped(parameter.detach(), gradient, 1e-3)
    parameter.grad = gradient
    torch.optim.Adam([parameter], lr=1e-3).step()
    assert (parameter.detach() - expected).abs().max() < 1e-15
    assert expected[5] == pytest.approx(2 / 3 - 0.5e-3)  # |g| = epsilon: half a step


@pytest.mark.parametrize("normalised", [0, 1, 3])
def test_gradients_by_hand_equal_autograd(normalised):
    _, batch = example(100, 7, (9, 8, 6), 3, dtype=torch.float64)
    network = BranchedNetwork(7, (9, 8, 6), 3, normalised=normalised, generator=torch.Generator().manual_seed(1))
    network = network.double()
    with torch.no_grad():
        for layer in network.layers[:normalised]:
            layer.scale.uniform_(0.5, 2)
            layer.shift.uniform_(-1, 1)
    copy = network.clone()
    entropies = cross_entropies(copy(batch.features), batch.labels)
    fair = fairness_losses(entropies, batch.labels, batch.groups, 2)
    losses = [*accuracy_losses(entropies), *fair]
    expected = gradients_of(losses, [*copy.shared_parameters(), copy.head_weight, copy.head_bias])

    forward = ForwardPass(network, batch.features, observe=True)
    values, signals = both_losses(forward.logits, batch)
    signals = signals.flatten(0, 1)
    assert torch.allclose(values.flatten(), torch.stack(losses).detach(), atol=1e-13)
    shared = forward.shared_gradients(signals, network.head_weight.repeat(2, 1, 1))
    heads = forward.head_gradients(signals)
    for loss in range(6):
        own, task = expected[loss], loss % 3
        assert largest([g[loss] for g in shared], [g[0] for g in own[:-2]]) < 1e-13
        assert largest([g[loss] for g in heads], [g[task] for g in own[-2:]]) < 1e-13
        others = [other for other in range(3) if other != task]
        assert not own[-2][others].any()  # so a copy moves the head of its task only
    for ours, theirs in zip(network.buffers(), copy.buffers(), strict=True):  # running statistics moved alike
        assert torch.allclose(ours, theirs, atol=1e-14)
    assert not normalised or network.layers[0].mean.any()


def test_is_at_least_twice_as_fast_as_literal_copies():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    row = ratio(repeats=3, times=2)
    torch.set_num_threads(threads)
    assert row["met"], f"{row['ours']:.4f} against {row['reference']:.4f} CPU s"
