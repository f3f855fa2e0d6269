"""Losses per task by hand, against loops and against torch's cross-entropy."""

import numpy as np
import pytest
import torch

from scripts.multitask.batch import Batch
from scripts.multitask.losses import (
    accuracy_losses,
    class_losses,
    cross_entropies,
    fairness_losses,
    subgroup_means,
    task_losses,
)


def rows(seed=0, tasks=3, count=60, groups=3):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(tasks, count, 2, generator=generator)
    labels = (torch.rand(count, tasks, generator=generator) > 0.6).to(torch.int8)
    return logits, labels, torch.randint(0, groups, (count,), generator=generator).to(torch.int8)


def loop(entropies, labels, groups, count):
    """F_t by its definition, one subgroup after another."""
    found = []
    for task in range(len(entropies)):
        total = 0.0
        for y in (0, 1):
            means = [
                float(entropies[task][(labels[:, task] == y) & (groups == group)].mean())
                for group in range(count)
                if ((labels[:, task] == y) & (groups == group)).any()
            ]
            total += max(means, default=0.0)
        found.append(total)
    return found


def test_cross_entropies_are_torchs():
    logits, labels, _ = rows()
    expected = [
        torch.nn.functional.cross_entropy(own, labels[:, task].long(), reduction="none")
        for task, own in enumerate(logits)
    ]
    torch.testing.assert_close(cross_entropies(logits, labels), torch.stack(expected))
    torch.testing.assert_close(accuracy_losses(cross_entropies(logits, labels)), torch.stack(expected).mean(1))


def test_cross_entropies_stay_finite():
    logits = torch.tensor([[[500.0, -500.0], [-500.0, 500.0]]])
    assert cross_entropies(logits, torch.tensor([[1], [1]])).tolist() == [[1000.0, 0.0]]


def test_fairness_loss_of_four_subgroups():
    entropies = torch.tensor([[0.1, 0.3, 0.6, 0.4, 0.05, 0.15]])  # means .2 .6 of y = 1, .4 .1 of y = 0
    labels = torch.tensor([[1], [1], [1], [0], [0], [0]])
    groups = torch.tensor([0, 0, 1, 0, 1, 1])
    assert float(fairness_losses(entropies, labels, groups, 2)) == pytest.approx(1.0)
    means, counts = subgroup_means(entropies, labels, groups, 2)
    assert means.flatten().tolist() == pytest.approx([0.4, 0.1, 0.2, 0.6])  # [task, label, group]
    assert counts.flatten().tolist() == [1, 2, 2, 1]


def test_a_subgroup_without_rows_is_left_out():
    entropies = torch.tensor([[0.2, 0.4, 0.1]])
    labels, groups = torch.tensor([[1], [0], [0]]), torch.tensor([0, 0, 1])
    assert float(fairness_losses(entropies, labels, groups, 2)) == pytest.approx(0.6)
    assert float(fairness_losses(entropies, torch.ones(3, 1), groups, 2)) == pytest.approx(0.3)  # nobody with label 0
    assert float(fairness_losses(entropies, labels, groups, 5)) == pytest.approx(0.6)


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("count", [4, 60])
def test_fairness_losses_are_a_loop(groups, count):
    for seed in range(5):
        logits, labels, codes = rows(seed, 4, count, groups)
        entropies = cross_entropies(logits, labels)
        expected = loop(entropies, labels, codes, groups)
        np.testing.assert_allclose(fairness_losses(entropies, labels, codes, groups), expected, rtol=1e-5)
        everyone = loop(entropies, labels, torch.zeros(count), 1)
        np.testing.assert_allclose(class_losses(entropies, labels), everyone, rtol=1e-5)


def test_only_the_worst_group_of_a_label_has_a_gradient():
    entropies = torch.tensor([[0.1, 0.3, 0.6, 0.4, 0.05, 0.15]], requires_grad=True)
    labels = torch.tensor([[1], [1], [1], [0], [0], [0]])
    fairness_losses(entropies, labels, torch.tensor([0, 0, 1, 0, 1, 1]), 2).sum().backward()
    assert entropies.grad.tolist() == [[0, 0, 1, 1, 0, 0]]


def test_weighted_losses():
    logits, labels, groups = rows()
    entropies = cross_entropies(logits, labels)
    own = Batch(torch.zeros(60, 1), labels, groups, 3)
    plain, fair = accuracy_losses(entropies), fairness_losses(entropies, labels, groups, 3)
    assert torch.equal(task_losses(logits, own, 0), plain)
    assert torch.equal(task_losses(logits, own, 0.3), plain + 0.3 * fair)
