"""Conflicts of gradients by layer: pairs of losses with an angle above 90 degrees on weights that both move.

T tasks with two losses each have T (2T - 1) pairs on a layer that all share.
"""

import numpy as np
import torch

from scripts.multitask.batch import Batch
from scripts.multitask.gradients import gradients_of
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork

KINDS = ("accuracy", "fairness", "both")  # pairs of two L, of two F, of an L and an F


def pair_count(tasks: int) -> int:
    """Return the number of pairs of 2T losses, T (2T - 1)."""
    return tasks * (2 * tasks - 1)


def layer_cosines(network: BranchedNetwork, batch: Batch) -> list[np.ndarray]:
    """Return for every shared layer the cosine of each pair of the losses L_1 .. L_T, F_1 .. F_T, [2T, 2T].

    A pair whose tasks have no weights of the layer in common, or a gradient of 0, has NaN.
    """
    network.eval()  # measuring must not move the running statistics
    entropies = cross_entropies(network(batch.features, True), batch.labels)
    losses = [*accuracy_losses(entropies)]
    losses += [*fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)]
    weights = [layer.weight for layer in network.layers]
    gradients = gradients_of(losses, weights)
    found = []
    for place in range(len(weights)):
        vectors = torch.stack([own[place].flatten() for own in gradients]).double()
        norms = vectors.norm(dim=1)
        products = (vectors @ vectors.T) / (norms[:, None] * norms)
        meets = _meets(network, place)
        found.append(np.where(np.tile(meets, (2, 2)), products.numpy(), np.nan))
    network.train()
    return found


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
