"""Conflicts of gradients by layer: pairs of losses with an angle above 90 degrees on weights that both move.

T tasks with two losses each have T (2T - 1) pairs on a layer that all share.
"""

import numpy as np
import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.normalisation import EPS
from scripts.multitask.per_task import both_losses

KINDS = ("accuracy", "fairness", "both")  # pairs of two L, of two F, of an L and an F


def pair_count(tasks: int) -> int:
    """Return the number of pairs of 2T losses, T (2T - 1)."""
    return tasks * (2 * tasks - 1)


def layer_cosines(network: BranchedNetwork, batch: Batch) -> list[np.ndarray]:
    """Return for every shared layer the cosine of each pair of the losses L_1 .. L_T, F_1 .. F_T, [2T, 2T].

    A pair whose tasks have no weights of the layer in common, or a gradient of 0, has NaN. Normalisation is by the
    batch, as in a step, and running statistics stay as they are.
    """
    found = []
    for place, gradients in enumerate(weight_gradients(network, batch)):
        vectors = gradients.flatten(1).double()
        norms = vectors.norm(dim=1)
        products = (vectors @ vectors.T) / (norms[:, None] * norms)
        meets = _meets(network, place)
        found.append(np.where(np.tile(meets, (2, 2)), products.numpy(), np.nan))
    return found


@torch.no_grad()
def weight_gradients(network: BranchedNetwork, batch: Batch) -> list[Tensor]:
    """Return the gradients of L_1 .. L_T, F_1 .. F_T on the weights of their tasks, [2T, in, out] for every layer.

    By hand, as in `per_task`, and with branches: all losses share one forward pass, and each step back is one product.
    """
    passes, hidden = [], batch.features[None]
    for layer in network.layers:
        linear = torch.baddbmm(layer.bias[layer.block][:, None], hidden[layer.parent], layer.weight[layer.block])
        factor = None
        if layer.normalised:
            linear -= linear.mean(1, keepdim=True)
            inverse = torch.rsqrt(linear.square().mean(1, keepdim=True) + EPS)
            factor = layer.scale[:, None] * inverse
            standard = linear * inverse
            linear = standard * layer.scale[:, None] + layer.shift[:, None]
        output = torch.relu(linear)
        passes.append((layer, hidden, output > 0, standard if layer.normalised else None, factor))
        hidden = output
    path = network.head_parent
    logits = torch.baddbmm(network.head_bias[:, None], hidden[path], network.head_weight)
    back = both_losses(logits, batch)[1] @ network.head_weight.mT  # [2, T, n, width]
    found: list[Tensor] = []
    for place in range(len(passes) - 1, -1, -1):
        layer, inputs, positive, standard, factor = passes[place]
        back.mul_(positive[path])
        if standard is not None and factor is not None:
            own = standard[path]
            slopes, means = (back * own).mean(2, keepdim=True), back.mean(2, keepdim=True)
            back.addcmul_(own, slopes, value=-1).sub_(means).mul_(factor[path])
        block, path = layer.block[path], layer.parent[path]
        below = inputs[0] if len(inputs) == 1 else inputs[path]
        found.append((below.mT @ back).flatten(0, 1))
        if place:
            back = back @ layer.weight[block].mT
    return found[::-1]


def _meets(network: BranchedNetwork, place: int) -> np.ndarray:
    """Return whether two tasks share weights of a layer, bool [T, T]."""
    block = np.empty(network.tasks, int)
    for path, tasks in enumerate(network.paths[place]):
        block[tasks] = int(network.layers[place].block[path])
    return block[:, None] == block


def conflict_records(network: BranchedNetwork, batch: Batch) -> list[dict]:
    """Return records of the conflicts of a network: by layer and kind of pair the pairs, conflicts and mean angle.

    `quantity` is "pairs", "conflicts" or "angle" (degrees), `layer` counts from 1, `kind` is one of KINDS.
    """
    records = []
    for layer, cosines in enumerate(layer_cosines(network, batch), 1):
        tasks = len(cosines) // 2
        first, second = np.triu_indices(2 * tasks, 1)
        values, fair = cosines[first, second], (first >= tasks).astype(int) + (second >= tasks)
        for kind, wanted in zip(KINDS, (0, 2, 1), strict=True):
            own = values[(fair == wanted) & ~np.isnan(values)]
            quantities = {"pairs": len(own), "conflicts": int((own < 0).sum())}
            if len(own):
                quantities["angle"] = float(np.degrees(np.arccos(own.clip(-1, 1))).mean())
            records += [
                {"quantity": name, "layer": layer, "kind": kind, "value": float(value)}
                for name, value in quantities.items()
            ]
    return records


def conflict_count(records: list[dict]) -> float:
    """Return the conflicts of all layers and kinds."""
    return sum(record["value"] for record in records if record["quantity"] == "conflicts")
