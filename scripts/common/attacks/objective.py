"""Losses that an attack on a two-logit classifier maximises, with their gradients, in float32."""

import contextlib
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from scripts.common.attacks.errors import AttackCheckError

Model = Callable[[Tensor], Tensor]
LOSSES = ("margin", "cross_entropy")


def logits_of(model: Model, x: Tensor, strict: bool = True) -> Tensor:
    """Return the logits [B, 2] as float32.

    `strict` is for evaluation: autocast is off and a NaN is an error. Otherwise (attacks during training)
    the model runs in the caller's precision, since a float32 attack would slow a GPU several times.

    Raises:
        ValueError: the model does not return two logits per image.
        AttackCheckError: `strict` and a logit is not finite (a NaN would count as robust).
    """
    with torch.autocast(x.device.type, enabled=False) if strict else contextlib.nullcontext():
        logits = model(x).float()
    if logits.shape != (len(x), 2):
        raise ValueError(f"a classifier with two logits was expected, [{len(x)}, 2], not {list(logits.shape)}")
    if strict and not torch.isfinite(logits.detach()).all():
        raise AttackCheckError("the classifier returned logits that are not finite")
    return logits


def margin_of(logits: Tensor, y: Tensor) -> Tensor:
    """Return the logit of the true class minus the other one, [B]: negative when misclassified."""
    difference = logits[:, 1] - logits[:, 0]
    return torch.where(y.bool(), difference, -difference)


def is_wrong(margin: Tensor, y: Tensor) -> Tensor:
    """Return a mask of the images whose predicted class is not y; as with arg max, a tie is class 0."""
    return (margin < 0) | ((margin == 0) & y.bool())


def loss_of(logits: Tensor, y: Tensor, loss: str) -> Tensor:
    """Return the loss to be maximised, [B].

    With two logits the cross-entropy is softplus(-margin): the same gradient direction as the
    negative margin, but it vanishes in float32 where the classifier is confident. DLR, the usual
    remedy, divides by the third largest logit and does not exist here.
    """
    if loss == "margin":
        return -margin_of(logits, y)
    if loss == "cross_entropy":
        return functional.cross_entropy(logits, y.long(), reduction="none")
    raise ValueError(f"unknown loss {loss!r}; choose one of {', '.join(LOSSES)}")


@torch.no_grad()
def margin_at(model: Model, x: Tensor, y: Tensor) -> Tensor:
    """Return the margin [B]: one forward pass."""
    return margin_of(logits_of(model, x), y)


def loss_and_gradient(
    model: Model, x: Tensor, y: Tensor, loss: str = "margin", strict: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """Return margin [B], loss [B] and the loss's gradient with respect to x.

    One forward pass and one input gradient; parameters receive no gradient. `strict`: as in `logits_of`.
    """
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        logits = logits_of(model, point, strict)
        value = loss_of(logits, y, loss)
        (gradient,) = torch.autograd.grad(value.sum(), point)
    return margin_of(logits.detach(), y), value.detach(), gradient
