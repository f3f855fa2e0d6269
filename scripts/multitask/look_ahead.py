"""Look-ahead of L2T-FMT: what one step on each of a task's two losses would do, for all tasks at once.

For every task and both losses a copy of the student makes one first step of Adam on that loss, and is read on the same
minibatch, by its statistics. The first step of Adam is theta - rate g / (|g| + 1e-8), so a copy needs no optimiser, and
the 2T copies are one network with 2T blocks of weights. There is no weight decay in the step: it would be the same for
both losses, and the published clones use Adam. In single precision a weight whose gradient is near 1e-8 makes an
uncertain step, here and in Adam; the two agree to rounding in double precision.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.normalisation import EPS
from scripts.multitask.per_task import ForwardPass, both_losses

ADAM_EPS = 1e-8
AT_ONCE = 2**20  # numbers in the largest tensor of hidden units (4 MiB, a cache's size); more copies go in parts


class LookAhead(NamedTuple):
    """What 2T copies do after their step; the first dimension is the loss that was stepped on, L_t or F_t.

    `margins` [2, T, n], the log-odds of label 1 of the task; `losses` [2, T], the loss that was stepped on;
    `heads` [2, T, 2 width], the task's head, flattened.
    """

    margins: Tensor
    losses: Tensor
    heads: Tensor


def stepped(parameter: Tensor, gradient: Tensor, rate: float) -> Tensor:
    """Return a parameter after the first step of Adam."""
    return parameter - rate * gradient / (gradient.abs() + ADAM_EPS)


@torch.no_grad()
def look_ahead(network: BranchedNetwork, batch: Batch, rate: float, at_once: int = AT_ONCE) -> LookAhead:
    """Return what every task's two copies of a network do; the network itself stays as it is.

    Args:
        rate: of the step.
        at_once: numbers in the largest tensor, which bounds the memory.

    Raises:
        ValueError: the network has branches.
    """
    forward = ForwardPass(network, batch.features, observe=False)
    signals = both_losses(forward.logits, batch)[1].flatten(0, 1)
    task = torch.arange(network.tasks).repeat(2)
    widest = max(layer.weight.shape[2] for layer in network.layers)
    copies = max(1, at_once // (len(batch) * widest))
    parts = [
        _copies(network, forward, chosen, rows, rate)
        for chosen, rows in zip(signals.split(copies), task.split(copies), strict=True)
    ]
    margins, heads = (torch.cat(part).unflatten(0, (2, -1)) for part in zip(*parts, strict=True))
    labels = batch.labels
    logits = torch.stack([torch.zeros_like(margins), margins], dim=-1)
    entropies = cross_entropies(logits.flatten(0, 1), labels.repeat(1, 2)).unflatten(0, (2, -1))
    fair = fairness_losses(entropies[1], labels, batch.groups, batch.group_count)
    return LookAhead(margins, torch.stack([accuracy_losses(entropies[0]), fair]), heads.flatten(2))


def _copies(
    network: BranchedNetwork, forward: ForwardPass, signals: Tensor, task: Tensor, rate: float
) -> tuple[Tensor, Tensor]:
    """Return the margins [K, n] and heads [K, width, 2] of K copies after their step.

    Args:
        signals: gradients of the logits [K, n, 2] of the loss of each copy.
        task: of each copy [K].
    """
    head_weight, head_bias = network.head_weight[task], network.head_bias[task]
    gradients = iter(forward.shared_gradients(signals, head_weight))
    on_weight, on_bias = forward.head_gradients(signals)
    head_weight, head_bias = stepped(head_weight, on_weight, rate), stepped(head_bias, on_bias, rate)
    hidden = forward.layers[0].inputs.expand(len(task), -1, -1)
    for layer in network.layers:
        weight, bias = (stepped(parameter, next(gradients), rate) for parameter in (layer.weight, layer.bias))
        hidden = torch.baddbmm(bias[:, None], hidden, weight)
        if layer.normalised:
            scale, shift = (stepped(parameter, next(gradients), rate) for parameter in (layer.scale, layer.shift))
            hidden.sub_(hidden.mean(1, keepdim=True))
            variance = hidden.square().mean(1)  # sums over rows vectorise, `var_mean` over them does not
            hidden.mul_((scale * torch.rsqrt(variance + EPS))[:, None]).add_(shift[:, None])
        hidden.relu_()
    towards = (head_weight[..., 1] - head_weight[..., 0])[..., None]
    apart = (head_bias[:, 1] - head_bias[:, 0])[:, None]
    return (hidden @ towards)[..., 0] + apart, head_weight
