import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from scripts.common.attacks.norms import (
    NORMS,
    distance,
    lengths,
    project,
    random_start,
    random_starts,
    streams,
    water_fill,
)
from tests.common.attacks.models import images, inside

SHAPE = (1, 2, 3)
ORDER = {"linf": np.inf, "l2": 2, "l1": 1}
seeds = st.integers(0, 2**31)
norms = st.sampled_from(NORMS)
radii = st.sampled_from([0.01, 0.1, 0.5, 1.0, 3.0])


def far_points(x, seed, spread=2.0):
    return x + spread * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))


def corner_images(count, seed):
    """Random images of which some pixels are exactly 0 or 1."""
    return images(count, SHAPE, seed, -0.4, 1.4).clamp(0, 1)


def test_lengths_of_a_known_vector():
    delta = torch.tensor([3.0, -4.0]).view(1, 1, 1, 2)
    assert [lengths(delta, norm).item() for norm in ("linf", "l2", "l1")] == [4, 5, 7]


def test_unknown_norm_is_named():
    with pytest.raises(ValueError, match=r"'l3'.*linf, l2, l1"):
        lengths(torch.zeros(1, 1, 1, 1), "l3")


@settings(max_examples=150, deadline=None)
@given(seeds, norms, radii)
def test_projection_is_inside_idempotent_and_nearest(seed, norm, eps):
    x = corner_images(4, seed)
    z = far_points(x, seed + 1)
    p = project(z, x, norm, eps)
    assert inside(p, x, norm, eps)
    assert torch.allclose(project(p, x, norm, eps), p, atol=2e-6)
    # The variational inequality (z - p) . (q - p) <= 0 for feasible q says that p is the nearest point.
    for other in range(5):
        q = random_start(x, norm, eps, torch.Generator().manual_seed(seed + 2 + other))
        assert (((z - p) * (q - p)).flatten(1).sum(1) <= 1e-4).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(6))
def test_projection_agrees_with_a_constrained_optimiser(norm, seed):
    x = corner_images(1, seed)
    z = far_points(x, 100 + seed, 0.7)
    eps = {"linf": 0.2, "l2": 0.4, "l1": 0.7}[norm]
    clean, point = x.flatten().double().numpy(), z.flatten().double().numpy()
    size = len(clean)
    # d = up - down with both non-negative makes every ball smooth.
    ball = {
        "linf": lambda v: eps - v[:size] - v[size:],
        "l2": lambda v: eps**2 - ((v[:size] - v[size:]) ** 2).sum(),
        "l1": lambda v: eps - v.sum(),
    }[norm]
    found = minimize(
        lambda v: ((clean + v[:size] - v[size:] - point) ** 2).sum(),
        np.full(2 * size, 0.01),
        bounds=[(0, 1 - c) for c in clean] + [(0, c) for c in clean],
        constraints={"type": "ineq", "fun": ball},
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 1000},
    )
    ours = project(z, x, norm, eps).flatten().double().numpy()
    assert ((ours - point) ** 2).sum() <= found.fun + 1e-5
    assert np.allclose(ours, clean + found.x[:size] - found.x[size:], atol=1e-3)


@pytest.mark.parametrize("norm", NORMS)
def test_projection_leaves_points_of_the_set_alone_and_takes_a_radius_per_image(norm):
    x = corner_images(3, 0)
    inside = random_start(x, norm, 0.5, torch.Generator().manual_seed(1))
    assert torch.allclose(project(inside, x, norm, 0.5), inside, atol=1e-6)
    eps = torch.tensor([0.0, 0.1, 0.3])
    z = far_points(x, 3)
    together = project(z, x, norm, eps)
    alone = torch.cat([project(z[i : i + 1], x[i : i + 1], norm, eps[i].item()) for i in range(3)])
    assert torch.equal(together, alone)
    assert torch.equal(together[0], x[0])


@pytest.mark.parametrize(("norm", "eps"), [("l2", 1.0), ("l1", 20.0), ("linf", 0.01)])
def test_projection_at_full_image_size(norm, eps):
    x = images(8, (3, 64, 64))
    p = project(far_points(x, 1, 0.1), x, norm, eps)
    assert torch.allclose(distance(p.double(), x.double(), norm), torch.full((8,), eps).double(), rtol=1e-5)


def test_fill_by_hand():
    rate, cap = torch.tensor([[1.0, 2.0, 5.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    # t + 2 t until the second is full at t = 0.5, then 1 + t until the first is full at t = 1.
    for target, t in ((0.0, 0.0), (0.9, 0.3), (1.75, 0.75), (2.0, 1.0)):
        assert water_fill(rate, cap, torch.tensor([target])).item() == pytest.approx(t)
    assert water_fill(rate, cap, torch.tensor([2.5])).item() > 1e30  # cannot be reached


@pytest.mark.parametrize("norm", NORMS)
def test_random_starts_are_inside_spread_out_and_repeatable(norm):
    x, eps = images(200, (3, 4, 4), low=0.4, high=0.6), 0.3
    start = random_start(x, norm, eps, torch.Generator().manual_seed(0))
    assert inside(start, x, norm, eps)
    assert torch.equal(start, random_start(x, norm, eps, torch.Generator().manual_seed(0)))
    assert not torch.equal(start, random_start(x, norm, eps, torch.Generator().manual_seed(1)))
    assert abs((start - x).mean()) < 0.01
    # Away from the box the draw is uniform: P(length <= r eps) = r ^ dimension.
    share = (distance(start, x, norm) / eps) ** x[0].numel()
    assert 0.4 < share.mean() < 0.6


def test_random_streams_belong_to_the_image_and_not_to_the_batch():
    x = images(4)
    whole = random_starts(x, "l2", 0.5, streams(7, None, x, 0))
    part = random_starts(x[2:3], "l2", 0.5, streams(7, torch.tensor([2]), x[2:3], 0))
    assert torch.equal(whole[2:3], part)
    assert not torch.equal(whole, random_starts(x, "l2", 0.5, streams(7, None, x, 1)))
    assert not torch.equal(whole, random_starts(x, "l2", 0.5, streams(8, None, x, 0)))
    same = x[:1].expand(2, -1, -1, -1)
    two = random_starts(same, "l2", 0.5, streams(7, None, same))
    assert not torch.equal(two[0], two[1])
