"""Rewards of the teacher and their metrics, against hand-counted values, loops and fairlearn."""

import numpy as np
import pytest
import torch
from fairlearn.metrics import MetricFrame, true_negative_rate, true_positive_rate

from scripts.multitask.rewards import Best, accuracies, equalized_odds, rewards

nan = float("nan")


def test_golden_reward():
    found = rewards(*torch.tensor([[0.81], [0.94], [0.80], [0.95]], dtype=torch.float64))
    assert found.item() == pytest.approx(-0.01 / 0.95, abs=1e-12)
    assert found.item() == pytest.approx(-0.010526, abs=1e-6)


def test_accuracy_limits_where_it_gains_less():
    assert rewards(*torch.tensor([[0.81], [0.99], [0.80], [0.90]])).item() == pytest.approx(0.0125, abs=1e-6)


def test_a_part_without_a_value_or_a_positive_best_is_left_out():
    accuracy, fairness = torch.full((4,), 0.88), torch.tensor([nan, 0.5, 0.5, nan])
    found = rewards(accuracy, fairness, torch.tensor([0.8, 0.8, 0.8, nan]), torch.tensor([0.9, -0.5, nan, nan]))
    assert found[:3].tolist() == pytest.approx([0.1] * 3, abs=1e-6)
    assert torch.isnan(found[3])


def draw(rows, tasks, groups, seed=0):
    rng = np.random.default_rng(seed)
    margins = rng.standard_normal((tasks, rows))
    labels = (margins.T + rng.standard_normal((rows, tasks)) > 0).astype(np.int8)
    return margins, labels, rng.integers(0, groups, rows).astype(np.int8)


def odds(margins, labels, groups, count):
    tensors = map(torch.from_numpy, (margins, labels, groups))
    return equalized_odds(*tensors, count).numpy()


def test_constant_and_perfect_classifiers_are_fair():
    _, labels, groups = draw(60, 3, 2)
    for margins in (np.ones((3, 60)), -np.ones((3, 60)), np.where(labels.T > 0, 1.0, -1.0)):
        assert odds(margins, labels, groups, 2).tolist() == [0, 0, 0]


def test_the_opposite_for_one_group_is_as_unfair_as_can_be():
    _, labels, groups = draw(60, 3, 2)
    margins = np.where((labels.T > 0) == (groups > 0), 1.0, -1.0)
    assert odds(margins, labels, groups, 2).tolist() == [2, 2, 2]


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_equals_fairlearn(groups):
    margins, labels, codes = draw(400, 4, groups)
    found = odds(margins, labels, codes, groups)
    for task in range(4):
        metrics = {"tpr": true_positive_rate, "tnr": true_negative_rate}
        frame = MetricFrame(metrics=metrics, y_true=labels[:, task], y_pred=margins[task] > 0, sensitive_features=codes)
        assert found[task] == pytest.approx(frame.difference().sum(), abs=1e-6)
        right = ((margins[task] > 0) == labels[:, task]).mean()
        assert accuracies(torch.from_numpy(margins), torch.from_numpy(labels))[task] == pytest.approx(right)


def test_an_empty_subgroup_leaves_its_gap_out():
    labels = np.array([[1], [1], [0], [0], [1]], dtype=np.int8)
    groups = np.array([0, 1, 0, 0, 1], dtype=np.int8)  # no row with label 0 in group 1
    margins = np.array([[1.0, 1, 1, -1, -1]])
    assert odds(margins, labels, groups, 2) == pytest.approx([0.5])  # TPR 1 and 1/2
    assert np.isnan(odds(margins, labels, np.zeros(5, np.int8), 2))  # one group: not defined
    groups = np.array([0, 1, 0, 2, 1], dtype=np.int8)  # label 0: groups 0 and 2, right in 2 only; label 1: 0 and 1
    assert odds(margins, labels, groups, 3) == pytest.approx([1.5])


def test_best_values_are_kept_by_task():
    best = Best(2)
    best.see(torch.tensor([0.7, 0.8]), torch.tensor([0.1, nan]))
    best.see(torch.tensor([0.6, 0.9]), torch.tensor([0.05, 0.2]))
    best.see(torch.tensor([0.5, 0.1]), torch.tensor([nan, 0.4]))
    assert best.accuracy.tolist() == pytest.approx([0.7, 0.9])
    assert best.fairness.tolist() == pytest.approx([0.95, 0.8])


def test_published_fault_starts_from_eo():
    best = Best(1, star_as_eo=True)
    best.see(torch.tensor([0.7]), torch.tensor([0.1]))
    assert best.fairness.item() == pytest.approx(0.1)
    best.see(torch.tensor([0.7]), torch.tensor([0.2]))
    assert best.fairness.item() == pytest.approx(0.8)
