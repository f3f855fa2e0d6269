"""Gradients of several losses on shared parameters, their conflicts, and projections that take conflicts away."""

from collections.abc import Sequence

import torch
from torch import Tensor

from scripts.multitask.network import BranchedNetwork


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


def pcgrad(gradients: Tensor, orders: Sequence[Sequence[int]]) -> Tensor:
    """Return the sum of gradients [K, m] after PCGrad (Yu et al. 2020, algorithm 1), [m].

    Args:
        orders: for each gradient the order in which the others are compared with it; each comparison is with the
            original of the other one.
    """
    total = torch.zeros_like(gradients[0])
    for own, order in enumerate(orders):
        gradient = gradients[own].clone()
        for other in order:
            product = gradient @ gradients[other]
            if other != own and product < 0:
                gradient -= product / (gradients[other] @ gradients[other]) * gradients[other]
        total += gradient
    return total


def layer_parameters(network: BranchedNetwork, place: int) -> list[Tensor]:
    """Return the parameters of a shared layer: each [blocks or paths, ...]."""
    return list(network.layers[place].parameters())


def block_vectors(gradients: Sequence[Tensor], block: int) -> Tensor:
    """Return the gradients of one block of a layer as one vector [m]."""
    return torch.cat([gradient[block].reshape(-1) for gradient in gradients])
