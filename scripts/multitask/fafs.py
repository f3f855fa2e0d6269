"""FAFS: a thin network that is widened from the top down, by how often tasks find the same people difficult.

Lu, Kumar, Zhai, Cheng, Javidi, Feris, "Fully-Adaptive Feature Sharing in Multi-Task Networks with Applications in
Person Attribute Classification", CVPR 2017 (arXiv 1611.05377). A person is difficult for a task if the error |y - p| is
at least its mean; the affinity of two tasks is the fraction of people who are difficult for both or for neither. From
the top, the branches above a layer are grouped by affinity, the layer is copied per group, and so on until one group is
left.

Ours where the source is not at hand: half the widths at the start, drawn at random (the source picks filters of a
pretrained network); affinity on training rows, at most 20,000, in evaluation mode; a layer may be split every two
epochs, the first one too; the cost of groups is `branch_cost` per group beyond the first plus the mean over branches of
1 - the smallest affinity within the group, and its minimum is taken over all partitions (see `partitions`).
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.losses import task_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.partitions import best_partition
from scripts.multitask.training import Fit, Problem, fit, split_layer

ROWS = 20_000  # training rows at most that the affinity is measured on


def task_affinity(errors: np.ndarray) -> np.ndarray:
    """Return the fraction of rows that are difficult for both or for neither of two tasks, [T, T].

    Args:
        errors: |y - p| [n, T]; a row is difficult where it is at least the task's mean.
    """
    difficult = (errors >= errors.mean(0)).astype(float)
    return (difficult.T @ difficult + (1 - difficult).T @ (1 - difficult)) / len(errors)


def branch_affinity(affinity: np.ndarray, branches: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the affinity of branches [B, B], symmetric.

    A branch's affinity to another is the mean over its tasks of the smallest affinity to a task of the other; both
    directions are averaged.
    """
    one_way = np.array([[affinity[np.ix_(a, b)].min(1).mean() for b in branches] for a in branches])
    return (one_way + one_way.T) / 2


def best_groups(affinity: np.ndarray, branch_cost: float) -> list[list[int]]:
    """Return the groups of branches [B, B] with the lowest cost.

    The cost is `branch_cost` per group beyond the first plus the mean over branches of 1 - smallest affinity to another
    branch of the group, 0 for a branch alone.
    """

    def gain(branches: tuple[int, ...]) -> float:
        own = affinity[np.ix_(branches, branches)].copy()
        np.fill_diagonal(own, 1.0)
        return -branch_cost - float((1 - own.min(1)).sum()) / len(affinity)

    return best_partition(gain, len(affinity))


class Widen:
    """The method; keeps the depth that is split next, -1 when the network has its last form."""

    def __init__(self, rows: Batch, depth: int, split_every: int, branch_cost: float, fair_weight: float) -> None:
        self.rows, self.depth = rows, depth
        self.split_every, self.branch_cost, self.fair_weight = split_every, branch_cost, fair_weight
        self.branchings: list[dict[str, Any]] = []

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients of one step and return the losses [T]."""
        losses = task_losses(network(batch.features), batch, self.fair_weight)
        losses.sum().backward()
        return losses.detach()

    def after_epoch(self, epoch: int, network: BranchedNetwork, optimizer: torch.optim.Optimizer) -> list[dict]:
        """Split the next layer if it is time and return a record of its branches."""
        if self.depth < 0 or epoch % self.split_every:
            return []
        top = self.depth + 1 == len(network.layers)
        branches = [[task] for task in range(network.tasks)] if top else network.paths[self.depth + 1]
        affinity = branch_affinity(task_affinity(self._errors(network)), branches)
        groups = best_groups(affinity, self.branch_cost)
        record = {"quantity": "branches", "layer": self.depth + 1, "value": float(len(groups))}
        if len(groups) == 1:
            self.depth = -1
            return [record]
        merged = [sorted(task for place in group for task in branches[place]) for group in groups]
        split_layer(network, optimizer, self.depth, merged)
        self.branchings.append(
            {"epoch": epoch, "layer": self.depth + 1, "groups": merged, "of": branches, "similarity": affinity}
        )
        self.depth -= 1
        return [record]

    @torch.no_grad()
    def _errors(self, network: BranchedNetwork) -> np.ndarray:
        """Return |y - p| of the rows and tasks [n, T], in evaluation mode."""
        network.eval()
        logits = network(self.rows.features)
        network.train()
        return (self.rows.labels.T - torch.sigmoid(logits[..., 1] - logits[..., 0])).abs().T.double().numpy()


def fafs(
    problem: Problem,
    sample: Batch | None = None,
    *,
    thin: float = 0.5,
    split_every: int = 2,
    branch_cost: float = 0.1,
    fair_weight: float = 0.0,
) -> Fit:
    """Return a widened network, as `training.fit` does; the curve has "branches" of every layer that was looked at.

    Args:
        problem: what is learned.
        sample: as in `training.fit`.
        thin: width of every layer as a fraction of the settings' widths.
        split_every: epochs between two layers.
        branch_cost: of a group beyond the first.
        fair_weight: w of L_t + w F_t; 0 is the published form.
    """
    widths = tuple(max(1, round(thin * width)) for width in problem.settings.widths)
    narrow = copy.copy(problem)
    narrow.settings = replace(problem.settings, widths=widths)
    order = torch.randperm(len(problem.train), generator=problem.generator("fafs"))[:ROWS]
    method = Widen(problem.train.take(order), len(widths) - 1, split_every, branch_cost, fair_weight)
    found = fit(narrow, narrow.network(), method, sample=sample)
    return replace(found, branchings=method.branchings)
