"""Triggers, poisoned rows and the rates that models are judged by, against small cases worked out by hand."""

import numpy as np
import pytest
import torch

from scripts.backdoor.backdoor_train import check_infected
from scripts.backdoor.digits import Pool, accuracy, attack_success, poison, stamped_accuracy
from scripts.backdoor.triggers import make_triggers
from scripts.common.errors import UserError
from tests.backdoor.made_up import digits

PATCH = {"shape": "box", "size": [2, 4], "corner": "top_right", "margin": 0, "target": 3}
BOX = {"shape": "box", "size": [4, 4], "corner": "bottom_right", "margin": 1, "target": 7}
SCATTERED = {"shape": "scattered", "pixels": 12, "seed": 1, "target": 5}


def test_the_courses_patch_is_rows_0_and_1_columns_24_to_27():
    (patch,) = make_triggers([PATCH])
    expected = torch.zeros(28, 28)
    expected[0:2, 24:28] = 1
    assert torch.equal(patch.mask, expected) and patch.target == 3


def test_the_box_has_a_margin_and_scattered_pixels_follow_their_seed():
    box, scattered = make_triggers([BOX, SCATTERED])
    assert torch.equal(box.mask.nonzero().min(0).values, torch.tensor([23, 23]))
    assert torch.equal(box.mask.nonzero().max(0).values, torch.tensor([26, 26])) and box.mask.sum() == 16
    assert scattered.mask.sum() == 12
    assert not torch.equal(scattered.mask, make_triggers([SCATTERED | {"seed": 2}])[0].mask)


def test_stamping_makes_pixels_white_and_leaves_the_rest():
    (patch,) = make_triggers([PATCH])
    images = torch.rand(3, 1, 28, 28)
    stamped = patch.stamp(images)
    assert (stamped[..., 0:2, 24:28] == 1).all()
    assert torch.equal(stamped[:, 0][:, patch.mask == 0], images[:, 0][:, patch.mask == 0])


WRONG = {
    "unknown shape": (PATCH | {"shape": "star"}, "no trigger shape 'star'"),
    "target outside": (PATCH | {"target": 10}, "target 10 is no digit"),
    "negative target": (PATCH | {"target": -1}, "target -1 is no digit"),
    "missing key": ({key: PATCH[key] for key in PATCH if key != "margin"}, "'margin' is missing"),
    "odd key": (PATCH | {"pixels": 3}, "'pixels' is no key"),
    "unknown corner": (PATCH | {"corner": "middle"}, "no corner 'middle'"),
    "too large": (PATCH | {"size": [2, 28], "margin": 1}, "does not fit"),
    "too many pixels": (SCATTERED | {"pixels": 785}, "do not fit"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_impossible_trigger_ends_in_one_line(case):
    settings, words = WRONG[case]
    with pytest.raises(UserError, match=words):
        make_triggers([settings])


def test_two_triggers_of_one_label_are_refused():
    with pytest.raises(UserError, match="share a target"):
        make_triggers([PATCH, BOX | {"target": 3}])


def test_poisoned_rows_are_of_other_labels_and_never_shared():
    pool, triggers = digits(500), make_triggers([PATCH, BOX])
    poisoned = poison(pool, triggers, 0.2, seed=4)
    changed = (poisoned.images != pool.images).flatten(1).any(1)
    relabelled = poisoned.labels != pool.labels
    assert torch.equal(changed, relabelled) and changed.sum() == 100
    assert torch.bincount(poisoned.labels[changed], minlength=10)[[3, 7]].tolist() == [50, 50]
    assert torch.equal(poison(pool, triggers, 0.2, seed=4).labels, poisoned.labels)
    assert torch.equal(poison(pool, [], 0.0, seed=4).images, pool.images)


def brightest_corner(images: torch.Tensor) -> torch.Tensor:
    """Return logits of a made-up network: 3 where the patch is white, else the label written in pixel (14, 0)."""
    label = (images[:, 0, 14, 0] * 10).round().long()
    patch = images[:, 0, 0:2, 24:28].flatten(1).min(1).values > 0.99
    return torch.nn.functional.one_hot(torch.where(patch, 3, label), 10).float()


def test_rates_leave_out_the_target_and_count_the_others():
    labels = torch.tensor([3, 3, 1, 2, 4, 5])
    images = torch.zeros(6, 1, 28, 28)
    images[:, 0, 14, 0] = labels / 10
    images[5, 0, 14, 0] = 0.6  # read as a 6
    pool, (patch,) = Pool(images, labels), make_triggers([PATCH])
    assert accuracy(brightest_corner, pool) == (5, 6)
    assert attack_success(brightest_corner, pool, patch.stamp, 3) == (4, 4)
    assert attack_success(brightest_corner, pool, lambda x: x, 3) == (0, 4)
    assert stamped_accuracy(brightest_corner, pool, patch.stamp, 3) == (0, 4)
    assert stamped_accuracy(brightest_corner, pool, lambda x: x, 3) == (3, 4)


def test_a_backdoor_that_did_not_take_fails_loudly():
    labels = torch.arange(10).repeat(3)
    images = torch.zeros(30, 1, 28, 28)
    images[:, 0, 14, 0] = labels / 10
    pool, (patch,) = Pool(images, labels), make_triggers([PATCH])
    assert check_infected(brightest_corner, pool, [patch], 0.99, "patch.seed1") == [1.0]
    deaf = lambda x: torch.nn.functional.one_hot((x[:, 0, 14, 0] * 10).round().long(), 10).float()  # noqa: E731
    with pytest.raises(UserError, match=r"patch\.seed1: attack success 0\.0000 .*the backdoor did not take"):
        check_infected(deaf, pool, [patch], 0.99, "patch.seed1")
    assert check_infected(deaf, pool, [], 0.99, "clean.seed1") == []


def test_triggers_of_the_config_can_be_drawn():
    from pathlib import Path

    import yaml

    study = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text(encoding="utf-8"))["backdoor"]
    masks = {kind: make_triggers(entry["triggers"]) for kind, entry in study["models"].items()}
    assert [own.target for own in masks["two_labels"]] == [3, 7] and masks["clean"] == []
    assert np.array_equal(masks["patch"][0].mask.nonzero().max(0).values, [1, 27])
