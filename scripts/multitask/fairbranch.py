"""FairBranch: branches where tasks differ, and fairness gradients without conflicts within them.

Roy, Koutlis, Papadopoulos, Ntoutsi, "FairBranch: Mitigating Bias Transfer in Fair Multi-task Learning", IJCNN 2024
(arXiv 2310.13746). A step adds the fairness loss of a task where it agrees with the task's accuracy loss on its head.
From the top layer down, groups of tasks whose parameters are similar share a copy of the layer below. Within a branch,
conflicting fairness gradients of two tasks are projected on each other's normal (FBGrad).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scripts.common.errors import UserError
from scripts.multitask.batch import Batch
from scripts.multitask.fbgrad import fairness_passes, fill, fill_with_siblings, first_branched
from scripts.multitask.gradients import gradients_of
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.similarity import cka, cosine, greedy_pairs, second_nearest_pairs, similarities
from scripts.multitask.training import split_layer

SIMILARITIES: dict[str, Callable] = {"cka": cka, "cosine": cosine}
WEIGHT_RULES = ("zero", "one", "head", "all")  # of lambda_t: never, always, agreement on the head, on all parameters
PROJECTIONS = ("off", "branches", "siblings", "all_layers")


@dataclass(frozen=True)
class Options:
    """Options of FairBranch; the published faults are among them, each off by default.

    `similarity`: "cka", "cosine", or "random" pairs, as many as CKA would merge.
    """

    tau: float = 0.7
    branch_every: int = 2  # epochs between attempts to branch
    weights: str = "head"
    projection: str = "branches"
    similarity: str = "cka"
    second_nearest: bool = False
    mean_threshold: bool = False
    late_fairness: bool = False
    fresh_normalisation: bool = False

    def __post_init__(self) -> None:
        """Refuse values that there are not.

        Raises:
            UserError: names the option and its values.
        """
        known = {"weights": WEIGHT_RULES, "projection": PROJECTIONS, "similarity": (*SIMILARITIES, "random")}
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise UserError(
                    f"multitask: fairbranch: {name} is {getattr(self, name)!r}; take one of {', '.join(values)}"
                )
        if not 0 < self.tau <= 1:
            raise UserError(f"multitask: fairbranch: tau is {self.tau}; a similarity is above 0 and at most 1")
        if self.branch_every < 1:
            raise UserError(f"multitask: fairbranch: branch_every is {self.branch_every}; take 1 epoch or more")


class FairBranch:
    """The method; keeps the depth that branches next, and records of every branching in `branchings`."""

    def __init__(
        self, network: BranchedNetwork, options: Options, generator: torch.Generator, tasks: Sequence[str]
    ) -> None:
        self.options, self.generator, self.tasks = options, generator, tasks
        self.weights: list[Tensor] = []  # lambda of the steps of this epoch
        self.depth = len(network.layers) - 1  # the layer that is split next
        self.branchings: list[dict[str, Any]] = []
        self.previous: Tensor | None = None  # lambda of the step before, for a published fault
        self.batch_statistics = False
        self.passes = 0  # backward passes through the shared layers so far

    @property
    def lowest(self) -> int:
        """Return the lowest layer that was split, or the number of layers; its tasks may all be in one group again."""
        return self.depth + 1

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients of one step and return L_t + lambda_t F_t, [T]."""
        by_batch = True if self.batch_statistics else None
        entropies = cross_entropies(network(batch.features, by_batch), batch.labels)
        accuracy = accuracy_losses(entropies)
        fair = fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)
        weights = self._weights(network, accuracy, fair)
        self.weights.append(weights.detach())
        fair = weights * fair
        losses = accuracy + fair
        place, groups = self._together(network, weights)
        if self.options.projection == "siblings" and first_branched(network) < len(network.layers):
            self.passes += fill_with_siblings(network, accuracy, fair)
        else:
            self.passes += fill(network, losses, fair, place, groups)
        if self.batch_statistics:
            for layer in network.layers:
                if layer.normalised:
                    layer.scale.grad = layer.shift.grad = None
        return losses.detach()

    def _together(self, network: BranchedNetwork, weights: Tensor) -> tuple[int, list[list[int]]]:
        """Return the first layer of which gradients are told apart, and the tasks of each backward pass that does it.

        A task whose lambda is 0 has no fairness gradient.
        """
        if self.options.projection in ("off", "siblings"):
            return len(network.layers), []
        place = 0 if self.options.projection == "all_layers" else first_branched(network)
        branches = network.paths[place] if place < len(network.layers) else []
        return place, fairness_passes([[task for task in tasks if weights[task]] for tasks in branches])

    def _weights(self, network: BranchedNetwork, accuracy: Tensor, fair: Tensor) -> Tensor:
        """Return lambda_t [T]: by default 1 where the gradients of L_t and F_t on the task's head agree, else 0."""
        rule = self.options.weights
        if rule in ("zero", "one"):
            return torch.full_like(accuracy, float(rule == "one")).detach()
        if rule == "all":
            parameters = list(network.parameters())
            own = gradients_of([*accuracy, *fair], parameters, keep_graph=True)
            self.passes += len(own)
            flat = [torch.cat([part.flatten() for part in parts]) for parts in own]
            tasks = network.tasks
            return torch.stack([(flat[t] @ flat[tasks + t] >= 0).to(accuracy) for t in range(tasks)])
        heads = [network.head_weight, network.head_bias]
        first, second = gradients_of([accuracy.sum(), fair.sum()], heads, keep_graph=True)  # a head sees its own task
        products = sum((a * b).flatten(1).sum(1) for a, b in zip(first, second, strict=True))
        weights = (products >= 0).to(accuracy)
        if self.options.late_fairness:
            weights, self.previous = self.previous, weights
            if weights is None or not self.branchings:
                return torch.zeros_like(accuracy)
        return weights

    def after_epoch(self, epoch: int, network: BranchedNetwork, optimizer: torch.optim.Optimizer) -> list[dict]:
        """Branch if it is time, and return in how many of the steps lambda was 1; `branchings` has what was done."""
        if epoch % self.options.branch_every == 0:
            self.branch(epoch, network, optimizer)
        shares, self.weights = torch.stack(self.weights).mean(0).tolist(), []
        return [
            {"quantity": "fairness_share", "task": task, "value": share}
            for task, share in zip(self.tasks, shares, strict=True)
        ]

    def branch(self, epoch: int, network: BranchedNetwork, optimizer: torch.optim.Optimizer) -> None:
        """Split the next layer by the similarity of what is above it; for one group or the first layer, do nothing."""
        top = self.lowest == len(network.layers)
        groups = [[task] for task in range(network.tasks)] if top else network.paths[self.lowest]
        if len(groups) < 2 or self.depth < 1:
            return
        blocks = network.head_weight if top else network.layers[self.lowest].weight
        found, pairs = self._pairs([block.numpy(force=True) for block in blocks])
        merged = [sorted(task for place in pair for task in groups[place]) for pair in pairs]
        split_layer(network, optimizer, self.depth, merged, keep_state=not self.options.fresh_normalisation)
        self.branchings.append(
            {"epoch": epoch, "layer": self.depth + 1, "groups": merged, "of": groups, "similarity": found}
        )
        self.depth -= 1
        if self.options.fresh_normalisation and len(self.branchings) > 1:
            self._renew_normalisation(network)

    def _pairs(self, parameters: list[np.ndarray]) -> tuple[np.ndarray, list[list[int]]]:
        options = self.options
        measure = cka if options.similarity == "random" else SIMILARITIES[options.similarity]
        found = similarities(parameters, measure)
        if options.second_nearest:
            return found, second_nearest_pairs(found)
        threshold = float(np.nanmean(found)) if options.mean_threshold else options.tau
        pairs = greedy_pairs(found, threshold)
        if options.similarity == "random":  # as many pairs, drawn
            order = torch.randperm(len(parameters), generator=self.generator).tolist()
            count = sum(len(pair) == 2 for pair in pairs)
            drawn = [sorted(order[2 * place : 2 * place + 2]) for place in range(count)]
            pairs = sorted([*drawn, *([single] for single in order[2 * count :])])
        return found, pairs

    def _renew_normalisation(self, network: BranchedNetwork) -> None:
        """Replace the normalisation by fresh layers that read the batch and are never trained, as published."""
        self.batch_statistics = True
        with torch.no_grad():
            for layer in network.layers:
                if layer.normalised:
                    layer.scale.fill_(1.0)
                    layer.shift.zero_()
