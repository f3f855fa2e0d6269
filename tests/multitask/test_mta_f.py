"""MTA-F: the gradients of heads and trunk by their losses."""

import copy

import pytest
import torch

from scripts.multitask.losses import task_losses
from scripts.multitask.mta_f import SplitFairness, mta_f
from scripts.multitask.simple import fixed_weight
from tests.multitask.small import batch, network, problem


@pytest.mark.parametrize(("head", "trunk"), [(1.0, 0.5), (0.0, 2.0), (2.0, 0.0)])
def test_heads_and_trunk_descend_their_losses(head, trunk):
    net, rows = network(3).train(), batch(tasks=3)
    again = copy.deepcopy(net)
    losses = SplitFairness(head, trunk).gradients(net, rows)
    for weight, names in ((head, {"head_weight", "head_bias"}), (trunk, None)):
        again.zero_grad()
        expected = task_losses(again(rows.features), rows, weight)
        expected.sum().backward()
        if names:
            torch.testing.assert_close(losses, expected.detach())
        for (name, found), parameter in zip(net.named_parameters(), again.parameters(), strict=True):
            if (name in {"head_weight", "head_bias"}) == bool(names):
                torch.testing.assert_close(found.grad, parameter.grad, rtol=1e-4, atol=1e-7)


def test_equal_weights_are_a_fixed_weight():
    net, rows = network(3).train(), batch(tasks=3)
    again = copy.deepcopy(net)
    SplitFairness(0.7, 0.7).gradients(net, rows)
    fixed_weight(0.7).gradients(again, rows)
    for found, expected in zip(net.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-7)


def test_a_run():
    fits = [mta_f(problem(tasks=3), trunk_fraction=fraction) for fraction in (0.0, 1.0)]
    assert fits[0].steps == 6
    assert fits[0].curve[-1]["value"] != fits[1].curve[-1]["value"]
