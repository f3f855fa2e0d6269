"""Objective of attacks on a model that returns no classes, such as an autoencoder: a distance between outputs."""

from collections.abc import Callable

import torch
from torch import Tensor

from scripts.common.attacks.objective import Objective, checked

Distance = Callable[[Tensor, Tensor], Tensor]  # outputs and reference [B, ...] -> [B]


def l2(output: Tensor, reference: Tensor) -> Tensor:
    """Return the Euclidean distance [B]; its gradient at 0 is 0."""
    return (output - reference).flatten(1).norm(dim=1)


class Reconstruction(Objective):
    """Distance of a model's output from a reference, to be made large (or small).

    With the outputs for the clean images as reference the attack maximises its damage ||f(x') - f(x)||; with another
    image's output and `towards` it aims there. At the clean image the damage and its gradient are 0, so FAB, whose
    first run starts there, needs two restarts or more.

    Args:
        model: x [B, C, H, W] -> outputs [B, ...]; autocast is off, and a NaN is an error.
        reference: [B, ...], of the outputs' shape.
        threshold: the attack is done where the distance is at least that (at most, with `towards`) and the value is
            the distance beyond it; without one it is never done, the value is the distance, and FAB has no boundary.
        towards: whether the distance is made small.
        distance: of outputs and reference.
    """

    def __init__(
        self,
        model: Callable[[Tensor], Tensor],
        reference: Tensor,
        threshold: float | None = None,
        towards: bool = False,
        distance: Distance = l2,
    ) -> None:
        self.model, self.reference, self.distance = model, reference.detach(), distance
        self.threshold, self.towards = threshold, towards

    def __getitem__(self, which: Tensor) -> "Reconstruction":
        """Return the objective of some of the images: a mask or an index."""
        return Reconstruction(self.model, self.reference[which], self.threshold, self.towards, self.distance)

    def __call__(self, x: Tensor, gradient: bool = True) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return the value [B], its gradient by x or None, and where the threshold is reached [B].

        Raises:
            ValueError: the outputs do not have the shape of the reference, or there is not one distance per image.
            AttackCheckError: an output is not finite.
        """
        slope = None
        with torch.set_grad_enabled(gradient):
            point = x.detach().requires_grad_(gradient)
            with torch.autocast(x.device.type, enabled=False):
                output = checked(self.model(point).float(), "model returned outputs")
            if output.shape != self.reference.shape:
                shapes = f"{list(output.shape)} and {list(self.reference.shape)}"
                raise ValueError(f"outputs and reference have different shapes, {shapes}")
            value = self.distance(output, self.reference)
            if value.shape != (len(x),):
                raise ValueError(f"a distance per image was expected, [{len(x)}], not {list(value.shape)}")
            value = value - (self.threshold or 0.0)
            value = -value if self.towards else value
            if gradient:
                (slope,) = torch.autograd.grad(value.sum(), point)
        value = value.detach()
        return value, slope, value >= 0 if self.threshold is not None else torch.zeros_like(value, dtype=torch.bool)

    def boundaries(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distance still to go [1, B] and its gradient.

        Raises:
            ValueError: there is no threshold.
        """
        if self.threshold is None:
            raise ValueError("a reconstruction objective without a threshold has no boundary; FAB needs one")
        return super().boundaries(x)
