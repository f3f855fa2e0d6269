"""PCGrad: gradient surgery on the trunk.

Yu, Kumar, Gupta, Levine, Hausman, Finn, "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, algorithm 1: every
task's gradient loses its component along each original gradient that conflicts with it, met in a random order; the
results are summed. Heads get the gradient of their task. Ours: a fresh order per task and step, and one vector for the
whole trunk, normalisation included.
"""

from dataclasses import replace

import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.gradients import fill_trunk, task_gradients
from scripts.multitask.gradients import pcgrad as projected
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.training import Fit, Problem, fit


class PCGrad:
    """The method for a trunk without branches.

    Args:
        fair_weight: w of L_t + w F_t; 0 is the published form.
        generator: of the orders.
    """

    def __init__(self, fair_weight: float, generator: torch.Generator) -> None:
        self.fair_weight, self.generator = fair_weight, generator

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients of one step and return the losses [T]."""
        losses, vectors = task_gradients(network, batch, self.fair_weight)
        orders = torch.rand(len(vectors), len(vectors), generator=self.generator).argsort(1)
        fill_trunk(network, projected(vectors, orders))
        return losses


def pcgrad(problem: Problem, sample: Batch | None = None, *, fair_weight: float = 0.0) -> Fit:
    """Return a network trained with PCGrad, as `training.fit` does."""
    method = PCGrad(fair_weight, problem.generator("pcgrad"))
    found = fit(problem, problem.network(), method, sample=sample)
    return replace(found, passes=problem.tasks * found.steps)
