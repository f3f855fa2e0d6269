"""Sanity checks of attacks and robust accuracies. Each raises `AttackCheckError`.

They take plain numbers and tensors, so tests can make each one fail. A NaN fails every check.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from scripts.common.attacks.classification import Model, logits_of
from scripts.common.attacks.errors import AttackCheckError
from scripts.common.attacks.norms import lengths

RELATIVE_TOLERANCE = 1e-5
ROUNDING = 1e-7  # of a float32 pixel; added per ball, it matters only for the smallest eps


def check_perturbations(x_adv: Tensor, x: Tensor, norm: str, eps: float) -> None:
    """Check that every image of x_adv [B, C, H, W] lies in the eps-ball around x and in the pixel range [0, 1]."""
    if x_adv.shape != x.shape:
        raise AttackCheckError(f"the attack returned shape {list(x_adv.shape)} for images {list(x.shape)}")
    if not len(x):
        return
    far = lengths(x_adv.double() - x.double(), norm)
    outside = ~(far <= eps * (1 + RELATIVE_TOLERANCE) + ROUNDING)
    if outside.any():
        worst = int(torch.where(outside, far.nan_to_num(torch.inf), -1).argmax())
        raise AttackCheckError(
            f"{int(outside.sum())} of {len(x)} perturbations leave the {norm} ball of radius {eps} "
            f"(image {worst}: {float(far[worst])})"
        )
    if not ((x_adv >= 0) & (x_adv <= 1)).all():
        raise AttackCheckError(f"pixels of attacked images leave [0, 1]: {float(x_adv.min())} to {float(x_adv.max())}")


def check_robust_not_above_clean(robust: float, clean: float) -> None:
    """Check that the robust accuracy is at most the clean accuracy."""
    if not robust <= clean:
        raise AttackCheckError(f"robust accuracy {robust} is above clean accuracy {clean}")


def check_not_rising_with_eps(robust: Mapping[float, Tensor], tolerance: float = 0.0) -> None:
    """Check that the robust accuracy does not rise by more than `tolerance` from any radius to a larger one.

    Args:
        robust: radius -> flags [N] of the same images, true where the image survived every attack.
    """
    fractions = {eps: float(torch.as_tensor(flags, dtype=torch.float64).mean()) for eps, flags in robust.items()}
    lowest, at = float("inf"), None
    for eps in sorted(fractions):
        if at is not None and not fractions[eps] <= lowest + tolerance:
            raise AttackCheckError(
                f"robust accuracy rises with the radius, from {lowest} at {at} to {fractions[eps]} at {eps} "
                f"(tolerance {tolerance})"
            )
        if fractions[eps] < lowest:
            lowest, at = fractions[eps], eps


def check_black_box(adversarial: int, attacked: int, allowed: float = 0.02) -> None:
    """Check that Square breaks at most the fraction `allowed` of the images that survived the gradient attacks.

    A single image is always allowed. A larger number indicates gradient masking.
    """
    if not adversarial <= max(allowed * attacked, 1):
        raise AttackCheckError(
            f"Square broke {adversarial} of the {attacked} images that survived the gradient attacks "
            f"(allowed: {allowed:.0%}): the gradients are masked"
        )


def check_large_eps(robust: float, eps: float, allowed: float = 0.05) -> None:
    """Check that almost nothing is robust at a radius so large that any image can become any other."""
    if not robust <= allowed:
        raise AttackCheckError(f"robust accuracy is {robust} at the large radius {eps} (allowed: {allowed})")


def check_logits(outputs: Tensor) -> None:
    """Check that outputs [B, K] are logits, not probabilities: some row leaves [0, 1] or does not sum to 1."""
    inside = ((outputs >= 0) & (outputs <= 1)).all()
    if len(outputs) and inside and torch.allclose(outputs.sum(1), torch.ones_like(outputs[:, 0]), atol=1e-4):
        raise AttackCheckError("the classifier returns probabilities (rows in [0, 1] that sum to 1); give its logits")


def check_deterministic(first: Tensor, second: Tensor) -> None:
    """Check that two passes over the same images give the same outputs."""
    if not torch.allclose(first, second, rtol=1e-5, atol=1e-6):
        gap = float((first - second).abs().max())
        raise AttackCheckError(f"two passes over the same images differ by {gap}: the classifier is randomised")


@torch.no_grad()
def verify_classifier(model: Model, x: Tensor) -> None:
    """Check on some images that the classifier is in eval mode, is deterministic and returns finite logits."""
    if getattr(model, "training", False):
        raise AttackCheckError("the classifier is in train mode; call model.eval() before it is evaluated")
    first = logits_of(model, x)
    check_logits(first)
    check_deterministic(first, logits_of(model, x))
