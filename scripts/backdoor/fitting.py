"""One way of training the digit network: Adam on cross-entropy, dropout before the last layer, one-cycle rate."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.backdoor.digits import Pool
from scripts.backdoor.network import DigitNet
from scripts.common.seeds import seed_from
from scripts.common.training import Checkpoints, Progress, fit, generator


@dataclass(frozen=True)
class Fitting:
    """How a network is trained; `cycle` is the one-cycle rate, else the rate is constant."""

    epochs: int
    batch_size: int
    learning_rate: float
    dropout: float = 0.5
    cycle: bool = False


class RareCheckpoints(Checkpoints):
    """Checkpoints of a training at most every half minute: one that ends sooner is not worth a write to the disk."""

    def __init__(self, folder: str | Path, fingerprint: str, seconds: float = 30.0) -> None:
        super().__init__(folder, fingerprint)
        self.seconds, self.last = seconds, time.monotonic()

    def save(self, progress: Progress, tensors: dict[str, Tensor]) -> Path | None:
        """Write the state if the last one is old enough."""
        if time.monotonic() - self.last < self.seconds:
            return None
        self.last = time.monotonic()
        return super().save(progress, tensors)


def one_cycle(settings: Fitting) -> Callable[[int, float], float]:
    """Return (epoch, share of it) -> rate: a linear rise over the first 30 % and a cosine fall to zero."""

    def rate(epoch: int, share: float) -> float:
        done = (epoch + share) / settings.epochs
        scale = max(done, 1e-3) / 0.3 if done < 0.3 else (1 + math.cos(math.pi * (done - 0.3) / 0.7)) / 2
        return settings.learning_rate * (scale if settings.cycle else 1.0)

    return rate


def train(
    model: DigitNet,
    rows: int,
    batch_of: Callable[[int, Tensor], tuple[Tensor, Tensor]],
    settings: Fitting,
    names: tuple,
    checkpoints: Checkpoints,
) -> Progress:
    """Train a network in place on `rows` rows; the names seed order and dropout.

    Args:
        batch_of: (epoch, row indices [B]) -> images [B, 1, 28, 28] and labels [B].
    """
    device = next(model.parameters()).device
    # fused: one pass over weights and moments; a training takes a tenth less time
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)

    def batches(epoch: int) -> list[Tensor]:
        order = np.random.default_rng(seed_from("backdoor", "batches", *names, epoch)).permutation(rows)
        return list(torch.from_numpy(order).to(device).split(settings.batch_size))

    def loss(epoch: int, step: int, indices: Tensor) -> Tensor:
        images, labels = batch_of(epoch, indices)
        hidden = model.hidden(images)
        random = generator(device, "backdoor", "dropout", *names, epoch, step)
        kept = torch.rand(hidden.shape, generator=random, device=device) >= settings.dropout
        return F.cross_entropy(model.fc2(hidden * kept / (1 - settings.dropout)), labels)

    what = ".".join(map(str, names))
    return fit(model, optimizer, settings.epochs, batches, loss, one_cycle(settings), checkpoints, what=what)


def on_pool(pool: Pool) -> Callable[[int, Tensor], tuple[Tensor, Tensor]]:
    """Return a `batch_of` that takes rows of a pool as they are."""
    return lambda epoch, indices: (pool.images[indices], pool.labels[indices])
