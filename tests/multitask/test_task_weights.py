"""Weights of tasks: golden value, the literal double sum, and the derivative that the rule stands for."""

import pytest
import torch

from scripts.common.errors import UserError
from scripts.multitask.task_weights import TaskWeights, relative_rates, updated

double = torch.float64


def test_golden_weights():
    found = updated(*(torch.tensor(v, dtype=double) for v in ([0.5, 0.5], [2.0, 1.0], [1.0, 1.0])))
    assert found.tolist() == pytest.approx([0.498 / 0.999, 0.501 / 0.999], abs=1e-15)


def test_equals_the_literal_double_sum():
    weights, norms, rates = torch.rand(3, 7, generator=torch.Generator().manual_seed(3), dtype=double) + 0.1
    stepped = []
    for i in range(7):
        total = 0.0
        for j in range(7):
            sign = 1.0 if norms[j] > norms.mean() * rates[j] else -1.0
            total += sign * (6 / 7 if i == j else -1 / 7) * norms[i].item()
        stepped.append(weights[i].item() - 1e-3 * total)
    expected = [value / sum(stepped) for value in stepped]
    assert updated(weights, norms, rates).tolist() == pytest.approx(expected, abs=1e-14)


def test_follows_the_derivative_of_the_distances_of_the_norms_from_their_mean():
    norms = torch.tensor([3.0, 1.0, 0.4, 2.0], dtype=double)
    factors = torch.ones(4, dtype=double, requires_grad=True)  # norms grow in proportion to a weight
    scaled = factors * norms
    (scaled - scaled.mean()).abs().sum().backward()
    stepped = torch.full((4,), 0.25, dtype=double) - 1e-3 * factors.grad
    found = updated(torch.full((4,), 0.25, dtype=double), norms, torch.ones(4, dtype=double))
    assert torch.allclose(found, stepped / stepped.sum(), atol=1e-15)


def test_equal_tasks_keep_equal_weights():
    assert updated(torch.full((3,), 1 / 3), torch.full((3,), 2.0), torch.ones(3)).tolist() == pytest.approx([1 / 3] * 3)


def test_rates_are_relative_to_the_first_losses():
    assert relative_rates(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 2.0])).tolist() == pytest.approx([4 / 3, 2 / 3])


def test_a_slow_task_gains():
    weights = TaskWeights(2, fixed=False)
    weights.update(torch.ones(2), torch.tensor([0.9, 0.1]), torch.ones(2))
    assert weights.values[0] > 0.5 > weights.values[1]
    assert weights.values.sum().item() == pytest.approx(1)


def test_fixed_weights_stay():
    weights = TaskWeights(4, fixed=True)
    weights.update(torch.arange(4.0), torch.rand(4), torch.ones(4))
    assert weights.values.tolist() == [0.25] * 4


def test_weights_below_zero_are_refused():
    weights = TaskWeights(2, fixed=False)
    with pytest.raises(UserError, match="gradients are too large"):
        weights.update(torch.tensor([900.0, 1.0]), torch.ones(2), torch.ones(2))
