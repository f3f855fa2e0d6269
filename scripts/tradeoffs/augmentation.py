"""AutoAugment's CIFAR-10 policy on batches (Cubuk et al. 2019, table 7), one sub-policy per image.

The library's transform draws one sub-policy per call. Here the images of a batch that drew the same
operation are gathered and transformed together, so that a batch costs some fifty calls on its
device, whatever its size.
"""

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as TF

# Each sub-policy is two operations with probability and magnitude (0 to 9; None where it has none).
POLICY = (
    (("Invert", 0.1, None), ("Contrast", 0.2, 6)),
    (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)),
    (("Sharpness", 0.8, 1), ("Sharpness", 0.9, 3)),
    (("ShearY", 0.5, 8), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.5, None), ("Equalize", 0.9, None)),
    (("ShearY", 0.2, 7), ("Posterize", 0.3, 7)),
    (("Color", 0.4, 3), ("Brightness", 0.6, 7)),
    (("Sharpness", 0.3, 9), ("Brightness", 0.7, 9)),
    (("Equalize", 0.6, None), ("Equalize", 0.5, None)),
    (("Contrast", 0.6, 7), ("Sharpness", 0.6, 5)),
    (("Color", 0.7, 7), ("TranslateX", 0.5, 8)),
    (("Equalize", 0.3, None), ("AutoContrast", 0.4, None)),
    (("TranslateY", 0.4, 3), ("Sharpness", 0.2, 6)),
    (("Brightness", 0.9, 6), ("Color", 0.2, 8)),
    (("Solarize", 0.5, 2), ("Invert", 0.0, None)),
    (("Equalize", 0.2, None), ("AutoContrast", 0.6, None)),
    (("Equalize", 0.2, None), ("Equalize", 0.6, None)),
    (("Color", 0.9, 9), ("Equalize", 0.6, None)),
    (("AutoContrast", 0.8, None), ("Solarize", 0.2, 8)),
    (("Brightness", 0.1, 3), ("Color", 0.7, 0)),
    (("Solarize", 0.4, 5), ("AutoContrast", 0.9, None)),
    (("TranslateY", 0.9, 9), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.9, None), ("Solarize", 0.8, 3)),
    (("Equalize", 0.8, None), ("Invert", 0.1, None)),
    (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, None)),
)
SIGNED = {"ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness"}


def auto_augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return uint8 images [B, 3, H, W], each changed by one randomly drawn sub-policy."""
    device = images.device
    drawn = torch.randint(len(POLICY), (len(images),), generator=generator, device=device)
    chance = torch.rand((2, len(images)), generator=generator, device=device)
    negative = torch.rand((2, len(images)), generator=generator, device=device) < 0.5
    # One transfer to the host decides which image gets what.
    drawn, chance, negative = drawn.cpu(), chance.cpu(), negative.cpu()
    images = images.clone()
    for stage in range(2):
        jobs: dict[tuple, list[int]] = {}
        for image, choice in enumerate(drawn.tolist()):
            name, probability, magnitude = POLICY[choice][stage]
            if chance[stage, image] < probability:
                sign = -1 if name in SIGNED and negative[stage, image] else 1
                jobs.setdefault((name, magnitude, sign), []).append(image)
        for (name, magnitude, sign), members in jobs.items():
            index = torch.tensor(members, device=device)
            images[index] = apply(images[index], name, magnitude, sign)
    return images


def apply(images: Tensor, name: str, magnitude: int | None, sign: int = 1) -> Tensor:
    """Apply one operation at a magnitude of 0 to 9 to uint8 images [B, 3, H, W]."""
    height, width = images.shape[-2:]
    level = 0.0 if magnitude is None else magnitude / 9
    match name:
        case "ShearX" | "ShearY":
            return _shear(images, name[-1], sign * 0.3 * level)
        case "TranslateX":
            return _affine(images, translate=[int(sign * 150 / 331 * width * level), 0])
        case "TranslateY":
            return _affine(images, translate=[0, int(sign * 150 / 331 * height * level)])
        case "Rotate":
            return TF.rotate(images, sign * 30 * level)
        case "Brightness":
            return TF.adjust_brightness(images, 1 + sign * 0.9 * level)
        case "Color":
            return TF.adjust_saturation(images, 1 + sign * 0.9 * level)
        case "Contrast":
            return TF.adjust_contrast(images, 1 + sign * 0.9 * level)
        case "Sharpness":
            return TF.adjust_sharpness(images, 1 + sign * 0.9 * level)
        case "Posterize":
            return TF.posterize(images, 8 - round(4 * level))
        case "Solarize":
            return TF.solarize(images, 255 * (1 - level))
        case "AutoContrast":
            return TF.autocontrast(images)
        case "Equalize":
            return TF.equalize(images)
        case "Invert":
            return TF.invert(images)
    raise ValueError(f"no operation {name!r}")


def _affine(images: Tensor, translate: list[int]) -> Tensor:
    return TF.affine(images, angle=0.0, translate=translate, scale=1.0, shear=[0.0, 0.0])


def _shear(images: Tensor, axis: str, level: float) -> Tensor:
    """Shear by a factor `level` around the top left corner, as in the paper's image library."""
    angle = torch.rad2deg(torch.atan(torch.tensor(level))).item()
    shear, centre = ([angle, 0.0], [0.0, 0.0]) if axis == "X" else ([0.0, angle], [0.0, 0.0])
    return TF.affine(images, angle=0.0, translate=[0, 0], scale=1.0, shear=shear, center=centre)
