"""Objectives of attacks on classifiers with K >= 2 logits, in float32: margin, cross-entropy, DLR, targeted or not."""

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from scripts.common.attacks.objective import Objective, checked

Model = Callable[[Tensor], Tensor]
LOSSES = ("margin", "cross_entropy", "dlr")
TARGETED = ("margin_targeted", "dlr_targeted")
CLASSES = {"dlr": 3, "dlr_targeted": 4}  # the fewest that a loss is defined for; the others need two


def logits_of(model: Model, x: Tensor, strict: bool = True) -> Tensor:
    """Return the logits [B, K] as float32.

    `strict` is for evaluation: autocast is off and a NaN is an error. Otherwise (attacks during training)
    the model runs in the caller's precision, since a float32 attack would slow a GPU several times.

    Raises:
        ValueError: the model does not return two logits or more per image.
        AttackCheckError: `strict` and a logit is not finite (a NaN would count as robust).
    """
    with torch.autocast(x.device.type, enabled=False) if strict else contextlib.nullcontext():
        logits = model(x).float()
    if logits.ndim != 2 or len(logits) != len(x) or logits.shape[1] < 2:
        shape = list(logits.shape)
        raise ValueError(f"a classifier with two logits or more was expected, [{len(x)}, K], not {shape}")
    return checked(logits, "classifier returned logits", strict)


def margin_of(logits: Tensor, y: Tensor) -> Tensor:
    """Return the logit of the true class minus the largest other one, [B]: negative when misclassified."""
    if logits.shape[1] == 2:  # several times cheaper than the general form
        difference = logits[:, 1] - logits[:, 0]
        return torch.where(y.bool(), difference, -difference)
    true = y.long()[:, None]
    return logits.gather(1, true)[:, 0] - logits.scatter(1, true, -torch.inf).max(1).values


def misclassified(logits: Tensor, y: Tensor) -> Tensor:
    """Return a mask [B] of the images whose predicted class is not y; as with arg max, a tie is the lower class."""
    margin = margin_of(logits, y)
    tie_is_wrong = y.bool() if logits.shape[1] == 2 else logits.argmax(1) != y
    return (margin < 0) | ((margin == 0) & tie_is_wrong)


def loss_of(logits: Tensor, y: Tensor, loss: str, target: Tensor | None = None) -> Tensor:
    """Return the loss to be maximised, [B]; all but the cross-entropy are positive when misclassified.

    - margin: the negative margin. It does not vanish where the classifier is confident, as the cross-entropy does in
      float32; with two logits the latter is softplus(-margin), of the same gradient direction.
    - dlr: the negative margin over the difference of the largest and the third largest logit, which the scale of the
      logits leaves as it is (Croce and Hein 2020, "Reliable evaluation of adversarial robustness", equation 6).
    - margin_targeted: the logit of class `target` [B] minus the true one.
    - dlr_targeted: the same over the largest logit minus the mean of the third and fourth largest (equation 7).

    Raises:
        ValueError: the loss is unknown, lacks a target, or is not defined for so few classes.
    """
    if loss not in LOSSES + TARGETED:
        raise ValueError(f"unknown loss {loss!r}; choose one of {', '.join(LOSSES + TARGETED)}")
    if logits.shape[1] < CLASSES.get(loss, 2):
        raise ValueError(f"the loss {loss} needs {CLASSES[loss]} classes or more, not {logits.shape[1]}")
    if loss == "margin":
        return -margin_of(logits, y)
    if loss == "cross_entropy":
        return functional.cross_entropy(logits, y.long(), reduction="none")
    if loss == "dlr":
        top = logits.topk(3, dim=1).values
        return -margin_of(logits, y) / (top[:, 0] - top[:, 2] + 1e-12)
    if target is None:
        raise ValueError(f"the loss {loss} needs a target class per image")
    ahead = (logits.gather(1, target.long()[:, None]) - logits.gather(1, y.long()[:, None]))[:, 0]
    if loss == "margin_targeted":
        return ahead
    top = logits.topk(4, dim=1).values
    return ahead / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + 1e-12)


class Classification(Objective):
    """Loss of a classifier on images of classes y; done where an image is misclassified, as whatever class.

    Args:
        model: x [B, C, H, W] -> logits [B, K].
        y: integers [B] in 0 .. K - 1.
        loss: one of `LOSSES` and `TARGETED`; those need `target`, the class [B] to be moved to.
        strict: as in `logits_of`.
    """

    def __init__(
        self, model: Model, y: Tensor, loss: str = "margin", strict: bool = True, target: Tensor | None = None
    ) -> None:
        self.model, self.y, self.loss, self.strict, self.target = model, y, loss, strict, target

    def __getitem__(self, which: Tensor) -> "Classification":
        """Return the objective of some of the images: a mask or an index."""
        target = None if self.target is None else self.target[which]
        return Classification(self.model, self.y[which], self.loss, self.strict, target)

    def __call__(self, x: Tensor, gradient: bool = True) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return loss [B], its gradient by x or None, and which images are misclassified [B]."""
        slope = None
        with torch.set_grad_enabled(gradient):
            point = x.detach().requires_grad_(gradient)
            logits = logits_of(self.model, point, self.strict)
            value = loss_of(logits, self.y, self.loss, self.target)
            if gradient:
                (slope,) = torch.autograd.grad(value.sum(), point)
        return value.detach(), slope, misclassified(logits.detach(), self.y)

    def boundaries(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logit of the true class minus each other one (or the target's alone) and the gradients.

        One forward pass and one backward pass per boundary.

        Raises:
            ValueError: the loss is no margin.
        """
        if self.loss not in ("margin", "margin_targeted"):
            raise ValueError(f"the loss {self.loss} has no boundary of its own; FAB takes the margin")
        with torch.enable_grad():
            point = x.detach().requires_grad_()
            logits = logits_of(self.model, point, self.strict)
            gaps = self._gaps(logits)
            last = len(gaps) - 1
            slopes = [torch.autograd.grad(gap.sum(), point, retain_graph=j < last)[0] for j, gap in enumerate(gaps)]
        return torch.stack([gap.detach() for gap in gaps]), torch.stack(slopes) if last else slopes[0][None]

    def _gaps(self, logits: Tensor) -> list[Tensor]:
        if self.target is not None:
            return [-loss_of(logits, self.y, "margin_targeted", self.target)]
        if logits.shape[1] == 2:
            return [margin_of(logits, self.y)]
        true = self.y.long()[:, None]
        others = torch.arange(logits.shape[1] - 1, device=logits.device)
        others = others + (others >= true)  # [B, K - 1]: the classes without the true one
        return list((logits.gather(1, true) - logits.gather(1, others)).T)


@torch.no_grad()
def margin_at(model: Model, x: Tensor, y: Tensor) -> Tensor:
    """Return the margin [B]: one forward pass."""
    return margin_of(logits_of(model, x), y)


@torch.no_grad()
def outcome_at(model: Model, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the margin [B] and which images are misclassified [B]: one forward pass."""
    logits = logits_of(model, x)
    return margin_of(logits, y), misclassified(logits, y)


@torch.no_grad()
def by_target(model: Model, x: Tensor, y: Tensor, loss: str, targets: int) -> Iterator[Classification]:
    """Yield the targeted objective for each of the likeliest other classes, the likeliest first.

    Which they are, at most `targets`, is decided by one forward pass on x.
    """
    logits = logits_of(model, x).scatter(1, y.long()[:, None], -torch.inf)
    ranked = logits.argsort(dim=1, descending=True, stable=True)[:, :-1]
    for rank in range(min(targets, ranked.shape[1])):
        yield Classification(model, y, loss, target=ranked[:, rank])
