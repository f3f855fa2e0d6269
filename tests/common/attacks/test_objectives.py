"""Attacks on objectives without classes: a linear autoencoder, whose worst damage is exactly known, and one's own."""

import pytest
import torch
from torch import nn

from scripts.common.attacks import (
    AttackCheckError,
    Objective,
    Reconstruction,
    maximise_apgd,
    maximise_square,
    minimal_fab,
)
from scripts.common.attacks.norms import NORMS, lengths
from tests.common.attacks.models import images, inside

SHAPE = (1, 3, 3)
norms = pytest.mark.parametrize("norm", NORMS)


def coder(outputs: int, seed=0) -> nn.Module:
    """A linear map of the pixels."""
    layer = nn.Linear(9, outputs)
    with torch.no_grad():
        layer.weight.copy_(torch.randn((outputs, 9), generator=torch.Generator().manual_seed(seed)))
    return nn.Sequential(nn.Flatten(), layer).eval()


def damage(model, x, **options) -> Reconstruction:
    with torch.no_grad():
        return Reconstruction(model, model(x), **options)


def worst(model, norm: str) -> float:
    """The exact damage per unit of radius, away from the box: the operator norm of the weights from `norm` to l2."""
    w = model[1].weight.detach()
    if norm == "l2":
        return float(torch.linalg.matrix_norm(w, 2))
    if norm == "l1":
        return float(w.norm(dim=0).max())
    assert len(w) == 1
    return float(w.abs().sum())


@norms
def test_the_worst_damage_of_a_linear_autoencoder_is_exact(norm):
    model, x = coder(1 if norm == "linf" else 6), images(12, SHAPE, low=0.4, high=0.6)
    objective, eps = damage(model, x), 0.1
    exact = worst(model, norm) * eps
    point = maximise_apgd(objective, x, norm, eps, 60, restarts=6)
    found, _, done = objective(point, gradient=False)
    assert inside(point, x, norm, eps) and not done.any()
    assert (found <= exact * (1 + 1e-4)).all()
    # In l1 every pixel is a local maximum: of 12 images one or two may end at another one.
    assert (found >= exact * 0.98).sum() >= (10 if norm == "l1" else 12)
    black_box = maximise_square(objective, x, norm, eps, 200)
    assert inside(black_box, x, norm, eps)
    value = objective(black_box, gradient=False)[0]
    assert (value <= exact * (1 + 1e-4)).all() and (value >= exact * 0.5).all()


@norms
def test_the_least_change_that_does_some_damage_is_exact(norm):
    model, x = coder(1 if norm == "linf" else 6), images(12, SHAPE, low=0.4, high=0.6)
    threshold = 0.1 * worst(model, norm)
    objective = damage(model, x, threshold=threshold)
    point, far = minimal_fab(objective, x, norm, 40, restarts=4, radius=0.2)
    done = objective(point, gradient=False)[2]
    assert done.all() and torch.allclose(lengths(point - x, norm), far)
    assert (far >= 0.1 * (1 - 1e-4)).all() and (far <= 0.1 * (1.6 if norm == "l1" else 1.1)).all()
    for radius, expected in ((0.09, False), (0.115, True)):
        found = maximise_apgd(objective, x, norm, radius, 60, restarts=6)
        assert (objective(found, gradient=False)[2] == expected).all()


def test_an_output_can_be_aimed_at():
    model, x = coder(4), images(6, SHAPE)
    with torch.no_grad():
        goal = model(x.flip(0))
    objective = Reconstruction(model, goal, threshold=0.1, towards=True)
    point = maximise_apgd(objective, x, "linf", 1.0, 150)
    value, _, done = objective(point, gradient=False)
    assert done.all() and (value >= 0).all()
    with torch.no_grad():
        assert (model(point) - goal).norm(dim=1).max() <= 0.1 + 1e-6
    near = maximise_apgd(objective, x, "linf", 0.05, 30)
    assert not objective(near, gradient=False)[2].any()
    assert (objective(near, gradient=False)[0] > objective(x, gradient=False)[0]).all()


def test_other_distances_and_shapes_of_output():
    model, x = nn.Conv2d(1, 2, 3, padding=1).eval(), images(5, SHAPE)

    def largest(output, reference):
        return (output - reference).abs().flatten(1).amax(1)

    objective = damage(model, x, distance=largest)
    point = maximise_apgd(objective, x, "linf", 0.1, 20)
    value, gradient, _ = objective(point)
    assert value.shape == (5,) and gradient.shape == x.shape and (value > 0).all()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert objective(point, gradient=False)[1] is None
    which = torch.tensor([True, False, True, False, False])
    assert torch.allclose(objective[which](point[which])[0], value[which], atol=1e-6)


def test_mistakes_are_named():
    model, x = coder(4), images(3, SHAPE)
    with pytest.raises(ValueError, match=r"different shapes, \[3, 4\] and \[3, 5\]"):
        Reconstruction(model, torch.zeros(3, 5))(x)
    with pytest.raises(ValueError, match=r"a distance per image was expected, \[3\], not \[\]"):
        damage(model, x, distance=lambda a, b: (a - b).sum())(x)
    with pytest.raises(ValueError, match="without a threshold has no boundary"):
        minimal_fab(damage(model, x), x, "l2", 3)
    with pytest.raises(AttackCheckError, match="outputs that are not finite"):
        Reconstruction(lambda z: z * torch.nan, torch.zeros(3, *SHAPE))(x)


class Brightness(Objective):
    """The mean pixel, done above a limit: an objective of a task that is neither of those in the library."""

    def __init__(self, limit: torch.Tensor) -> None:
        self.limit = limit

    def __getitem__(self, which):
        return Brightness(self.limit[which])

    def __call__(self, x, gradient=True):
        value = x.flatten(1).mean(1) - self.limit
        return value, torch.full_like(x, 1 / x[0].numel()) if gradient else None, value >= 0


@norms
def test_an_objective_of_ones_own(norm):
    x = images(8, SHAPE, low=0.4, high=0.6)
    objective = Brightness(x.flatten(1).mean(1) + torch.linspace(0.01, 0.08, 8))
    exact = torch.linspace(0.01, 0.08, 8) * {"linf": 1, "l2": 3, "l1": 9}[norm]
    point, far = minimal_fab(objective, x, norm, 10)
    assert torch.allclose(far, exact, rtol=0.01) and objective(point)[2].all()
    eps = float(exact[4]) * 1.05
    for attack in (maximise_apgd(objective, x, norm, eps, 40), maximise_square(objective, x, norm, eps, 300)):
        done = objective(attack)[2]
        assert inside(attack, x, norm, eps) and not done[5:].any()
    assert objective(maximise_apgd(objective, x, norm, eps, 40))[2][:5].all()
