"""TAG: tasks grouped by how much a step on one of them helps another, one network per group.

Fifty, Amid, Zhao, Yu, Anil, Finn, "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021: the
affinity of task i to task j is Z(i -> j) = 1 - L_j(trunk after a step on L_i) / L_j, heads unchanged, averaged over a
run of plain training; the groups are those of the highest total affinity.

Ours where the source is not at hand: the step is one of gradient descent on the trunk with a rate of .1, it is tried
every fifth step; groups do not overlap; a task's affinity in a group is the mean from its other members, a task alone
has 0; of groupings with equal affinity that with the fewest groups is taken; more than ten tasks are grouped by a
search (see `partitions`); all networks are trained from scratch and at once, stacked.
"""

import itertools
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.gradients import fill_trunk, task_gradients
from scripts.multitask.losses import task_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.partitions import best_partition
from scripts.multitask.simple import fixed_weight
from scripts.multitask.training import Fit, Problem, fit

TIE = 1e-9  # what a group must gain, above rounding and far below affinities


def affinities(
    network: BranchedNetwork,
    ahead: BranchedNetwork,
    batch: Batch,
    losses: Tensor,
    vectors: Tensor,
    rate: float,
    fair_weight: float,
) -> Tensor:
    """Return Z(i -> j) [T, T] of one batch; the network stays as it is.

    Args:
        network: with a trunk without branches, in training mode.
        ahead: a network of the same widths with a trunk per task, in training mode, whose weights are overwritten.
        batch: rows.
        losses: of all tasks before the step [T].
        vectors: gradients of every task on the trunk [T, m].
        rate: of the step that is tried.
        fair_weight: w of L_t + w F_t.
    """
    with torch.no_grad():
        shared = network.shared_parameters()
        parts = vectors.split([parameter.numel() for parameter in shared], dim=1)
        for parameter, whole, part in zip(ahead.shared_parameters(), shared, parts, strict=True):
            parameter.copy_(whole - rate * part.view_as(parameter))
        trunks = ahead.features(batch.features)
        after = [task_losses(network.heads(trunk[None]), batch, fair_weight) for trunk in trunks]
        return 1 - torch.stack(after) / losses


class MeasureAffinity:
    """Plain training that measures the affinity of tasks on the way; its mean [T, T] is `affinity`."""

    def __init__(self, ahead: BranchedNetwork, rate: float, every: int, fair_weight: float) -> None:
        self.ahead, self.rate, self.every, self.fair_weight = ahead.train(), rate, every, fair_weight
        self.plain = fixed_weight(fair_weight)
        self.step, self.measured = 0, 0
        self.total = np.zeros((ahead.tasks, ahead.tasks))

    @property
    def affinity(self) -> np.ndarray:
        """Return the mean of Z(i -> j) over the steps measured, [T, T]."""
        return self.total / self.measured

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients of one step and return the losses [T]."""
        self.step += 1
        if (self.step - 1) % self.every:
            return self.plain.gradients(network, batch)
        losses, vectors = task_gradients(network, batch, self.fair_weight)
        found = affinities(network, self.ahead, batch, losses, vectors, self.rate, self.fair_weight)
        self.total += found.numpy()
        self.measured += 1
        fill_trunk(network, vectors.sum(0))
        return losses


def best_groups(affinity: np.ndarray, most: int) -> list[list[int]]:
    """Return the groups of tasks with the highest total affinity, at most some number; exact up to `partitions.EXACT`.

    Args:
        affinity: Z(i -> j) [T, T]; the diagonal is not read.
        most: groups at most.
    """

    def score(tasks: tuple[int, ...]) -> float:
        own = affinity[np.ix_(tasks, tasks)]
        return float((own.sum() - own.trace()) / max(len(tasks) - 1, 1)) - TIE

    return best_partition(score, len(affinity), most)


def tag(
    problem: Problem,
    sample: Batch | None = None,
    *,
    groups: int = 2,
    rate: float = 0.1,
    every: int = 5,
    fraction: float = 1.0,
    fair_weight: float = 0.0,
) -> Fit:
    """Return the networks of the groups, stacked into one; seconds, steps and passes count both runs.

    The curve has, as epoch 0, the "affinity" of every pair (`task` to `other`, by name); `branchings` has the
    groups, of the first layer on, with the mean affinity of both directions.

    Args:
        problem: what is learned.
        sample: as in `training.fit`.
        groups: at most.
        rate: of the step that is tried.
        every: steps between two measurements.
        fraction: of the epochs over which the affinity is measured, at least one epoch.
        fair_weight: w of L_t + w F_t; 0 is the published form.
    """
    epochs = max(1, round(fraction * problem.settings.epochs))
    meter = MeasureAffinity(problem.network(problem.separate()), rate, every, fair_weight)
    first = fit(problem, problem.network(), meter, epochs=epochs)
    best = best_groups(meter.affinity, groups)
    network = problem.network([best] * len(problem.settings.widths))
    found = fit(problem, network, fixed_weight(fair_weight), sample=sample)
    affinity, singles, names = meter.affinity, [[task] for task in range(problem.tasks)], problem.people.tasks
    records = [
        {"epoch": 0, "quantity": "affinity", "task": names[i], "other": names[j], "value": float(affinity[i, j])}
        for i, j in itertools.permutations(range(problem.tasks), 2)
    ]
    branching = {"epoch": 0, "layer": 1, "groups": best, "of": singles, "similarity": (affinity + affinity.T) / 2}
    return replace(
        found,
        curve=records + found.curve,
        branchings=[branching],
        seconds=first.seconds + found.seconds,
        steps=first.steps + found.steps,
        passes=first.steps + found.steps + (problem.tasks - 1) * meter.measured,
    )
