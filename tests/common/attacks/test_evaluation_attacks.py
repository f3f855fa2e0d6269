"""APGD, FAB and Square against exact answers."""

import itertools

import pytest
import torch

from scripts.common.attacks import AttackCheckError, apgd, fab, fab_minimal, square
from scripts.common.attacks.apgd import checkpoints
from scripts.common.attacks.classification import margin_at, misclassified
from scripts.common.attacks.fab import to_boundary
from scripts.common.attacks.norms import NORMS, lengths
from scripts.common.attacks.square import pyramid, window_fraction
from tests.common.attacks.models import (
    Counting,
    exact_distance,
    exact_margin,
    images,
    inside,
    linear,
    predicted,
    small_net,
)

RADII = {"linf": 0.04, "l2": 0.25, "l1": 0.8}
NET_RADII = {"linf": 0.02, "l2": 0.2, "l1": 1.0}
ATTACKS = {
    "apgd": lambda *a, **k: apgd(*a, iterations=60, **k),
    "fab": lambda *a, **k: fab(*a, iterations=30, **k),
    "square": lambda *a, **k: square(*a, queries=120, **k),
}
attacks = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
norms = pytest.mark.parametrize("norm", NORMS)


def exact_flags(model, x, y, norm, eps):
    """Whether each image is exactly robust, and how far from 0 its worst margin is."""
    a = model.a.detach().double().numpy()
    worst = [
        exact_margin(a, model.b, z.flatten().double().numpy(), int(t), norm, eps) for z, t in zip(x, y, strict=True)
    ]
    return torch.tensor(worst)


@norms
@pytest.mark.parametrize(("low", "high"), [(0.3, 0.7), (0.0, 1.0)], ids=["interior", "box"])
def test_worst_margin_of_a_linear_model_is_exact(norm, low, high):
    """APGD and FAB decide as the exact margin does wherever it is not within 1 % of 0."""
    model, x = linear(), images(40, low=low, high=high)
    if high == 1.0:
        x = ((x - 0.5) * 3 + 0.5).clamp(0, 1)  # two thirds of the pixels at the box's edges
    y = predicted(model, x)
    eps = RADII[norm] * (0.5 if high < 1 else 1.5)
    worst = exact_flags(model, x, y, norm, eps)
    if high < 1:  # no box effect: the margin falls by eps times the dual norm
        dual = {"linf": "l1", "l2": "l2", "l1": "linf"}[norm]
        fall = eps * lengths(model.a.detach().view(1, *x.shape[1:]), dual)
        if norm == "linf":
            assert torch.allclose(worst.float(), margin_at(model, x, y) - fall, atol=1e-3)
        assert (worst.float() >= margin_at(model, x, y) - fall - 1e-3).all()
    assert 4 < (worst > 0).sum() < 36
    clear = worst.abs() > 0.01 * worst.abs().max()
    assert clear.sum() >= 36
    for attack in (ATTACKS["apgd"], ATTACKS["fab"]):
        found = attack(model, x, y, norm, eps)
        assert inside(found, x, norm, eps)
        assert torch.equal((predicted(model, found) == y)[clear], (worst > 0)[clear])
    found = apgd(model, x, y, norm, eps, 100)
    standing = worst > 0
    assert torch.allclose(margin_at(model, found, y)[standing], worst.float()[standing], atol=0.02 * float(worst.max()))


@norms
def test_square_never_beats_the_exact_answer_and_comes_near(norm):
    model, x = linear(), images(40)
    y = predicted(model, x)
    worst = exact_flags(model, x, y, norm, RADII[norm])
    found = square(model, x, y, norm, RADII[norm], 400)
    assert inside(found, x, norm, RADII[norm])
    margin, clean = margin_at(model, found, y), margin_at(model, x, y)
    assert (margin >= worst - 1e-3).all()
    assert not (margin < 0)[worst > 1e-3].any()
    reached = (clean - margin)[worst > 0] / (clean - worst)[worst > 0]
    assert reached.mean() > {"linf": 0.8, "l2": 0.5, "l1": 0.3}[norm]


@norms
@pytest.mark.parametrize("seed", range(4))
def test_the_boundary_is_reached_by_the_shortest_way(norm, seed):
    model = linear((1, 2, 3), seed)
    x = ((images(5, (1, 2, 3), seed) - 0.5) * 2 + 0.5).clamp(0, 1)
    value = (x.flatten(1) @ model.a + model.b).detach()
    gradient = model.a.detach().view(1, *x.shape[1:]).expand_as(x)
    step = to_boundary(x, gradient, value, norm)
    after = x + step
    assert after.min() >= -1e-6 and after.max() <= 1 + 1e-6
    assert torch.allclose((after.flatten(1) @ model.a + model.b).detach(), torch.zeros(5), atol=1e-5)
    exact = [exact_distance(model.a.detach().numpy(), model.b, z.flatten().numpy(), norm) for z in x]
    assert torch.allclose(lengths(step, norm), torch.tensor(exact, dtype=torch.float32), rtol=1e-3, atol=1e-5)


@norms
def test_an_unreachable_boundary_gives_the_corner(norm):
    x = torch.tensor([0.2, 0.7]).view(1, 1, 1, 2)
    gradient = torch.tensor([2.0, -1.0]).view(1, 1, 1, 2)
    step = to_boundary(x, gradient, torch.tensor([50.0]), norm)
    assert torch.allclose((x + step).flatten(), torch.tensor([0.0, 1.0]))
    assert not to_boundary(x, 0 * gradient, torch.tensor([50.0]), norm).any()


@norms
def test_fab_finds_the_minimal_distance_of_a_linear_model(norm):
    model, x = linear(), images(10)
    y = predicted(model, x)
    point, far = fab_minimal(model, x, y, norm, 20)
    a = model.a.detach().double().numpy()
    exact = torch.tensor([exact_distance(a, model.b, z.flatten().double().numpy(), norm) for z in x])
    assert misclassified(model(point), y).all()
    assert torch.allclose(lengths(point - x, norm), far)
    assert (far >= exact * (1 - 1e-4)).all() and (far <= exact * 1.02 + 1e-5).all()


def tiny_problem(seed):
    """A small curved classifier on 1 x 1 x 3 images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = torch.nn.Sequential(
            torch.nn.Flatten(),
            torch.nn.Linear(3, 8),
            torch.nn.Tanh(),
            torch.nn.Linear(8, 8),
            torch.nn.Tanh(),
            torch.nn.Linear(8, 2),
        )
    with torch.no_grad():
        model[1].weight *= 6
        model[1].bias -= model[1].weight.sum(1) / 2
    x = images(24, (1, 1, 3), seed)
    return model.eval(), x, predicted(model, x)


@norms
@pytest.mark.parametrize("seed", range(3))
def test_attacks_agree_with_a_dense_grid_on_tiny_images(norm, seed):
    model, x, y = tiny_problem(seed)
    eps = {"linf": 0.1, "l2": 0.13, "l1": 0.18}[norm]
    line = torch.linspace(-1, 1, 31)
    grid = torch.tensor(list(itertools.product(line, line, line))).view(-1, 1, 1, 3)
    grid = eps * grid[lengths(grid, norm) <= 1 + 1e-6]
    lowest = torch.stack(
        [margin_at(model, (z + grid).clamp(0, 1), t.expand(len(grid))).min() for z, t in zip(x, y, strict=True)]
    )
    assert 1 < (lowest < 0).sum() < 23
    spread = float(margin_at(model, x, y).max())
    found = {name: attack(model, x, y, norm, eps) for name, attack in ATTACKS.items()}
    margins = torch.stack([margin_at(model, z, y) for z in found.values()])
    best = margins.min(0).values
    for z in found.values():
        assert inside(z, x, norm, eps)
    # The grid is coarse by a thirtieth of the ball: nothing found may be clearly below it, and the
    # attacks together miss no image that the grid breaks clearly.
    assert (best >= lowest - 0.03 * spread)[lowest > 0].all()
    assert (best < 0)[lowest < -0.01 * spread].all()
    survivors = (best >= 0) & (lowest > 0)
    assert (best <= lowest + 0.01 * spread)[survivors].all()


@attacks
@norms
def test_same_seed_same_points_and_the_global_generator_is_left_alone(attack, norm):
    model = small_net().eval()
    x = images(6, (3, 8, 8))
    y = predicted(model, x)
    before, state = x.clone(), torch.random.get_rng_state()
    first = attack(model, x, y, norm, NET_RADII[norm], seed=3)
    assert torch.equal(torch.random.get_rng_state(), state) and torch.equal(x, before)
    assert torch.equal(first, attack(model, x, y, norm, NET_RADII[norm], seed=3))
    assert not first.requires_grad and all(p.grad is None for p in model.parameters())


@attacks
@norms
def test_an_image_does_not_feel_its_batch(attack, norm):
    """Alone, in a batch or in another order, an image gets the same random numbers and so the same result."""
    model = small_net().eval()
    x = images(8, (3, 8, 8))
    y = predicted(model, x)
    y[:2] = 1 - y[:2]  # these leave the batch at once
    eps = NET_RADII[norm]
    ids = torch.arange(100, 108)
    whole = attack(model, x, y, norm, eps, seed=1, ids=ids)
    assert 1 < (predicted(model, whole) == y).sum() < 6
    for pick in (torch.tensor([5]), torch.tensor([7, 2, 4])):
        part = attack(model, x[pick], y[pick], norm, eps, seed=1, ids=ids[pick])
        verdicts = [predicted(model, z) for z in (whole[pick], part)]
        assert torch.equal(*verdicts)
        # Convolutions of different batch sizes round differently, and l1-APGD chooses pixels by rank.
        close = 1e-3 if norm == "l1" else 2e-6
        assert torch.allclose(margin_at(model, whole[pick], y[pick]), margin_at(model, part, y[pick]), atol=close)


@attacks
def test_an_empty_batch_is_no_error(attack):
    assert attack(small_net().eval(), images(0, (3, 8, 8)), torch.zeros(0), "linf", 0.1).shape == (0, 3, 8, 8)


@attacks
def test_logits_that_are_not_finite_fail_loudly(attack):
    with pytest.raises(AttackCheckError, match="not finite"):
        attack(linear(scale=float("nan")), images(2), torch.zeros(2), "linf", 0.1)


@attacks
def test_a_single_logit_is_refused(attack):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 1))
    with pytest.raises(ValueError, match="two logits or more"):
        attack(model, images(2), torch.zeros(2), "linf", 0.1)


def test_settings_out_of_range_are_refused():
    model, x, y = linear(), images(1), torch.zeros(1)
    for call in (
        lambda: apgd(model, x, y, "linf", 0.1, 0),
        lambda: apgd(model, x, y, "linf", 0.1, 5, restarts=0),
        lambda: apgd(model, x, y, "linf", 0.1, 5, loss="dlr"),
        lambda: apgd(model, x, y, "l7", 0.1, 5),
        lambda: fab(model, x, y, "linf", 0.1, 0),
        lambda: square(model, x, y, "linf", 0.1, 0),
    ):
        with pytest.raises(ValueError, match=r"at least 1|unknown|3 classes"):
            call()


def test_costs_are_near_the_floor():
    """Images no attack can break cost one pass per iteration or query; broken ones leave."""
    model = Counting(linear())
    x = images(10)
    y = predicted(model.inner, x)
    for run, passes, gradients in (
        (lambda: apgd(model, x, y, "linf", 1e-6, 20), 21, 20),
        (lambda: apgd(model, x, y, "linf", 1e-6, 20, restarts=2), 42, 40),
        (lambda: apgd(model, x, y, "l1", 1e-6, 20), 23, 20),
        (lambda: square(model, x, y, "l2", 1e-6, 30), 30, 0),
    ):
        model.images = model.gradients = 0
        run()
        assert (model.images, model.gradients) == (passes * 10, gradients * 10)
    model.images = 0
    apgd(model, x, y, "linf", 1.0, 100)
    assert model.images <= 4 * 10
    model.images = 0
    fab(model, x, y, "linf", 1.0, 100)
    assert model.images == 2 * 10  # a linear model is solved by one step


@norms
def test_the_step_size_shrinks_to_meet_a_minimum_inside_the_ball(norm):
    """The margin is the squared distance to a point of the ball: steps of a fixed size jump around it."""
    x = images(5, low=0.4, high=0.6)
    eps = RADII[norm]
    shift = torch.zeros_like(x)
    shift[:, 0, 1, 1], shift[:, 2, 0, 3] = 0.3, -0.2
    goal = x + shift * (0.6 * eps / lengths(shift, norm)).view(-1, 1, 1, 1)

    def model(z):
        away = (z - goal).flatten(1).square().sum(1) + 1
        return torch.stack([away, 0 * away], dim=1)

    found = apgd(model, x, torch.zeros(5), norm, eps, 200)
    assert lengths(found - goal, "l2").max() < {"linf": 0.1, "l2": 0.01, "l1": 0.05}[norm] * eps


def test_the_second_step_has_momentum():
    """Equation 1 of the APGD paper, followed by hand from the points at which the classifier is asked."""
    x, eps, seen = images(2, low=0.4, high=0.6), 0.1, []
    goal = x + 0.5 * eps

    def model(z):
        seen.append(z.detach().clone())
        away = (z - goal).flatten(1).square().sum(1) + 1
        return torch.stack([away, 0 * away], dim=1)

    def ball(z):
        return torch.minimum(torch.maximum(z, x - eps), x + eps)

    apgd(model, x, torch.zeros(2), "linf", eps, 10)
    start, first, second = seen[:3]  # the first review comes after the third step
    assert torch.allclose(first, ball(start + 2 * eps * (goal - start).sign()))
    ahead = ball(first + 2 * eps * (goal - first).sign())
    assert torch.allclose(second, ball(first + 0.75 * (ahead - first) + 0.25 * (first - start)), atol=1e-6)


def test_square_leaves_no_graph():
    model = linear()
    x = images(3)
    found = square(model, x, predicted(model, x), "linf", 0.1, 5)
    assert not found.requires_grad


def test_cross_entropy_saturates_where_the_margin_does_not():
    """A confident classifier has no cross-entropy gradient in float32: the reason for the margin."""
    model, x = linear(scale=200.0), images(20, low=0.3, high=0.7)
    y = predicted(model, x)
    worst = exact_flags(model, x, y, "linf", 0.1)
    margin = predicted(model, apgd(model, x, y, "linf", 0.1, 30)) == y
    entropy = predicted(model, apgd(model, x, y, "linf", 0.1, 30, loss="cross_entropy")) == y
    assert torch.equal(margin, worst > 0)
    assert entropy.sum() > margin.sum()


def test_ties_are_class_zero_as_with_arg_max():
    logits = torch.tensor([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    y = torch.tensor([0, 1, 0, 0])
    assert misclassified(logits, y).tolist() == (logits.argmax(1) != y).tolist() == [False, True, False, True]


def test_checkpoints_of_the_paper():
    # p = 0, 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99 (Croce and Hein 2020, section 3)
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_square_schedule_and_window_pattern():
    assert [window_fraction(i, 10_000, 0.8) for i in (1, 10, 11, 51, 8001)] == [0.8, 0.8, 0.4, 0.2, 0.8 / 512]
    assert window_fraction(6, 5000, 0.8) == 0.4
    eta = pyramid(6)
    assert torch.equal(eta[:, :3] > 0, torch.ones(6, 3, dtype=torch.bool)) and (eta[:, 3:] < 0).all()
    assert eta.max() == eta[3, 1] == pytest.approx(1 + 1 / 4 + 1 / 9 + 1 / 16)
    assert eta[0, 0] == pytest.approx(1 / 16)
