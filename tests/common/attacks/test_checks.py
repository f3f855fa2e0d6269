"""Each check passes on sound input and fails on each fault it is there for."""

import pytest
import torch

from scripts.common.attacks import (
    AttackCheckError,
    attack_ensemble,
    check_black_box,
    check_deterministic,
    check_large_eps,
    check_logits,
    check_not_rising_with_eps,
    check_perturbations,
    check_robust_not_above_clean,
    verify_classifier,
)
from tests.common.attacks.models import images, predicted, small_net

NAN = float("nan")


def fails(message):
    return pytest.raises(AttackCheckError, match=message)


def test_it_is_a_fault_of_ours_and_an_assertion():
    assert issubclass(AttackCheckError, AssertionError)


@pytest.mark.parametrize(("norm", "length"), [("linf", 0.1), ("l2", 0.1 * 48**0.5), ("l1", 4.8)])
def test_perturbations_inside_the_ball(norm, length):
    x = images(3, low=0.3, high=0.7)
    check_perturbations(x + 0.1, x, norm, length)
    check_perturbations(x, x, norm, 0.0)
    with fails(r"3 of 3 perturbations leave the \w+ ball"):
        check_perturbations(x + 0.1, x, norm, length * (1 - 1e-4))
    one = x.clone()
    one[1] += 0.1
    with fails(r"1 of 3 .*image 1"):
        check_perturbations(one, x, norm, length / 2)


def test_perturbations_inside_the_pixel_range():
    x = torch.tensor([0.05, 0.95]).view(1, 1, 1, 2)
    check_perturbations((x + 0.1).clamp(0, 1), x, "linf", 0.1)
    for shift in (0.1, -0.1):
        with fails(r"leave \[0, 1\]"):
            check_perturbations(x + shift, x, "linf", 0.11)


def test_perturbations_that_are_nan_or_of_another_shape():
    x = images(2)
    with fails("2 of 2 perturbations leave"):
        check_perturbations(x * NAN, x, "linf", 0.1)
    with fails("shape"):
        check_perturbations(x[:1], x, "linf", 0.1)


def test_robust_not_above_clean():
    check_robust_not_above_clean(0.5, 0.5)
    for robust, clean in ((0.51, 0.5), (NAN, 0.5), (0.5, NAN)):
        with fails("above clean accuracy"):
            check_robust_not_above_clean(robust, clean)


def test_not_rising_with_eps():
    flags = {0.02: torch.tensor([1, 0, 0, 0]), 0.01: torch.tensor([1, 1, 0, 0]), 0.04: torch.tensor([0, 0, 0, 1])}
    check_not_rising_with_eps(flags)
    check_not_rising_with_eps({})
    flags[0.08] = torch.tensor([1, 1, 0, 0])
    check_not_rising_with_eps(flags, tolerance=0.25)
    with fails("rises with the radius, from 0.25 at 0.02 to 0.5 at 0.08"):
        check_not_rising_with_eps(flags)
    # A slow rise counts from its lowest point and not from step to step.
    slow = {eps: torch.tensor([1.0] * eps + [0.0] * (10 - eps)) for eps in (1, 2, 3)}
    with fails("from 0.1 at 1 to 0.3 at 3"):
        check_not_rising_with_eps(slow, tolerance=0.15)
    with fails("rises"):
        check_not_rising_with_eps({1: torch.tensor([0.0]), 2: torch.tensor([NAN])})


def test_black_box_not_better_than_white_box():
    check_black_box(0, 0)
    check_black_box(1, 3)  # one image is no evidence
    check_black_box(2, 100)
    with fails("Square broke 3 of the 100 .*masked"):
        check_black_box(3, 100)
    check_black_box(3, 100, allowed=0.03)


def test_nothing_robust_at_a_large_radius():
    check_large_eps(0.05, 0.5)
    for robust in (0.06, NAN):
        with fails("at the large radius 0.5"):
            check_large_eps(robust, 0.5)


def test_large_radius_on_a_real_network():
    model = small_net().eval()
    x = images(20, (3, 8, 8))
    y = predicted(model, x)
    robust = {
        eps: torch.tensor(
            attack_ensemble(model, x, y, "linf", eps, [{"attack": "apgd", "iterations": 10}]).robust.to_numpy()
        )
        for eps in (0.005, 0.02, 0.5)
    }
    check_not_rising_with_eps(robust)
    check_large_eps(float(robust[0.5].double().mean()), 0.5)
    with fails("large radius"):
        check_large_eps(float(robust[0.005].double().mean()), 0.005)


def test_probabilities_are_told_from_logits():
    logits = torch.tensor([[2.0, -1.0], [0.3, 0.7]])
    check_logits(logits)  # one row alone may look like a probability
    check_logits(torch.tensor([[0.2, 0.2], [0.9, 0.8]]))
    with fails("returns probabilities"):
        check_logits(logits.softmax(1))


def test_two_passes_agree():
    first = torch.tensor([[1.0, 2.0]])
    check_deterministic(first, first + 1e-7)
    for second in (first + 0.01, first * NAN):
        with fails("randomised"):
            check_deterministic(first, second)


class TestVerifyClassifier:
    x = images(8, (3, 8, 8))

    def test_a_sound_classifier(self):
        verify_classifier(small_net().eval(), self.x)
        verify_classifier(lambda z: small_net().eval()(z), self.x)

    def test_softmax(self):
        model = torch.nn.Sequential(small_net(), torch.nn.Softmax(1)).eval()
        with fails("probabilities"):
            verify_classifier(model, self.x)

    def test_dropout_left_on(self):
        model = torch.nn.Sequential(torch.nn.Dropout(0.5), small_net()).eval()
        model[0].training = True
        with fails("randomised"):
            verify_classifier(model, self.x)

    def test_train_mode(self):
        with fails("train mode"):
            verify_classifier(small_net().train(), self.x)

    def test_nan(self):
        model = small_net().eval()
        with torch.no_grad():
            model[0].weight.mul_(NAN)
        with fails("not finite"):
            verify_classifier(model, self.x)
