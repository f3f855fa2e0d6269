"""Triggers as tensors: white pixels that are put on a digit, and the label that they stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from scripts.backdoor.neural_cleanse import stamped
from scripts.backdoor.shapes import check_targets, draw


@dataclass(frozen=True)
class Trigger:
    """White pixels and the label that they stand for; mask is float32 [28, 28], 0 or 1."""

    mask: Tensor
    target: int

    def stamp(self, images: Tensor) -> Tensor:
        """Return images [B, 1, 28, 28] with the pixels set to white."""
        mask = self.mask.to(images.device)
        return stamped(images, mask, torch.ones_like(mask))


def make_triggers(settings: Sequence[Mapping], where: str = "backdoor.models") -> list[Trigger]:
    """Return the triggers of a model, at most one per label.

    Raises:
        UserError: as `shapes.draw`, or two triggers share a target.
    """
    check_targets(settings, where)
    return [Trigger(torch.from_numpy(draw(own, where)).float(), own["target"]) for own in settings]
