"""Recon: layers where gradients conflict most become task-specific.

Shi, Li, Zhang, Chen, Wu, "Recon: Reducing Conflicting Gradients from the Root for Multi-Task Learning", ICLR 2023
(arXiv 2302.11289): a short run counts per shared layer the pairs of tasks whose gradients have a cosine below S; the K
layers with most of them get a copy per task, and the new network is trained from scratch.

Ours where the source is not at hand: the short run takes .3 of the epochs, its step is the plain sum of the losses,
every step of it counts, a layer is its weights, biases and normalisation, a layer without any conflict stays shared,
and of two layers with equally many the one nearer to the heads is taken.
"""

from dataclasses import replace

import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.gradients import fill_trunk, task_gradients
from scripts.multitask.network import BranchedNetwork, Groups
from scripts.multitask.simple import fixed_weight
from scripts.multitask.training import Fit, Problem, fit


def conflicts_below(vectors: Tensor, threshold: float) -> int:
    """Return how many pairs of gradients [T, m] have a cosine below a threshold; a gradient of 0 has none."""
    unit = torch.nn.functional.normalize(vectors, dim=1, eps=torch.finfo(vectors.dtype).tiny)
    cosines = unit @ unit.T
    present = (vectors != 0).any(1)
    below = (cosines < threshold) & present & present[:, None]
    return int(torch.triu(below, 1).sum())


def worst_layers(counts: list[int], most: int) -> list[int]:
    """Return the layers with most conflicts, at most some number and none without a conflict, from the input on."""
    ranked = sorted(range(len(counts)), key=lambda place: (-counts[place], -place))
    return sorted(place for place in ranked[:most] if counts[place] > 0)


class CountConflicts:
    """Plain training that counts, per layer and over all steps, the conflicts of the tasks' gradients in `counts`."""

    def __init__(self, layers: int, threshold: float, fair_weight: float) -> None:
        self.threshold, self.fair_weight = threshold, fair_weight
        self.counts = [0] * layers

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients of one step and return the losses [T]."""
        losses, vectors = task_gradients(network, batch, self.fair_weight)
        sizes = [sum(p.numel() for p in layer.parameters()) for layer in network.layers]
        for place, part in enumerate(vectors.split(sizes, dim=1)):
            self.counts[place] += conflicts_below(part, self.threshold)
        fill_trunk(network, vectors.sum(0))
        return losses


def groups_of(tasks: int, layers: int, specific: list[int]) -> list[Groups]:
    """Return for every layer one group of all tasks, or a group per task where it is task-specific."""
    return [[[task] for task in range(tasks)] if place in specific else [range(tasks)] for place in range(layers)]


def recon(
    problem: Problem,
    sample: Batch | None = None,
    *,
    threshold: float = -0.02,
    layers: int = 2,
    fraction: float = 0.3,
    fair_weight: float = 0.0,
) -> Fit:
    """Return the network trained from scratch; seconds, steps and passes count the short run too.

    The curve has, as epoch 0, "conflicts_below" (pairs over all steps of the short run) and "task_specific" (0 or 1) of
    every layer, counted from 1.

    Args:
        problem: what is learned.
        sample: as in `training.fit`.
        threshold: S, the cosine below which a pair counts.
        layers: K, how many become task-specific at most.
        fraction: of the epochs that the short run takes, at least one epoch.
        fair_weight: w of L_t + w F_t; 0 is the published form.
    """
    depth, epochs = len(problem.settings.widths), max(1, round(fraction * problem.settings.epochs))
    counter = CountConflicts(depth, threshold, fair_weight)
    short = fit(problem, problem.network(), counter, epochs=epochs)
    specific = worst_layers(counter.counts, layers)
    network = problem.network(groups_of(problem.tasks, depth, specific))
    found = fit(problem, network, fixed_weight(fair_weight), sample=sample)
    records = [
        {"epoch": 0, "quantity": name, "layer": place + 1, "value": float(value)}
        for place, count in enumerate(counter.counts)
        for name, value in (("conflicts_below", count), ("task_specific", place in specific))
    ]
    return replace(
        found,
        curve=records + found.curve,
        seconds=short.seconds + found.seconds,
        steps=short.steps + found.steps,
        passes=problem.tasks * short.steps + found.steps,
    )
