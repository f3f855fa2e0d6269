"""Weights of tasks by their gradients and how fast they learn, as in GradNorm (student and teacher of L2T-FMT).

G_t is the norm of the gradient of the weighted loss of task t on the shared parameters, and r_t its loss relative to
the first one, divided by the mean over tasks. A task whose G_t is above mean(G) r_t loses weight. As the norms contain
the weights, a step shrinks or grows a weight in proportion, and small weights stay positive.
"""

import torch
from torch import Tensor

from scripts.common.errors import UserError

STEP = 1e-3


def updated(weights: Tensor, norms: Tensor, rates: Tensor, step: float = STEP) -> Tensor:
    """Return weights [T] after a step: w_i - step sum_j s_j c_ij G_i, divided by their sum.

    s_j = sign(G_j - mean(G) r_j), c_ii = (T - 1) / T, c_ij = -1 / T: the derivative of the summed distances
    |G_j - mean(G)|.

    Args:
        weights: w.
        norms: G.
        rates: r.
    """
    signs = torch.sign(norms - norms.mean() * rates)
    stepped = weights - step * (signs - signs.mean()) * norms  # sum_j s_j c_ij = s_i - mean(s)
    return stepped / stepped.sum()


def relative_rates(losses: Tensor, first: Tensor) -> Tensor:
    """Return r [T] from the losses [T] and those of the first step, (loss / first) / mean."""
    ratios = losses / first
    return ratios / ratios.mean()


class TaskWeights:
    """Weights of T tasks, `values` [T] with the sum 1; equal at first, and always if `fixed`."""

    def __init__(self, tasks: int, fixed: bool) -> None:
        self.values = torch.full((tasks,), 1 / tasks)
        self.fixed = fixed

    def update(self, norms: Tensor, losses: Tensor, first: Tensor) -> None:
        """Move the weights by the norms of the weighted gradients, the losses, and those of the first step, each [T].

        Raises:
            UserError: a weight is not positive: the gradients are too large for the step.
        """
        if self.fixed:
            return
        self.values = updated(self.values, norms, relative_rates(losses, first))
        if not (self.values > 0).all():
            shown = [round(value, 4) for value in self.values.tolist()]
            raise UserError(
                f"multitask: l2t_fmt: the weights of the tasks became {shown}: the gradients are too large; lower the "
                "learning rate, or keep the weights fixed (weights: fixed)"
            )
