"""Gradients of several losses on shared parameters, their conflicts, and projections that take conflicts away."""

from collections.abc import Sequence

import torch
from torch import Tensor

from scripts.multitask.batch import Batch
from scripts.multitask.losses import task_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.per_task import ForwardPass


def gradients_of(
    losses: Sequence[Tensor], parameters: Sequence[Tensor], keep_graph: bool = False
) -> list[list[Tensor]]:
    """Return the gradient of every loss with respect to every parameter; 0 where a loss does not depend on it.

    Args:
        keep_graph: whether the graph is needed once more afterwards.
    """
    found = []
    for place, loss in enumerate(losses):
        retain = keep_graph or place + 1 < len(losses)
        own = torch.autograd.grad(loss, parameters, retain_graph=retain, allow_unused=True)
        found.append([torch.zeros_like(p) if g is None else g for g, p in zip(own, parameters, strict=True)])
    return found


def project_conflicts(gradients: Tensor) -> Tensor:
    """Return gradients [K, m] without their components against one another, all taken from the originals.

    FBGrad (FairBranch, section V-B): of each pair with a negative dot product both lose their component along the
    other: g_i - sum over conflicting j of (g_i . g_j / |g_j|^2) g_j. Of two gradients this is PCGrad.
    """
    products = gradients @ gradients.T
    squares = products.diagonal().clamp_min(torch.finfo(products.dtype).tiny)
    factors = torch.where(products < 0, products / squares, torch.zeros_like(products))
    return gradients - factors @ gradients


def pcgrad(gradients: Tensor, orders: Tensor | Sequence[Sequence[int]]) -> Tensor:
    """Return the sum of gradients [K, m] after PCGrad (Yu et al. 2020, algorithm 1), [m].

    A projected gradient is a combination of the originals, so the K x K products decide all; vectors are added once.

    Args:
        orders: [K, K or K - 1], for each gradient the order in which the others are compared with it; each comparison
            is with the original of the other one. Its own number is passed over.
    """
    products = gradients @ gradients.T  # of each gradient, as it changes, with every original
    originals, squares = products.clone(), products.diagonal().clone()
    factors = torch.eye(len(gradients), dtype=gradients.dtype)
    every = torch.arange(len(gradients))
    for other in torch.as_tensor(orders).T:
        product = products[every, other]
        factor = torch.where((product < 0) & (other != every), product / squares[other], torch.zeros_like(product))
        factors[every, other] -= factor
        products -= factor[:, None] * originals[other]
    return factors.sum(0) @ gradients


def task_gradients(network: BranchedNetwork, batch: Batch, fair_weight: float) -> tuple[Tensor, Tensor]:
    """Fill the gradients of the heads; return the losses L_t + w F_t [T] and their gradients on the trunk [T, m].

    Normalisation is by the batch. The trunk must be one for all tasks; its parameters are those of
    `network.shared_parameters()` one after another.
    A task's gradient at the top of the trunk is that at its logits times its head, so heads and losses are passed once.

    Raises:
        ValueError: the trunk has branches.
    """
    forward = ForwardPass(network, batch.features, observe=network.training)
    leaf = forward.logits.requires_grad_()
    losses = task_losses(leaf, batch, fair_weight)
    (signals,) = torch.autograd.grad(losses.sum(), leaf)
    network.head_weight.grad, network.head_bias.grad = forward.head_gradients(signals)
    shared = forward.shared_gradients(signals, network.head_weight)
    return losses.detach(), torch.cat([gradient.flatten(1) for gradient in shared], dim=1)


def fill_trunk(network: BranchedNetwork, vector: Tensor) -> None:
    """Set the gradients of all shared parameters from one vector [m]."""
    shared = network.shared_parameters()
    for parameter, part in zip(shared, vector.split([p.numel() for p in shared]), strict=True):
        parameter.grad = part.view_as(parameter)


def block_vectors(gradients: Sequence[Tensor], block: int) -> Tensor:
    """Return the gradients of one block of a layer as one vector [m]."""
    return torch.cat([gradient[block].reshape(-1) for gradient in gradients])
