"""MTA-F: the fairness loss is split between heads and trunk.

Wang, Wang, Beutel, Prost, Chen, Chi, "Understanding and Improving Fairness-Accuracy Trade-offs in Multi-Task Learning",
KDD 2021 (arXiv 2106.02705), splits the fairness loss between the heads and the shared layers; how exactly is not
established here. Ours, the simplest split: a head descends L_t + h F_t, the trunk the sum of L_t + s F_t, both on all
rows. With h = s it is `simple.fixed_weight`.
"""

import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.training import Fit, Problem, fit


class SplitFairness:
    """The method; weights of F_t for the heads and for the trunk."""

    def __init__(self, head_weight: float, trunk_weight: float) -> None:
        self.head_weight, self.trunk_weight = head_weight, trunk_weight

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients of one step and return the losses of the heads [T]."""
        entropies = cross_entropies(network(batch.features), batch.labels)
        accuracy = accuracy_losses(entropies)
        fair = fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)
        heads, shared = [network.head_weight, network.head_bias], network.shared_parameters()
        losses = accuracy + self.head_weight * fair
        found = torch.autograd.grad(losses.sum(), heads, retain_graph=True)  # goes no deeper than the heads
        found += torch.autograd.grad((accuracy + self.trunk_weight * fair).sum(), shared)
        for parameter, gradient in zip([*heads, *shared], found, strict=True):
            parameter.grad = gradient
        return losses.detach()


def mta_f(
    problem: Problem, sample: Batch | None = None, *, fair_weight: float = 1.0, trunk_fraction: float = 0.5
) -> Fit:
    """Return a network whose heads and trunk weight the fairness loss apart, as `training.fit` does.

    Args:
        problem: what is learned.
        sample: as in `training.fit`.
        fair_weight: h, of F_t on the heads.
        trunk_fraction: s / h.
    """
    method = SplitFairness(fair_weight, trunk_fraction * fair_weight)
    return fit(problem, problem.network(), method, sample=sample)
