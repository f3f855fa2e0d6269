"""Epochs of the project's own training as pieces of work that can be timed."""

import copy
import tempfile
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.common.checkpoints import Checkpoints
from scripts.common.device import generator
from scripts.common.training import fit
from scripts.tradeoffs.bench.reference import unfused_pgd
from scripts.tradeoffs.images import Images, to_float
from scripts.tradeoffs.tradeoffs_train import augment, epoch_batches, learning_rate, optimizer_of, step_loss

EPS = 0.01
SETTINGS = {  # the published training
    "seed": 1,
    "epochs": 1,
    "batch_size": 128,
    "optimizer": "sgd",
    "schedule": "steps",
    "learning_rate": 0.1,
    "learning_rate_drops": [],
    "momentum": 0.9,
    "weight_decay": 0.0005,
    "augmentation": ["flip", "autoaugment"],
    "fairness_weight": 0.0,
    "train_eps": 0.0,
    "train_attack": "none",
}
# Learns in fewer steps, for the networks whose evaluation is timed.
QUICK = {"optimizer": "adamw", "schedule": "one_cycle", "learning_rate": 0.004, "weight_decay": 0.01}
QUICK |= {"augmentation": ["flip"]}


def with_attack(name: str) -> dict:
    """Return the settings of an epoch whose half batches are attacked as by the arm of that name."""
    return SETTINGS | {"train_attack": name, "train_eps": EPS}


def epoch_of(
    model: nn.Module, data: Images, settings: dict, loss: Callable | None = None, network: nn.Module | None = None
) -> Callable[[], None]:
    """Return work that trains `model` for one more epoch with the project's own loop.

    Args:
        loss: (epoch, step, indices) -> scalar; the study's own unless given.
        network: the compiled form of `model`, if there is one.
    """
    optimizer = optimizer_of(model, settings)
    loss = loss or step_loss(network or model, data, settings)

    def work() -> None:
        with tempfile.TemporaryDirectory() as nothing_to_resume:
            fit(
                model,
                optimizer,
                settings["epochs"],
                lambda epoch: epoch_batches(len(data), settings["batch_size"], settings["seed"], epoch),
                loss,
                learning_rate(settings),
                Checkpoints(nothing_to_resume, ""),
                what=f"{settings['train_attack']} attack" if settings["train_eps"] else "plain",
            )
        if data.device.type == "cuda":
            torch.cuda.synchronize()

    return work


def unfused_loss(model: nn.Module, data: Images, settings: dict, steps: int = 2) -> Callable:
    """Return the loss of a step on the same batches, half attacked by the plain reference's PGD."""

    def loss(epoch: int, step: int, indices: Tensor) -> Tensor:
        random = generator(data.device, "augment", settings["seed"], epoch, step)
        x = to_float(augment(data.bytes_of(indices), settings["augmentation"], random))
        y, half = data.labels[indices], len(indices) // 2
        perturbed = unfused_pgd(model, x[half:], y[half:], settings["train_eps"], steps, random)
        return F.cross_entropy(model(torch.cat([x[:half], perturbed])), y)

    return loss


def trained(model: nn.Module, data: Images, settings: dict, epochs: int) -> nn.Module:
    """Return a copy of the model after some epochs of quick learning, in eval mode."""
    model = copy.deepcopy(model)
    epoch_of(model, data, settings | QUICK | {"epochs": epochs})()
    return model.eval()
