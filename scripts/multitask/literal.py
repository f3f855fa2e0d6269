"""Literal forms of what the study computes in fewer passes: references of its benchmark and tests."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import permutations

import torch
from torch import Tensor, nn

from scripts.multitask.batch import Batch
from scripts.multitask.gradients import gradients_of
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import CLASSES, BranchedNetwork


def losses_of(network: BranchedNetwork, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return L_t and F_t of all tasks, [T] each."""
    entropies = cross_entropies(network(batch.features), batch.labels)
    return accuracy_losses(entropies), fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)


def fairbranch_step(network: BranchedNetwork, batch: Batch) -> None:
    """Fill the gradients of all L_t + F_t with FBGrad in every branched layer, by a backward pass per task."""
    accuracy, fair = losses_of(network, batch)
    parameters = [*network.parameters()]
    plain, *apart = gradients_of([accuracy.sum(), *fair], parameters)
    own = dict(zip(map(id, parameters), zip(*apart, strict=True), strict=True))
    for parameter, gradient in zip(parameters, plain, strict=True):
        parameter.grad = gradient + sum(own[id(parameter)])
    for layer, paths in zip(network.layers, network.paths, strict=True):
        if len(layer.weight) == 1:
            continue
        inside = [*layer.parameters()]
        for block, tasks in enumerate(paths):
            flat = {t: torch.cat([own[id(p)][t][block].flatten() for p in inside]) for t in tasks}
            change = torch.zeros_like(flat[tasks[0]])
            for one, other in permutations(tasks, 2):
                if (product := flat[one] @ flat[other]) < 0:
                    change -= product / (flat[other] @ flat[other]) * flat[other]
            for parameter, part in zip(inside, change.split([p[block].numel() for p in inside]), strict=True):
                parameter.grad[block] += part.view_as(parameter[block])


def pcgrad_step(network: BranchedNetwork, batch: Batch, orders: Sequence[Sequence[int]]) -> None:
    """Fill the gradients of all L_t with PCGrad on the trunk, by a backward pass and a loop per task.

    Args:
        orders: for every task the order of the others; its own number is passed over.
    """
    losses = losses_of(network, batch)[0]
    shared, heads = network.shared_parameters(), [network.head_weight, network.head_bias]
    own = gradients_of([*losses], [*shared, *heads])
    flat = [torch.cat([part.flatten() for part in parts[: len(shared)]]) for parts in own]
    total = torch.zeros_like(flat[0])
    for task, order in enumerate(orders):
        vector = flat[task].clone()
        for other in order:
            if other != task and (product := vector @ flat[other]) < 0:
                vector -= product / (flat[other] @ flat[other]) * flat[other]
        total += vector
    for parameter, part in zip(shared, total.split([p.numel() for p in shared]), strict=True):
        parameter.grad = part.view_as(parameter)
    for parameter, *parts in zip(heads, *(parts[len(shared) :] for parts in own), strict=True):
        parameter.grad = sum(parts)


def torchjd_step(network: BranchedNetwork) -> Callable[[Batch], list[Tensor]] | None:
    """Return a step of torchjd's PCGrad on torch's layers with a network's weights, or None without torchjd.

    The step returns the gradients of the trunk, in the order and shape of the network's shared parameters.
    """
    if find_spec("torchjd") is None:
        return None
    autojac, aggregation = (import_module(f"torchjd.{name}") for name in ("autojac", "aggregation"))
    trunk = single_task_network(network, 0)[:-1]
    heads = [network.head_weight.detach().clone(), network.head_bias.detach().clone()]
    shared, own = [*trunk.parameters()], [head.requires_grad_() for head in heads]

    def step(batch: Batch) -> list[Tensor]:
        for parameter in (*shared, *own):
            parameter.grad = None
        features, labels = trunk(batch.features), batch.labels.long()
        logits = [torch.addmm(bias, features, weight) for weight, bias in zip(*own, strict=True)]
        losses = [nn.functional.cross_entropy(one, y) for one, y in zip(logits, labels.T, strict=True)]
        autojac.mtl_backward(losses, features, tasks_params=[own] * len(losses), shared_params=shared)
        autojac.jac_to_grad(shared, aggregation.PCGrad())
        return [(p.grad.T if p.dim() > 1 else p.grad)[None] for p in shared]

    return step


def single_task_network(network: BranchedNetwork, task: int) -> nn.Sequential:
    """Return torch's layers with the weights of one task's path, in training mode."""
    steps, path = [], int(network.head_parent[task])
    for layer in reversed(network.layers):
        steps.insert(0, (layer, path, int(layer.block[path])))
        path = int(layer.parent[path])
    modules: list[nn.Module] = []
    for layer, own, block in steps:
        linear = nn.Linear(*layer.weight.shape[1:]).to(layer.weight)
        linear.weight.data, linear.bias.data = layer.weight.data[block].T.contiguous(), layer.bias.data[block].clone()
        modules.append(linear)
        if layer.normalised:
            normalisation = nn.BatchNorm1d(layer.weight.shape[2]).to(layer.weight)
            normalisation.weight.data, normalisation.bias.data = (
                layer.scale.data[own].clone(),
                layer.shift.data[own].clone(),
            )
            modules.append(normalisation)
        modules.append(nn.ReLU())
    head = nn.Linear(network.head_weight.shape[1], CLASSES).to(network.head_weight)
    head.weight.data, head.bias.data = (
        network.head_weight.data[task].T.contiguous(),
        network.head_bias.data[task].clone(),
    )
    return nn.Sequential(*modules, head)
