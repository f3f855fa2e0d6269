"""What an attack maximises, for any task: `objective(x) -> (value, gradient, done)`, one value per image.

Every attack here asks an objective only, so a new task is a new subclass of `Objective`; see `classification.py` and
`reconstruction.py`.
"""

from abc import ABC, abstractmethod

from torch import Tensor

from scripts.common.attacks.errors import AttackCheckError


class Objective(ABC):
    """What an attack maximises on a batch of B images.

    Attacks drop the images that they are done with, so an objective can be cut to some of its images with a mask or an
    index: `objective[which]`.
    """

    @abstractmethod
    def __call__(self, x: Tensor, gradient: bool = True) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return the value [B] at x [B, C, H, W], its gradient by x, and whether the attack has succeeded, bool [B].

        One forward pass and one input gradient; parameters receive no gradient. Without `gradient` there is None in
        its place, and no backward pass.
        """

    @abstractmethod
    def __getitem__(self, which: Tensor) -> "Objective":
        """Return the objective of some of the images: a mask or an index."""

    def boundaries(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return gaps [J, B] to the J boundaries of success, 0 on a boundary, and their gradients [J, B, C, H, W].

        Used by FAB, which moves an image across the nearest of them. Unless overridden there is one, value = 0.

        Raises:
            ValueError: the objective has no boundary.
        """
        value, gradient, _ = self(x)
        return -value[None], -gradient[None]


def checked(values: Tensor, what: str, strict: bool = True) -> Tensor:
    """Return the outputs of a model; with `strict` they must be finite, since a NaN would count as robust.

    Raises:
        AttackCheckError: an output is not finite.
    """
    if strict and not values.detach().isfinite().all():
        raise AttackCheckError(f"the {what} that are not finite")
    return values
