"""Training in clear of the small networks that are run encrypted, all seeds of a setting at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from scripts.common.optimizers import Adam
from scripts.common.seeds import seed_from
from scripts.encrypted.network import Network, folded

CLASSES_SCALE = 0.5  # initial weights of a layer after a square are smaller, since squares of unit numbers have mean 1


@dataclass(frozen=True)
class Settings:
    """Settings: widths of the hidden layers, passes over the rows, rows per step, Adam's rate and weight decay."""

    hidden: tuple[int, ...] = (32,)
    epochs: int = 12
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4


def train(
    inputs: np.ndarray, labels: np.ndarray, classes: int, seeds: Sequence[int], settings: Settings, *names: object
) -> list[Network]:
    """Return one network per seed, trained by cross-entropy with squares as activations.

    Args:
        inputs: numbers of the training images [n, k]; each is standardised, and the network undoes it for the user.
        labels: 0 to classes - 1, [n].
        names: what the draws are seeded by, beside the seed.
    """
    mean, spread = inputs.mean(0), inputs.std(0)
    x = torch.from_numpy((inputs - mean) / np.where(spread > 0, spread, np.inf)).float()
    y = torch.from_numpy(labels.astype(np.int64))
    sizes = [inputs.shape[1], *settings.hidden, classes]
    generators = [torch.Generator().manual_seed(seed_from("encrypted", seed, *names)) for seed in seeds]
    weights, biases = [], []
    for place, (wide, narrow) in enumerate(pairwise(sizes)):
        scale = (CLASSES_SCALE if place else 1.0) / wide**0.5
        drawn = [torch.randn(wide, narrow, generator=generator) * scale for generator in generators]
        weights.append(torch.nn.Parameter(torch.stack(drawn)))
        biases.append(torch.nn.Parameter(torch.zeros(len(generators), 1, narrow)))
    optimizer = Adam([*weights, *biases], lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * max(1, len(x) // settings.batch_size)
    done = 0
    for _ in range(settings.epochs):
        orders = torch.stack([torch.randperm(len(x), generator=generator) for generator in generators])
        for start in range(0, max(1, len(x) - settings.batch_size + 1), settings.batch_size):
            rows = orders[:, start : start + settings.batch_size]
            hidden = x[rows]
            for place, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
                hidden = torch.baddbmm(bias, hidden**2 if place else hidden, weight)
            loss = torch.nn.functional.cross_entropy(hidden.flatten(0, 1), y[rows].flatten())
            optimizer.param_groups[0]["lr"] = settings.learning_rate * (1 - done / steps)
            optimizer.zero_grad(set_to_none=True)
            (loss * len(generators)).backward()
            optimizer.step()
            done += 1
    arrays = [[part.detach().double().numpy() for part in parts] for parts in (weights, biases)]
    return [
        folded([w[place] for w in arrays[0]], [b[place, 0] for b in arrays[1]], mean, spread)
        for place in range(len(generators))
    ]
