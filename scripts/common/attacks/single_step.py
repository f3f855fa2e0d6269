"""Attacks for training: FGSM with a random start and PGD, both l_inf; the model stays in the caller's mode."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from scripts.common.attacks.classification import Classification, Model
from scripts.common.attacks.norms import project, random_start


@contextlib.contextmanager
def frozen(model: nn.Module) -> Iterator[nn.Module]:
    """Put BatchNorm layers in eval mode and turn parameter gradients off; restore both at the end.

    Attack passes then neither update running statistics nor store activations for weight gradients.
    """
    modes = [(module, module.training) for module in model.modules() if isinstance(module, _BatchNorm)]
    wanted = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        for module, _ in modes:
            module.training = False
        for parameter, _ in wanted:
            parameter.requires_grad_(False)
        yield model
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, flag in wanted:
            parameter.requires_grad_(flag)


def fgsm_random_start(
    model: Model, x: Tensor, y: Tensor, eps: float, generator: torch.Generator, step: float = 1.25
) -> Tensor:
    """Return x after one signed gradient step from a uniform random start (Wong, Rice, Kolter 2020).

    x [B, C, H, W] in [0, 1], y [B] in 0 .. K - 1, eps in pixel units; the step is `step` times eps. With
    two logits the margin and the cross-entropy have the same gradient sign, so the margin is used.
    Cost: one forward pass and one input gradient (with `frozen`, two forward-equivalents).
    """
    return pgd(model, x, y, eps, 1, generator, step * eps)


def pgd(
    model: Model,
    x: Tensor,
    y: Tensor,
    eps: float,
    steps: int,
    generator: torch.Generator,
    step_size: float | None = None,
    loss: str = "margin",
) -> Tensor:
    """Return x after signed gradient steps from a uniform random start (Madry et al. 2018).

    The step size, in pixel units, is 2.5 eps / steps unless given, so that every point of the ball
    can be reached. Cost: per step one forward pass and one input gradient. The random start is drawn
    for the whole batch, so it depends on an image's position in it. `loss`: one of `classification.LOSSES`.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    step_size = 2.5 * eps / steps if step_size is None else step_size
    point = random_start(x, "linf", eps, generator)
    # Not strict: the training loop reports a network that has become NaN, with the step.
    objective = Classification(model, y, loss, strict=False)
    for _ in range(steps):
        _, gradient, _ = objective(point)
        point = project(point + step_size * gradient.sign(), x, "linf", eps)
    return point
