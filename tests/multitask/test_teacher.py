"""The teacher: its size, its targets, its step against a literal one, and that it learns what is rigged."""

import pytest
import torch

from scripts.common.errors import UserError
from scripts.multitask.teacher import QNetwork, Teacher, targets


def make(state=6, tasks=3, seed=0, **options):
    network = QNetwork(state, tasks, (16, 16, 8), torch.Generator().manual_seed(seed))
    return Teacher(network, **options)


def transitions(steps, tasks=3, state=6, seed=1):
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(steps, tasks, state, generator=generator)
    rewards = torch.randn(steps, 2, tasks, generator=generator) / 10
    return states, rewards, torch.randn(steps, 2, tasks, state, generator=generator)


def test_published_number_of_parameters():
    assert sum(parameter.numel() for parameter in QNetwork(256, 5).parameters()) == 530_186


def test_golden_targets():
    found = targets(torch.tensor([0.04, -0.02]), torch.tensor([[0.2, 0.5], [0.1, 0.3]]))
    assert found.tolist() == pytest.approx([0.49, 0.25], abs=1e-7)


def test_initial_weights_depend_on_the_generator_alone():
    first, again, other = (make(seed=seed).network.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["trunk.0.weight"], other["trunk.0.weight"])
    assert first["trunk.0.weight"].abs().max() <= 6**-0.5


def test_every_task_reads_its_own_head():
    network, states = make().network, transitions(4)[0]
    found = network(states)
    for task in range(3):
        hidden = network.trunk(states[:, task])
        expected = hidden @ network.head_weight[task] + network.head_bias[task]
        assert torch.allclose(found[:, task], expected, atol=1e-6)
    assert torch.equal(make().actions(states[0]), found[0].argmax(1))


def literal_step(states, rewards, next_states, weights):
    """Return a Q-network after one step, and the losses, written out for every task, step and action."""
    network = make().network
    optimizer = torch.optim.AdamW(network.parameters())
    losses = []
    for task in range(3):
        total = 0.0
        for step in range(len(states)):
            values = network(states[step])[task]
            for action in range(2):
                with torch.no_grad():
                    after = network(next_states[step, action])[task].max()
                total = total + (values[action] - rewards[step, action, task] - 0.9 * after) ** 2
        losses.append(total / (2 * len(states)))
    sum(weight * loss for weight, loss in zip(weights, losses, strict=True)).backward()
    optimizer.step()
    return network, torch.stack(losses).detach()


def test_a_step_equals_a_literal_one():
    data = transitions(5)
    teacher = make()
    error = teacher.learn(*data)
    network, losses = literal_step(*data, [1 / 3] * 3)
    assert error == pytest.approx(losses.mean().item(), rel=1e-5)
    for name, value in network.state_dict().items():
        assert torch.allclose(teacher.network.state_dict()[name], value, atol=2e-5), name


def test_weights_move_by_the_norms_of_the_tasks_unless_the_gradients_are_aliased():
    data, seen = transitions(5), {}
    for aliased in (False, True):
        teacher = make(aliased_gradients=aliased)
        norms = teacher._norms
        teacher._norms = lambda apart, norms=norms, aliased=aliased: seen.setdefault(aliased, norms(apart))
        teacher.learn(*data)
    network = make().network
    parameters = list(network.trunk.parameters())
    wanted = targets(data[1], network(data[2])).mT.detach()
    losses = (network(data[0]) - wanted).square().mean((0, 2)) / 3
    apart = [torch.cat([g.flatten() for g in torch.autograd.grad(x, parameters, retain_graph=True)]) for x in losses]
    assert torch.allclose(seen[False], torch.stack([own.norm() for own in apart]), rtol=1e-4)
    assert torch.allclose(seen[True], torch.stack(apart).sum(0).norm().expand(3), rtol=1e-4)
    assert make(fixed_weights=True).weights.fixed


@pytest.mark.parametrize("better", [0, 1])
def test_learns_the_action_that_is_always_better(better):
    shares = []
    for seed in range(4):
        teacher, (states, rewards, next_states) = make(seed=seed), transitions(40, seed=seed)
        before = (teacher.network(states).argmax(-1) == better).float().mean()
        rewards = torch.zeros_like(rewards)
        rewards[:, better] = 0.3
        for _ in range(250):
            teacher.learn(states, rewards, next_states)
        after = (teacher.network(states).argmax(-1) == better).float().mean()
        shares.append((before.item(), after.item()))
    before, after = torch.tensor(shares).mean(0).tolist()
    assert before < 0.9 and after > 0.95, shares


def test_rewards_that_are_not_defined_are_refused():
    states, rewards, next_states = transitions(2)
    with pytest.raises(UserError, match="not finite"):
        make().learn(states, torch.full_like(rewards, float("nan")), next_states)
