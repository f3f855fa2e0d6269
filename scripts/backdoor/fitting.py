"""One way of training the digit network: Adam on cross-entropy, dropout before the last layer, one-cycle rate."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.backdoor.digits import Pool
from scripts.backdoor.network import DigitNet
from scripts.common.batches import in_batches
from scripts.common.checkpoints import Checkpoints, Progress
from scripts.common.device import generator
from scripts.common.optimizers import Adam
from scripts.common.schedules import constant, one_cycle
from scripts.common.seeds import shuffled
from scripts.common.training import fit


@dataclass(frozen=True)
class Fitting:
    """How a network is trained; `cycle` is the one-cycle rate, else the rate is constant."""

    epochs: int
    batch_size: int
    learning_rate: float
    dropout: float = 0.5
    cycle: bool = False


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
    optimizer = Adam(model.parameters(), lr=settings.learning_rate, fused=True)

    def batches(epoch: int) -> list[Tensor]:
        order = torch.from_numpy(shuffled(rows, "backdoor", "batches", *names, epoch)).to(device)
        return in_batches(order, settings.batch_size)

    def loss(epoch: int, step: int, indices: Tensor) -> Tensor:
        images, labels = batch_of(epoch, indices)
        hidden = model.hidden(images)
        random = generator(device, "backdoor", "dropout", *names, epoch, step)
        kept = torch.rand(hidden.shape, generator=random, device=device) >= settings.dropout
        return F.cross_entropy(model.fc2(hidden * kept / (1 - settings.dropout)), labels)

    highest, what = settings.learning_rate, ".".join(map(str, names))
    rate = one_cycle(highest, settings.epochs) if settings.cycle else constant(highest)
    return fit(model, optimizer, settings.epochs, batches, loss, rate, checkpoints, what=what)


def on_pool(pool: Pool) -> Callable[[int, Tensor], tuple[Tensor, Tensor]]:
    """Return a `batch_of` that takes rows of a pool as they are."""
    return lambda epoch, indices: (pool.images[indices], pool.labels[indices])
