"""What the arms of the study add to plain training: attacked images and a fairness penalty."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.common.attacks import fgsm_random_start, frozen, pgd, published_apgd


def soft_fnr_gap(logits: Tensor, y: Tensor, male: Tensor) -> Tensor:
    """Return the signed soft gap of false-negative rates, men minus women.

    A group's soft rate is the mean of P(reject) over its positives; with no positive man or no
    positive woman among logits [B, 2] the gap is 0, since the batch says nothing about it. The
    arm is this project's extension: the published study has no fairness loss.
    """
    reject = logits.softmax(1)[:, 0]
    rates = []
    for group in (male, ~male):
        members = (group & (y == 1)).float()
        rates.append((reject * members).sum() / members.sum().clamp(min=1))
    both = (male & (y == 1)).any() & (~male & (y == 1)).any()
    return torch.where(both, rates[0] - rates[1], 0.0)


def objective(logits: Tensor, y: Tensor, male: Tensor, fairness_weight: float) -> Tensor:
    """Return cross-entropy + fairness_weight * |soft FNR gap| for logits [B, 2]."""
    loss = F.cross_entropy(logits, y)
    if fairness_weight:
        loss = loss + fairness_weight * soft_fnr_gap(logits, y, male).abs()
    return loss


def attacked(model: nn.Module, x: Tensor, y: Tensor, settings: dict, generator: torch.Generator) -> Tensor:
    """Return images [B, 3, H, W] for one step, its second half attacked as the protocol does it.

    `published_apgd` leaves the network in training mode and returns only those images that the
    attack flipped; the others freeze BatchNorm during the attack and keep every perturbation.
    """
    eps, half = settings["train_eps"], len(x) // 2
    if settings["train_attack"] == "none":
        return x
    clean, target = x[:half], y[half:]
    match settings["train_attack"]:
        case "published_apgd":
            perturbed = published_apgd(model, x[half:], target, eps)
        case "fgsm_random_start":
            with frozen(model):
                perturbed = fgsm_random_start(model, x[half:], target, eps, generator)
        case "pgd_2":
            with frozen(model):
                perturbed = pgd(model, x[half:], target, eps, 2, generator)
        case other:
            raise ValueError(f"no training attack {other!r}")
    return torch.cat([clean, perturbed])
