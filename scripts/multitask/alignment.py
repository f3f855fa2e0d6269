"""Whether tasks with similar heads have aligned gradients: CKA of heads beside cosines of gradients, pair by pair."""

import numpy as np

from scripts.multitask.batch import Batch
from scripts.multitask.conflicts import layer_cosines
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.similarity import cka


def alignment(network: BranchedNetwork, sample: Batch, tasks: tuple[str, ...]) -> list[dict]:
    """Return a record per pair of tasks: first, second, cka of their heads, cosines on the last shared layer.

    `cosine_accuracy` is of their L gradients, `cosine_fairness` of their F gradients; NaN where they share no weights.
    """
    cosines, count = layer_cosines(network, sample)[-1], len(tasks)
    heads = network.head_weight.numpy(force=True)
    return [
        {
            "first": tasks[a],
            "second": tasks[b],
            "cka": cka(heads[a], heads[b]),
            "cosine_accuracy": float(cosines[a, b]),
            "cosine_fairness": float(cosines[count + a, count + b]),
        }
        for a, b in zip(*np.triu_indices(count, 1), strict=True)
    ]
