"""Losses per task: mean cross-entropy, the robust-log fairness loss, and the same without groups."""

import torch
from torch import Tensor

from scripts.multitask.batch import Batch


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of every row and task [T, n] from logits [T, n, 2] and labels [n, T]."""
    margin = logits[..., 1] - logits[..., 0]
    return torch.nn.functional.softplus(torch.where(labels.T > 0, -margin, margin))


def accuracy_losses(entropies: Tensor) -> Tensor:
    """Return L_t, the mean cross-entropy of every task [T]."""
    return entropies.mean(1)


def subgroup_means(entropies: Tensor, labels: Tensor, groups: Tensor, group_count: int) -> tuple[Tensor, Tensor]:
    """Return the mean cross-entropy of every task, label and group [T, 2, G], and the rows that each mean is over.

    Args:
        entropies: [T, n].
        labels: [n, T], 0 or 1.
        groups: codes [n], 0 to G - 1; a subgroup without rows has the mean 0 and the count 0.
    """
    subgroup = labels.T.long() * group_count + groups.long()
    empty = entropies.new_zeros(len(entropies), 2 * group_count)
    totals = empty.scatter_add(1, subgroup, entropies)
    counts = empty.scatter_add(1, subgroup, torch.ones_like(entropies))
    shape = (len(entropies), 2, group_count)
    return (totals / counts.clamp_min(1)).view(shape), counts.view(shape)


def fairness_losses(entropies: Tensor, labels: Tensor, groups: Tensor, group_count: int) -> Tensor:
    """Return F_t = sum over labels of the largest mean cross-entropy of a group [T] (FairBranch, section IV).

    A group without rows of a label is left out; a label without rows adds 0. The published code gives NaN there.
    """
    means, counts = subgroup_means(entropies, labels, groups, group_count)
    return torch.where(counts > 0, means, means.new_zeros(())).amax(2).sum(1)


def class_losses(entropies: Tensor, labels: Tensor) -> Tensor:
    """Return F_t of a single group [T]: the sum over labels of the mean cross-entropy, a re-weighting of classes."""
    return fairness_losses(entropies, labels, torch.zeros(len(labels), dtype=torch.int64), 1)


def task_losses(logits: Tensor, batch: Batch, fair_weight: float) -> Tensor:
    """Return L_t + w F_t of every task [T] from logits [T, n, 2]; with a weight of 0 F_t is not computed."""
    entropies = cross_entropies(logits, batch.labels)
    losses = accuracy_losses(entropies)
    if not fair_weight:
        return losses
    return losses + fair_weight * fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)
