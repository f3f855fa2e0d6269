"""Training of a network of several tasks: batches, steps, selection by validation, and what is recorded on the way.

A method says how the gradients of a step are made; everything else is the same for all of them:

    class Vanilla:
        def gradients(self, network, batch):      # fills `.grad` of every parameter, returns the losses [T]
            losses = accuracy_losses(cross_entropies(network(batch.features), batch.labels))
            losses.sum().backward()
            return losses.detach()

Adam's state is the optimiser's own; a method that changes the network mends it by `split_layer`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from scripts.common.batches import in_batches
from scripts.common.errors import UserError
from scripts.common.optimizers import AdamW
from scripts.common.seeds import seed_from, shuffled
from scripts.multitask.batch import Batch
from scripts.multitask.conflicts import conflict_records
from scripts.multitask.losses import accuracy_losses, cross_entropies
from scripts.multitask.network import BranchedNetwork, Groups
from scripts.multitask.people import People


@dataclass(frozen=True)
class Settings:
    """Settings of a training: shared widths, passes over the rows, rows per step, AdamW's rate and decay."""

    widths: tuple[int, ...]
    epochs: int
    batch_size: int
    learning_rate: float = 1e-3
    weight_decay: float = 0.01

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Settings":
        """Return the settings of a config block."""
        return cls(**{**entry, "widths": tuple(entry["widths"])})


class Method(Protocol):
    """How a method makes the gradients of a step."""

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill `.grad` of the parameters and return the loss of every task [T]."""


@dataclass
class Fit:
    """A trained network with what was recorded: a row per epoch and quantity, and the processor time."""

    network: BranchedNetwork
    curve: list[dict] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0
    steps: int = 0
    batch_statistics: bool = False  # predict with statistics of the batch, as a published fault does
    passes: int = 0  # backward passes through shared layers, where a method counts them
    branchings: list[dict] = field(default_factory=list)

    @torch.no_grad()
    def log_odds(self, rows: Batch) -> np.ndarray:
        """Return the log-odds of label 1 of some rows and all tasks, float32 [n, T]."""
        self.network.eval()
        logits = self.network(rows.features, self.batch_statistics or None)
        return (logits[..., 1] - logits[..., 0]).T.contiguous().numpy()


class Problem:
    """What a network is trained on: training and validation rows, settings, and seeds by names of dataset and seed."""

    def __init__(self, people: People, settings: Settings, dataset: str, seed: int) -> None:
        self.people, self.settings, self.dataset, self.seed = people, settings, dataset, seed
        self.train, self.valid = (Batch.of(people.take(people.rows(part))) for part in ("train", "valid"))

    @property
    def tasks(self) -> int:
        """Return the number of tasks."""
        return len(self.people.tasks)

    def generator(self, *names: object) -> torch.Generator:
        """Return a generator that depends on dataset, seed and some names."""
        return torch.Generator().manual_seed(seed_from("multitask", self.dataset, self.seed, *names))

    def network(self, groups: Sequence[Groups] | None = None, same_heads: bool = False) -> BranchedNetwork:
        """Return a new network; those of one shape start alike in all methods."""
        inputs = self.train.features.shape[1]
        return BranchedNetwork(
            inputs, self.settings.widths, self.tasks, groups, same_heads, generator=self.generator("weights")
        )

    def separate(self) -> list[list[list[int]]]:
        """Return the groups of T single-task networks."""
        return [[[task] for task in range(self.tasks)]] * len(self.settings.widths)

    def batches(self, epoch: int) -> list[Tensor]:
        """Return the rows of each step of an epoch; a last one of a single row is left out (it has no variance)."""
        order = torch.from_numpy(shuffled(len(self.train), "multitask", self.dataset, self.seed, "order", epoch))
        steps = in_batches(order, self.settings.batch_size)
        return [rows for rows in steps if len(rows) > 1 or len(steps) == 1]


def optimizer_of(network: BranchedNetwork, settings: Settings) -> torch.optim.Optimizer:
    """Return AdamW of all parameters."""
    return AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)


@torch.no_grad()
def validation_loss(network: BranchedNetwork, batch: Batch, batch_statistics: bool = False) -> float:
    """Return the mean over tasks of the mean cross-entropy, in evaluation mode."""
    network.eval()
    logits = network(batch.features, batch_statistics or None)
    return float(accuracy_losses(cross_entropies(logits, batch.labels)).mean())


def fit(
    problem: Problem,
    network: BranchedNetwork,
    method: Method,
    epochs: int | None = None,
    sample: Batch | None = None,
    objective: Callable[[list[dict]], float] | None = None,
) -> Fit:
    """Train a network and return it as it was after the epoch with the lowest validation loss.

    A method may have `after_epoch(epoch, network, optimizer) -> list of records`, called before validation, for
    branching, a teacher's update or measurements; and `batch_statistics`, whether its network is read by the batch.

    Args:
        epochs: passes over the rows; those of the settings by default.
        sample: rows on which conflicts of gradients are counted after every epoch; none by default.
        objective: of an epoch's records what is lowest in the epoch that is kept; by default the validation loss.

    Raises:
        UserError: the loss is not finite.
    """
    started = time.process_time()
    optimizer, found = optimizer_of(network, problem.settings), Fit(network)
    best, lowest = network.clone(), float("inf")
    for epoch in range(1, (epochs or problem.settings.epochs) + 1):
        total = torch.zeros(problem.tasks)
        steps = problem.batches(epoch)
        for rows in steps:
            network.train()
            optimizer.zero_grad(set_to_none=True)
            total += method.gradients(network, problem.train.take(rows))
            optimizer.step()
        found.steps += len(steps)
        _check_finite(problem, epoch, total)
        network.train()
        hook = getattr(method, "after_epoch", None)
        records = conflict_records(network, sample) if sample is not None else []
        records += hook(epoch, network, optimizer) if hook else []
        by_batch = bool(getattr(method, "batch_statistics", False))
        loss = validation_loss(network, problem.valid, by_batch)
        _check_finite(problem, epoch, torch.tensor(loss))
        records += [{"quantity": "train_loss", "value": float(total.mean()) / len(steps)}]
        records += [{"quantity": "valid_loss", "value": loss}]
        found.curve += [{"epoch": epoch, **record} for record in records]
        reached = loss if objective is None else objective(records)
        if reached < lowest:
            best, lowest, found.best_epoch, found.batch_statistics = network.clone(), reached, epoch, by_batch
    best.eval()
    found.network, found.seconds = best, time.process_time() - started
    return found


def _check_finite(problem: Problem, epoch: int, losses: Tensor) -> None:
    if not torch.isfinite(losses).all():
        raise UserError(
            f"multitask: {problem.dataset}, seed {problem.seed}: the loss is not finite in epoch {epoch}; "
            "lower the learning rate"
        )


def split_layer(
    network: BranchedNetwork,
    optimizer: torch.optim.Optimizer,
    place: int,
    groups: Groups,
    keep_state: bool = True,
) -> None:
    """Split a shared layer into a copy per group of tasks, and the optimiser's state with it.

    Args:
        keep_state: without it the state of all parameters is dropped, as the published code does.
    """
    layer = network.layers[place]
    before = dict(layer.named_parameters())
    kept = network.split(place, groups)
    renewed = {before[name]: parameter for name, parameter in layer.named_parameters()}
    for group in optimizer.param_groups:
        group["params"] = [renewed.get(parameter, parameter) for parameter in group["params"]]
    for old, new in renewed.items():
        state = optimizer.state.pop(old, {})
        if keep_state and state:
            optimizer.state[new] = {
                key: value[kept].clone() if isinstance(value, Tensor) and value.dim() else value
                for key, value in state.items()
            }
    if not keep_state:
        optimizer.state.clear()
