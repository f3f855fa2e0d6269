"""Attacks on K classes against exact answers of linear models, and against the formulas of the papers."""

import numpy as np
import pytest
import torch

from scripts.common.attacks import Classification, apgd, attack_ensemble, check_plan, fab, fab_minimal, square
from scripts.common.attacks.classification import by_target, loss_of, margin_at, margin_of, misclassified
from scripts.common.attacks.fab import nearest_boundary
from scripts.common.attacks.norms import NORMS, lengths
from scripts.common.errors import UserError
from tests.common.attacks.models import (
    Counting,
    LinearClasses,
    class_net,
    exact_distance,
    images,
    inside,
    linear,
    predicted,
)

norms = pytest.mark.parametrize("norm", NORMS)
classes = pytest.mark.parametrize("k", [3, 10])
TARGETED = {"loss": "margin_targeted", "targets": 9}
PLAN = [
    {"attack": "apgd", "iterations": 40},
    {"attack": "apgd", "name": "targeted", "iterations": 60, **TARGETED},
    {"attack": "fab", "iterations": 15},
    {"attack": "square", "queries": 30},
]


def interior(k: int):
    """A linear model and images that no attack of the radii here moves to the edge of the box."""
    model = LinearClasses(k).eval()
    x = images(48, low=0.42, high=0.58)
    return model, x, predicted(model, x)


@classes
@norms
def test_fab_finds_the_nearest_of_the_boundaries(norm, k):
    model, x, y = interior(k)
    exact = model.distances(x, y, norm)
    point, far = fab_minimal(model, x, y, norm, 15)
    nearest = exact.min(1).values.float()
    assert (predicted(model, point) != y).all()
    assert torch.allclose(lengths(point - x, norm), far)
    assert (far >= nearest * (1 - 1e-4) - 1e-6).all() and (far <= nearest * 1.01 + 1e-6).all()
    targeted = fab_minimal(model, x, y, norm, 15, targets=k - 1)[1]
    assert torch.allclose(targeted, far, rtol=0.01, atol=1e-6)
    if k == 10:  # the likeliest other class alone is not enough
        alone = fab_minimal(model, x, y, norm, 15, targets=1)[1]
        assert (alone >= nearest * (1 - 1e-4) - 1e-6).all() and (alone > far * 1.02).any()


@norms
def test_fab_finds_the_nearest_boundary_within_the_box(norm):
    model = LinearClasses(5, (1, 2, 3), seed=3).eval()
    x = ((images(12, (1, 2, 3)) - 0.5) * 2 + 0.5).clamp(0, 1)
    y = predicted(model, x)
    w, b = model.w.detach().double().numpy(), model.b.detach().double().numpy()
    exact = []
    for image, label in zip(x, y.tolist(), strict=True):
        flat, others = image.flatten().double().numpy(), [k for k in range(5) if k != label]
        reach = [k for k in others if corner(w[label] - w[k], b[label] - b[k]) < 0]  # the box meets the boundary
        exact.append(min(exact_distance(w[label] - w[k], b[label] - b[k], flat, norm) for k in reach))
    far = fab_minimal(model, x, y, norm, 30, 2)[1]
    exact = torch.tensor(exact, dtype=torch.float32)
    assert (far >= exact * (1 - 1e-3)).all() and (far <= exact * 1.03 + 1e-5).all()


def corner(a: np.ndarray, b: float) -> float:
    """The smallest value of a . z + b over the box."""
    return float(np.minimum(a, 0).sum() + b)


@classes
@norms
def test_robust_images_of_a_linear_model_are_exactly_known(norm, k):
    """At the median distance half of the images are robust; attacks decide all that are not within 2 % of it."""
    model, x, y = interior(k)
    exact = model.distances(x, y, norm).min(1).values
    eps = float(exact.median())
    robust, clear = exact > eps, (exact / eps - 1).abs() > 0.02
    assert 10 < robust.sum() < 38 and clear.sum() >= 40
    found = {
        "targeted": apgd(model, x, y, norm, eps, 60, **TARGETED),
        "fab": fab(model, x, y, norm, eps, 15),
        "fab targeted": fab(model, x, y, norm, eps, 15, targets=k - 1),
        "margin": apgd(model, x, y, norm, eps, 60),
        "cross_entropy": apgd(model, x, y, norm, eps, 60, "cross_entropy"),
        "dlr": apgd(model, x, y, norm, eps, 60, "dlr"),
        "square": square(model, x, y, norm, eps, 100),
    }
    for name, point in found.items():
        assert inside(point, x, norm, eps)
        survives = predicted(model, point) == y
        assert survives[robust & clear].all(), name  # nothing beats the exact answer
        if name in ("targeted", "fab", "fab targeted"):
            assert not survives[~robust & clear].any(), name
        elif name != "square":  # an untargeted loss may stop at a class that is not the nearest
            assert survives[~robust & clear].float().mean() < 0.15, name
    table = attack_ensemble(model, x, y, norm, eps, PLAN, black_box_allowed=None)
    assert torch.equal(torch.as_tensor(table.robust.to_numpy())[clear], robust[clear])


@classes
def test_dlr_targeted_is_as_exact(k):
    model, x, y = interior(k)
    exact = model.distances(x, y, "l2").min(1).values
    eps = float(exact.median())
    clear = (exact / eps - 1).abs() > 0.05
    if k == 3:
        with pytest.raises(ValueError, match="needs 4 classes"):
            apgd(model, x, y, "l2", eps, 5, "dlr_targeted")
        return
    survives = predicted(model, apgd(model, x, y, "l2", eps, 100, "dlr_targeted")) == y
    assert torch.equal(survives[clear], (exact > eps)[clear])


def plain_losses(logits: np.ndarray, y: int, t: int) -> dict[str, float]:
    """The losses of one image, written down from the papers' equations."""
    others = [value for k, value in enumerate(logits) if k != y]
    ranked = sorted(logits, reverse=True)
    shifted = np.asarray(logits) - max(logits)
    return {
        "margin": -(logits[y] - max(others)),
        "cross_entropy": -(shifted[y] - np.log(np.exp(shifted).sum())),
        "dlr": -(logits[y] - max(others)) / (ranked[0] - ranked[2]),
        "margin_targeted": -(logits[y] - logits[t]),
        "dlr_targeted": -(logits[y] - logits[t]) / (ranked[0] - (ranked[2] + ranked[3]) / 2),
    }


@pytest.mark.parametrize("k", [4, 10])
def test_losses_are_those_of_the_papers(k):
    draw = np.random.default_rng(k)
    logits, y = draw.normal(size=(60, k)) * 5, draw.integers(0, k, 60)
    target = (y + draw.integers(1, k, 60)) % k
    rows = [plain_losses(list(row), label, other) for row, label, other in zip(logits, y, target, strict=True)]
    tensors = [torch.as_tensor(value) for value in (logits, y, target)]
    for loss in rows[0]:
        ours = loss_of(tensors[0].float(), tensors[1], loss, tensors[2])
        assert ours.numpy() == pytest.approx([row[loss] for row in rows], rel=1e-4, abs=1e-5), loss
        scaled = loss_of(tensors[0].float() * 1000, tensors[1], loss, tensors[2])
        assert torch.allclose(ours, scaled, rtol=1e-3) == loss.startswith("dlr")  # it does not feel the scale
    wrong = misclassified(tensors[0], tensors[1])
    assert wrong.tolist() == (logits.argmax(1) != y).tolist()
    for loss in ("margin", "dlr"):
        assert ((loss_of(tensors[0], tensors[1], loss) > 0) == wrong).all()


def test_ties_are_the_lowest_class_as_with_arg_max():
    logits = torch.tensor([[1.0, 1, 0], [1, 1, 0], [0, 1, 1], [0, 1, 1], [1, 1, 1], [1, 1, 1]])
    y = torch.tensor([0, 1, 1, 2, 0, 2])
    assert misclassified(logits, y).tolist() == (logits.argmax(1) != y).tolist()


@norms
def test_a_class_that_is_never_near_changes_nothing(norm):
    """Two logits are a case of K: the general formulas give the same points as the cheaper ones for two."""
    two = linear()
    x = images(10)
    y = predicted(two, x)

    def three(z):
        return torch.nn.functional.pad(two(z), (0, 1), value=-1e4)

    eps = {"linf": 0.04, "l2": 0.25, "l1": 0.8}[norm]
    for attack in (
        lambda m: apgd(m, x, y, norm, eps, 25),
        lambda m: apgd(m, x, y, norm, eps, 10, "cross_entropy"),
        lambda m: square(m, x, y, norm, eps, 60),
    ):
        assert torch.equal(attack(two), attack(three))
    # FAB measures the step to the boundary that it cannot reach too; what it chooses is the same.
    assert torch.allclose(fab_minimal(two, x, y, norm, 5)[1], fab_minimal(three, x, y, norm, 5)[1], rtol=1e-4)


@norms
def test_the_names_of_the_classes_do_not_matter(norm):
    model = class_net()
    x = images(12, (3, 8, 8))
    y = predicted(model, x)
    order = torch.tensor([3, 9, 0, 7, 1, 8, 2, 6, 5, 4])
    place = order.argsort()

    def renamed(z):
        return model(z)[:, order]

    eps = {"linf": 0.01, "l2": 0.1, "l1": 0.6}[norm]
    for attack in (
        lambda m, labels: apgd(m, x, labels, norm, eps, 15),
        lambda m, labels: apgd(m, x, labels, norm, eps, 15, "dlr_targeted", targets=3),
        lambda m, labels: fab(m, x, labels, norm, eps, 8),
    ):
        ours, theirs = attack(model, y), attack(renamed, place[y])
        assert torch.equal(predicted(model, ours) == y, predicted(model, theirs) == y)
        assert torch.allclose(margin_at(model, ours, y), margin_at(model, theirs, y), atol=1e-3)


def test_boundaries_are_one_gradient_per_other_class():
    model, x = class_net(5), images(4, (3, 8, 8))
    y = torch.tensor([0, 4, 2, 2])
    gaps, gradients = Classification(model, y).boundaries(x)
    assert gaps.shape == (4, 4) and gradients.shape == (4, 4, 3, 8, 8)
    for image in range(4):
        point = x[image : image + 1].clone().requires_grad_()
        logits = model(point)[0]
        for row, k in enumerate(k for k in range(5) if k != y[image]):
            gap = logits[y[image]] - logits[k]
            (slope,) = torch.autograd.grad(gap, point, retain_graph=True)
            assert float(gaps[row, image]) == pytest.approx(float(gap.detach()), abs=1e-5)
            assert torch.allclose(gradients[row, image], slope[0], atol=1e-6)
    assert not gradients.requires_grad and all(p.grad is None for p in model.parameters())
    with pytest.raises(ValueError, match="FAB takes the margin"):
        Classification(model, y, "dlr").boundaries(x)


def test_a_boundary_beyond_the_box_is_not_the_nearest():
    x = torch.tensor([0.1, 0.5]).view(1, 1, 1, 2)
    gradients = torch.tensor([[10.0, 0.0], [0.0, 1.0]]).view(2, 1, 1, 1, 2)
    gaps = torch.tensor([[2.0], [0.3]])  # 0.2 to the left, where the box ends after 0.1; and 0.3 down
    assert nearest_boundary(x, gaps, gradients, "l2")[0].tolist() == pytest.approx([0.3])
    gaps[1] = 0.15
    gaps[0] = 0.9  # now 0.09 to the left
    assert nearest_boundary(x, gaps, gradients, "l2")[0].tolist() == pytest.approx([0.9])
    assert nearest_boundary(x, 100 * gaps, gradients, "l2")[0].isfinite().all()  # none is within reach


def test_targets_are_the_likeliest_other_classes():
    logits = torch.tensor([[0.0, 3, 1, 2], [5, 4, 3, 6]])
    y = torch.tensor([1, 0])
    chosen = [objective.target.tolist() for objective in by_target(lambda x: logits, logits, y, "margin_targeted", 9)]
    assert chosen == [[3, 3], [2, 1], [0, 2]]
    assert len(list(by_target(lambda x: logits, logits, y, "margin_targeted", 2))) == 2


def test_costs_of_k_classes():
    model = Counting(LinearClasses(10).eval())
    x = images(10, low=0.4, high=0.6)
    y = predicted(model.inner, x)
    for run, passes, gradients in (
        (lambda: apgd(model, x, y, "linf", 1e-6, 20), 21, 20),
        (lambda: apgd(model, x, y, "linf", 1e-6, 20, "dlr_targeted", targets=3), 1 + 3 * 22, 3 * 20),
        (lambda: square(model, x, y, "linf", 1e-6, 30), 30, 0),
    ):
        model.images = model.gradients = 0
        run()
        assert (model.images, model.gradients) == (passes * 10, gradients * 10)


def test_a_plan_that_does_not_fit_the_classes_is_refused():
    x = images(4)
    for model, loss, words in (
        (linear(), "dlr", "needs 3 classes or more, the classifier has 2"),
        (LinearClasses(3).eval(), "dlr_targeted", "needs 4 classes or more, the classifier has 3"),
    ):
        with pytest.raises(UserError, match=words):
            attack_ensemble(model, x, predicted(model, x), "linf", 0.1, [{"attack": "apgd", "loss": loss}])
    with pytest.raises(UserError, match="unknown loss 'dlrr'; choose one of margin"):
        check_plan([{"attack": "apgd", "loss": "dlrr"}])
    with pytest.raises(UserError, match="square has no option 'loss'"):
        check_plan([{"attack": "square", "loss": "dlr"}])
    with pytest.raises(ValueError, match="labels from 0 to 3 for a classifier with 3 classes"):
        attack_ensemble(LinearClasses(3).eval(), x, torch.tensor([0, 1, 2, 3]), "linf", 0.1, [])


def test_settings_out_of_range_are_refused():
    model, x, y = LinearClasses(5).eval(), images(1), torch.zeros(1, dtype=torch.long)
    for call in (
        lambda: apgd(model, x, y, "linf", 0.1, 5, "dlr_targeted", targets=0),
        lambda: apgd(model, x, y, "linf", 0.1, 5, "logit"),
        lambda: apgd(model, x, y, "l7", 0.1, 5, "dlr_targeted"),
        lambda: fab(model, x, y, "linf", 0.1, 5, targets=-1),
        lambda: loss_of(model(x), y, "margin_targeted"),
    ):
        with pytest.raises(ValueError, match=r"at least|unknown|needs a target"):
            call()


def test_an_empty_batch_is_no_error():
    model, x, y = LinearClasses(5).eval(), images(0), torch.zeros(0, dtype=torch.long)
    assert apgd(model, x, y, "l2", 0.1, 5, "dlr_targeted").shape == (0, 3, 4, 4)
    assert fab(model, x, y, "l2", 0.1, 5, targets=2).shape == (0, 3, 4, 4)
    assert len(attack_ensemble(model, x, y, "l2", 0.1, PLAN)) == 0


@norms
def test_an_image_does_not_feel_its_batch(norm):
    model = class_net()
    x = images(8, (3, 8, 8))
    y, ids = predicted(model, x), torch.arange(100, 108)
    eps = {"linf": 0.004, "l2": 0.05, "l1": 0.4}[norm]
    pick = torch.tensor([7, 2, 4])
    for attack in (
        lambda *a, **k: apgd(*a, norm, eps, 20, "dlr_targeted", restarts=2, targets=3, **k),
        lambda *a, **k: fab(*a, norm, eps, 10, restarts=2, **k),
        lambda *a, **k: square(*a, norm, eps, 60, **k),
    ):
        whole = attack(model, x, y, seed=1, ids=ids)[pick]
        part = attack(model, x[pick], y[pick], seed=1, ids=ids[pick])
        assert torch.equal(predicted(model, whole), predicted(model, part))
        close = 1e-3 if norm == "l1" else 5e-6
        assert torch.allclose(margin_at(model, whole, y[pick]), margin_at(model, part, y[pick]), atol=close)


def test_margin_is_the_true_class_less_the_largest_other_one():
    logits = torch.tensor([[1.0, 4, 2], [1, 4, 2], [7, 4, 2]])
    assert margin_of(logits, torch.tensor([1, 2, 0])).tolist() == [2, -2, 3]
