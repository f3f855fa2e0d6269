"""FBGrad: fairness gradients of tasks in one branch, without conflicts (FairBranch, section V-B), in few passes.

Two tasks in different branches share no weights there, so one backward pass serves a task of each branch.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from scripts.multitask.gradients import block_vectors, gradients_of, project_conflicts
from scripts.multitask.network import BranchedNetwork


def fairness_passes(branches: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return sets of tasks whose fairness gradients one backward pass tells apart: no two are in one branch.

    Args:
        branches: tasks of each branch of the lowest layer that has several; one that is alone needs no pass.
    """
    shared = [tasks for tasks in branches if len(tasks) > 1]
    longest = max(map(len, shared), default=0)
    return [[tasks[place] for tasks in shared if place < len(tasks)] for place in range(longest)]


def first_branched(network: BranchedNetwork) -> int:
    """Return the lowest layer of several branches, or the number of layers."""
    several = (place for place, layer in enumerate(network.layers) if len(layer.weight) > 1)
    return next(several, len(network.layers))


def fill(network: BranchedNetwork, losses: Tensor, fair: Tensor, place: int, groups: Sequence[Sequence[int]]) -> int:
    """Fill the gradients of a step, with FBGrad in the layers from `place` on, and return the backward passes.

    All losses are summed in one pass. What FBGrad changes needs one more per set of tasks, which ends at that layer.

    Args:
        losses: of every task, fairness included [T].
        fair: the part of it that is lambda F [T].
        groups: sets of tasks, see `fairness_passes`.
    """
    branched = [parameter for layer in network.layers[place:] for parameter in layer.parameters()]
    apart = gradients_of([fair[tasks].sum() for tasks in groups], branched, keep_graph=True)
    parameters = [*network.parameters()]
    (total,) = gradients_of([losses.sum()], parameters)
    for parameter, gradient in zip(parameters, total, strict=True):
        parameter.grad = gradient
    if groups:
        stacked = {id(p): torch.stack(parts) for p, *parts in zip(branched, *apart, strict=True)}
        for layer in network.layers[place:]:
            own = [*layer.parameters()]
            _project_layer(own, [stacked[id(p)] for p in own])
    return 1 + len(groups)


def _project_layer(parameters: list[Tensor], apart: list[Tensor]) -> None:
    """Add to the gradients of a layer's blocks what FBGrad changes in those of its fairness losses.

    Args:
        apart: gradients of every parameter by pass [passes, blocks, ...].
    """
    for block in range(len(parameters[0])):
        vectors = torch.cat([gradient[:, block].flatten(1) for gradient in apart], dim=1)
        if not (vectors @ vectors.T < 0).any():
            continue
        change = (project_conflicts(vectors) - vectors).sum(0)
        for parameter in parameters:
            size = parameter[block].numel()
            parameter.grad[block] += change[:size].view_as(parameter[block])
            change = change[size:]


def fill_with_siblings(network: BranchedNetwork, accuracy: Tensor, fair: Tensor) -> int:
    """Fill the gradients of a step as published, and return the backward passes.

    In place of two tasks' gradients on one branch, those of the heads or sub-branches above it are projected on each
    other's normal.

    Args:
        accuracy: L of every task [T].
        fair: lambda F of every task [T].
    """
    parameters = [*network.parameters()]
    plain, apart = gradients_of([accuracy.sum(), fair.sum()], parameters)
    total = {id(p): gradient for p, gradient in zip(parameters, apart, strict=True)}
    _project_siblings(network, total)
    for parameter, gradient in zip(parameters, plain, strict=True):
        parameter.grad = gradient + total[id(parameter)]
    return 2


def _project_siblings(network: BranchedNetwork, total: dict[int, Tensor]) -> None:
    """Project, as published, the gradients of the heads or sub-branches above one branch on each other's normal."""
    for place, layer in enumerate(network.layers):
        if len(layer.weight) == 1:
            continue
        top = place + 1 == len(network.layers)
        above = [network.head_weight, network.head_bias] if top else list(network.layers[place + 1].parameters())
        parent = network.head_parent if top else network.layers[place + 1].parent
        for block in range(len(layer.weight)):
            children = torch.flatten(torch.nonzero(parent == block)).tolist()
            if len(children) < 2:
                continue
            vectors = torch.stack([block_vectors([total[id(p)] for p in above], child) for child in children])
            for child, vector in zip(children, project_conflicts(vectors), strict=True):
                for parameter in above:
                    size = parameter[child].numel()
                    total[id(parameter)][child] = vector[:size].view_as(parameter[child])
                    vector = vector[size:]
