"""The fairness penalty and the attacked half batch."""

import numpy as np
import pytest
import torch

from scripts.tradeoffs.arms import attacked, objective, soft_fnr_gap
from scripts.tradeoffs.networks import build

LOGITS = torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0], [0.0, 3.0], [1.0, 0.0], [0.0, 5.0]])
Y = torch.tensor([1, 1, 1, 1, 0, 0])
MALE = torch.tensor([True, True, False, False, True, False])


def test_the_soft_gap_is_the_difference_of_mean_rejection_probabilities_of_positives():
    def reject(reject_logit, accept_logit):
        return 1 / (1 + np.exp(accept_logit - reject_logit))

    men, women = (reject(0, 1) + reject(2, 0)) / 2, (reject(0, 0) + reject(0, 3)) / 2
    assert soft_fnr_gap(LOGITS, Y, MALE).item() == pytest.approx(men - women, abs=1e-6)
    assert soft_fnr_gap(LOGITS, Y, ~MALE).item() == pytest.approx(women - men, abs=1e-6)


def test_the_soft_gap_of_a_sure_classifier_is_the_hard_gap():
    sure = torch.tensor([[0.0, 50.0], [50.0, 0.0], [0.0, 50.0], [0.0, 50.0]])
    assert soft_fnr_gap(sure, Y[:4], MALE[:4]).item() == pytest.approx(0.5)


def test_without_positives_of_one_sex_the_batch_says_nothing():
    logits = LOGITS.clone().requires_grad_()
    gap = soft_fnr_gap(logits, Y, torch.zeros_like(MALE))
    assert gap.item() == 0
    gap.backward()
    assert torch.isfinite(logits.grad).all()


def test_the_objective_adds_the_weighted_absolute_gap():
    plain = objective(LOGITS, Y, MALE, 0.0)
    assert plain.item() == pytest.approx(torch.nn.functional.cross_entropy(LOGITS, Y).item())
    gap = abs(soft_fnr_gap(LOGITS, Y, MALE).item())
    assert objective(LOGITS, Y, MALE, 0.5).item() == pytest.approx(plain.item() + 0.5 * gap)


@pytest.mark.parametrize("name", ["fgsm_random_start", "pgd_2", "published_apgd"])
def test_half_of_the_batch_is_attacked_within_the_ball(name):
    network = build("small_cnn", 1).train()
    x, y = torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(0)), torch.arange(16) % 2
    settings = {"train_eps": 0.03, "train_attack": name}
    before = {key: value.clone() for key, value in network.state_dict().items()}
    mixed = attacked(network, x, y, settings, torch.Generator().manual_seed(1))
    assert torch.equal(mixed[:8], x[:8])
    moved = (mixed[8:] - x[8:]).abs().amax((1, 2, 3))
    assert moved.max() <= 0.03 + 1e-6 and mixed.min() >= 0 and mixed.max() <= 1
    unchanged = all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    if name == "published_apgd":  # its faults: running statistics move, unflipped images come back clean
        assert not unchanged
    else:
        assert unchanged and (moved > 0).all()
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())


def test_plain_arms_return_the_batch_itself():
    x = torch.rand(4, 3, 64, 64)
    assert attacked(None, x, Y[:4], {"train_eps": 0.0, "train_attack": "none"}, None) is x
