"""Methods whose step is one backward pass of a sum of losses: plain, fair, class-balanced, greedy."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.losses import accuracy_losses, class_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork

Combine = Callable[[Tensor, Tensor], Tensor]


class SummedLosses:
    """One backward pass of the sum over tasks of a combination of L_t and F_t.

    Args:
        combine: (L, F), each [T] -> the loss of every task [T].
        by_class: take F_t without groups, the mean cross-entropy per class.
    """

    def __init__(self, combine: Combine, by_class: bool = False) -> None:
        self.combine, self.by_class = combine, by_class

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients and return the losses [T]."""
        entropies = cross_entropies(network(batch.features), batch.labels)
        if self.by_class:
            fair = class_losses(entropies, batch.labels)
        else:
            fair = fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)
        losses = self.combine(accuracy_losses(entropies), fair)
        losses.sum().backward()
        return losses.detach()


def vanilla() -> SummedLosses:
    """Sum of L_t."""
    return SummedLosses(lambda accuracy, fair: accuracy)


def fixed_weight(weight: float) -> SummedLosses:
    """Sum of L_t + weight F_t."""
    return SummedLosses(lambda accuracy, fair: accuracy + weight * fair)


def class_balanced(weight: float) -> SummedLosses:
    """Sum of L_t + weight times the mean cross-entropy per class: F_t without its groups."""
    return SummedLosses(lambda accuracy, fair: accuracy + weight * fair, by_class=True)


def greedy() -> SummedLosses:
    """Greedy-FMT: in every step and for every task the larger of L_t and F_t."""
    return SummedLosses(torch.maximum)


def fairness_only() -> SummedLosses:
    """Sum of F_t."""
    return SummedLosses(lambda accuracy, fair: fair)


class FrozenTrunk:
    """A published fault around a method: the shared gradients are stored and never written back, so the trunk stays.

    Only the heads learn (L2T-FMT's notebooks, which set a gradient only where it is not None after setting it to None).
    """

    def __init__(self, method) -> None:
        self.method = method

    def __getattr__(self, name: str) -> Any:  # hooks and settings of the method that training reads
        return getattr(self.method, name)

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients of the heads alone and return the losses [T]."""
        losses = self.method.gradients(network, batch)
        for parameter in network.shared_parameters():
            parameter.grad = None  # AdamW leaves such parameters alone, its weight decay too
        return losses
