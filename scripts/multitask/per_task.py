"""Gradients of many losses of one shared network at once, by hand: one forward pass and batched products backwards.

All losses share the forward pass, so a backward step of K of them through a layer is one product per weight,
[K, n, out] by [out, in], in place of K small ones and their bookkeeping. Normalisation is by the batch.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork, SharedLayer
from scripts.multitask.normalisation import EPS


class LayerPass(NamedTuple):
    """What the way back through a layer needs: rows [n, in], standardised [n, out], 1 / deviation [out], positive."""

    layer: SharedLayer
    inputs: Tensor
    standard: Tensor | None
    inverse: Tensor | None
    positive: Tensor


class ForwardPass:
    """A forward pass of a network without branches: `features` [n, width] and `logits` [T, n, 2].

    Args:
        observe: move the running statistics, as a forward pass in training mode does.

    Raises:
        ValueError: the network has branches.
    """

    @torch.no_grad()
    def __init__(self, network: BranchedNetwork, inputs: Tensor, observe: bool) -> None:
        if any(len(layer.block) > 1 for layer in network.layers):
            raise ValueError("a network without branches is needed")
        self.network, self.layers, hidden = network, [], inputs
        for layer in network.layers:
            linear, standard, inverse = torch.addmm(layer.bias[0], hidden, layer.weight[0]), None, None
            if layer.normalised:
                mean = linear.mean(0)
                standard = linear.sub_(mean)
                variance = standard.square().mean(0)  # sums over rows vectorise, `var_mean` over them does not
                if observe:
                    layer.observe(mean[None], variance[None], len(linear))
                inverse = torch.rsqrt(variance + EPS)
                standard.mul_(inverse)
                linear = torch.addcmul(layer.shift[0], standard, layer.scale[0])
            output = torch.relu(linear)
            self.layers.append(LayerPass(layer, hidden, standard, inverse, (output > 0).to(output)))
            hidden = output
        self.features = hidden
        self.logits = torch.baddbmm(network.head_bias[:, None], self._shared(network.tasks), network.head_weight)

    def _shared(self, count: int) -> Tensor:
        return self.features.expand(count, *self.features.shape)

    @torch.no_grad()
    def head_gradients(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients [K, width, 2] and [K, 2] of heads from those of their logits [K, n, 2]."""
        return self._shared(len(signals)).mT @ signals, signals.sum(1)

    @torch.no_grad()
    def shared_gradients(self, signals: Tensor, heads: Tensor) -> list[Tensor]:
        """Return the gradients of K losses on the shared parameters, each [K, ...], in the network's order.

        Args:
            signals: gradients of the logits of the K losses [K, n, 2].
            heads: weights of their heads [K, width, 2].
        """
        gradients: list[Tensor] = []
        back = signals @ heads.mT
        for place in range(len(self.layers) - 1, -1, -1):
            found, back = _layer_back(self.layers[place], back, through=place > 0)
            gradients = found + gradients
        return gradients


def _layer_back(done: LayerPass, back: Tensor, through: bool) -> tuple[list[Tensor], Tensor]:
    """Return the gradients of a layer's parameters, and of its inputs [K, n, in], from those of its outputs.

    `back` is overwritten. A bias before a normalisation has the gradient 0, exactly.
    """
    layer, weight = done.layer, done.layer.weight[0]
    back.mul_(done.positive)
    totals = back.sum(1)
    if done.standard is None or done.inverse is None:
        found = [done.inputs.mT @ back, totals]
    else:
        rows, factor = len(done.inputs), layer.scale[0] * done.inverse
        slopes = (back * done.standard).sum(1)
        back.addcmul_(done.standard, slopes[:, None], value=-1 / rows).sub_(totals[:, None] / rows)
        weight = weight * factor
        found = [(done.inputs.mT @ back) * factor, torch.zeros_like(totals), slopes, totals]
    return found, back @ weight.mT if through else back


def both_losses(logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return L_t and F_t of all tasks [2, T], and their gradients with respect to the logits [2, T, n, 2]."""
    with torch.enable_grad():
        leaf = logits.detach().requires_grad_()
        entropies = cross_entropies(leaf, batch.labels)
        accuracy = accuracy_losses(entropies)
        fair = fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)
        (first,) = torch.autograd.grad(accuracy.sum(), leaf, retain_graph=True)  # a logit is in its task's losses only
        (second,) = torch.autograd.grad(fair.sum(), leaf)
    return torch.stack([accuracy, fair]).detach(), torch.stack([first, second])
