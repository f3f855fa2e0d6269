"""The batched augmentation against the library's own transform."""

import pytest
import torch
from torchvision.transforms.v2 import AutoAugment, AutoAugmentPolicy

from scripts.tradeoffs.augmentation import POLICY, SIGNED, apply, auto_augment

IMAGES = torch.randint(0, 256, (6, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LIBRARY = AutoAugment(AutoAugmentPolicy.CIFAR10)
OPERATIONS = sorted({(name, magnitude) for pair in POLICY for name, _, magnitude in pair}, key=str)


def test_the_policy_is_the_published_one():
    assert list(POLICY) == LIBRARY._get_policies(AutoAugmentPolicy.CIFAR10)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("name", "magnitude"), OPERATIONS)
def test_each_operation_equals_the_library(name, magnitude, sign):
    if sign == -1 and name not in SIGNED:
        pytest.skip("the operation has no sign")
    magnitudes, signed = LIBRARY._AUGMENTATION_SPACE[name]
    levels = magnitudes(10, 64, 64)
    level = 0.0 if magnitude is None or levels is None else float(levels[magnitude])
    assert signed == (name in SIGNED)
    expected = LIBRARY._apply_image_or_video_transform(
        IMAGES, name, sign * level, interpolation=LIBRARY.interpolation, fill=LIBRARY._fill
    )
    # The library's levels are float32, so a product may be cut to the neighbouring grey level.
    difference = (apply(IMAGES, name, magnitude, sign).int() - expected.int()).abs()
    assert difference.max() <= 1


def test_every_image_draws_its_own_sub_policy_and_a_seed_repeats_it():
    same = IMAGES[:1].expand(200, -1, -1, -1)
    first = auto_augment(same, torch.Generator().manual_seed(3))
    assert torch.equal(first, auto_augment(same, torch.Generator().manual_seed(3)))
    assert len({image.numpy().tobytes() for image in first}) > 40
    assert first.dtype == torch.uint8 and first.shape == same.shape


def test_images_in_other_groups_are_left_alone():
    """The batch gives each image what it would have got alone with the same draws."""
    batch = auto_augment(IMAGES, torch.Generator().manual_seed(5))
    drawn = torch.randint(len(POLICY), (6,), generator=(random := torch.Generator().manual_seed(5)))
    chance = torch.rand((2, 6), generator=random)
    negative = torch.rand((2, 6), generator=random) < 0.5
    for image in range(6):
        alone = IMAGES[image : image + 1]
        for stage, (name, probability, magnitude) in enumerate(POLICY[drawn[image]]):
            if chance[stage, image] < probability:
                alone = apply(alone, name, magnitude, -1 if name in SIGNED and negative[stage, image] else 1)
        assert torch.equal(alone[0], batch[image])
