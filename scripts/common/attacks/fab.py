"""FAB, the minimal-norm attack: steps to the nearest of the linearised boundaries.

Croce and Hein 2020, "Minimally distorted adversarial examples with a fast adaptive boundary attack". With two logits
there is one boundary, margin = 0; with K there are K - 1, or the target's alone in the targeted form.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from scripts.common.attacks.classification import Classification, Model, by_target
from scripts.common.attacks.norms import (
    check_norm,
    distance,
    headroom,
    lengths,
    per_image,
    random_starts,
    streams,
    water_fill,
)
from scripts.common.attacks.objective import Objective

OVERSHOOT = 1.05  # eta: how far beyond the linearised boundary a step goes
BACKWARD = 0.9  # beta: how far towards the boundary point a search goes on after a success
BIAS = 0.1  # alpha_max: the largest weight of the step from the original image
FINAL_STEPS = 3
UNREACHED = 1e-3  # a step that leaves a larger fraction of the gap has met the box first


def fab(
    model: Model,
    x: Tensor,
    y: Tensor,
    norm: str,
    eps: float,
    iterations: int = 100,
    restarts: int = 1,
    seed: int = 0,
    ids: Tensor | None = None,
    targets: int = 0,
) -> Tensor:
    """Return for each image a misclassified point within eps, or else the image unchanged.

    An image leaves the batch once its nearest misclassified point is within eps. Cost per surviving image:
    two forward passes and one input gradient per iteration and boundary (K - 1 for K classes), five forward passes
    per restart. `targets`: instead, one run for each of that many likeliest other classes, to whose boundary alone
    it steps, which costs one gradient per iteration. Arguments as in `apgd`; all images must be correctly classified.
    """
    nearest, far = _search(_objectives(model, x, y, targets), x, norm, eps, eps, iterations, restarts, seed, ids)
    return torch.where(per_image(far <= eps), nearest, x)


def fab_minimal(
    model: Model,
    x: Tensor,
    y: Tensor,
    norm: str,
    iterations: int = 100,
    restarts: int = 1,
    seed: int = 0,
    ids: Tensor | None = None,
    radius: float = math.inf,
    targets: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return each image's nearest misclassified point and its distance [B], infinite if there is none.

    All iterations are used. Restarts begin within half of min(distance, radius).
    """
    return _search(_objectives(model, x, y, targets), x, norm, -1.0, radius, iterations, restarts, seed, ids)


def minimal_fab(
    objective: Objective,
    x: Tensor,
    norm: str,
    iterations: int = 100,
    restarts: int = 1,
    seed: int = 0,
    ids: Tensor | None = None,
    radius: float = math.inf,
    enough: float = -1.0,
) -> tuple[Tensor, Tensor]:
    """Return for each image the nearest point at which the objective is done and its distance [B], or infinity.

    Runs on an image until its distance is at most `enough`.
    """
    return _search([objective], x, norm, enough, radius, iterations, restarts, seed, ids)


def _objectives(model: Model, x: Tensor, y: Tensor, targets: int) -> Iterable[Objective]:
    if targets < 0:
        raise ValueError(f"targets must be at least 0, not {targets}")
    if not targets or not len(x):
        return [Classification(model, y)]
    return by_target(model, x, y, "margin_targeted", targets)


def _search(objectives, x, norm, enough, radius, iterations, restarts, seed, ids) -> tuple[Tensor, Tensor]:
    """Search by each objective until the distance is at most `enough` or the iterations are spent."""
    check_norm(norm)
    if iterations < 1 or restarts < 1:
        raise ValueError(f"iterations and restarts must be at least 1, not {iterations} and {restarts}")
    index = torch.arange(len(x), device=x.device)
    ids = index if ids is None else ids.to(x.device)
    nearest, far = x.clone(), torch.full((len(x),), math.inf, device=x.device)
    runs = ((objective, restart) for objective in objectives for restart in range(restarts))
    for number, (objective, restart) in enumerate(runs):
        start = x[index]
        if restart:
            reach = far[index].clamp(max=radius)
            reach = torch.where(torch.isfinite(reach), reach, 0.0)
            start = random_starts(start, norm, reach / 2, streams(seed, ids[index], start, number))
        state = {"objective": objective[index], "x": x[index], "point": start, "index": index}
        for _ in range(iterations):
            if not len(state["index"]):
                break
            state = _step(state, norm, nearest, far, enough)
        improvable = index[torch.isfinite(far[index]) & (far[index] > enough)]
        if len(improvable):
            _shorten(objective[improvable], x[improvable], norm, nearest, far, improvable)
        index = index[far[index] > enough]
        if not len(index):
            break
    return nearest, far


def _step(state: dict, norm: str, nearest: Tensor, far: Tensor, enough: float) -> dict:
    """Step to the linearised boundary, record new nearest points, step back from them; drop finished images."""
    objective, x, point, index = (state[name] for name in ("objective", "x", "point", "index"))
    gap, gradient = nearest_boundary(point, *objective.boundaries(point), norm)
    # One call for the step from the point and for the one from the original image.
    gap_at_x = gap + (gradient * (x - point)).flatten(1).sum(1)
    both = to_boundary(torch.cat([point, x]), torch.cat([gradient, gradient]), torch.cat([gap, gap_at_x]), norm)
    here, there = both.chunk(2)
    a, b = distance(here, torch.zeros_like(here), norm), distance(there, torch.zeros_like(there), norm)
    alpha = per_image((a / (a + b).clamp(min=1e-12)).clamp(max=BIAS))
    point = ((1 - alpha) * (point + OVERSHOOT * here) + alpha * (x + OVERSHOOT * there)).clamp(0, 1)
    _, _, done = objective(point, gradient=False)
    _note(point, x, done, norm, nearest, far, index)
    state["point"] = torch.where(per_image(done), (1 - BACKWARD) * x + BACKWARD * point, point)
    surviving = far[index] > enough
    return state if surviving.all() else {name: value[surviving] for name, value in state.items()}


def nearest_boundary(z: Tensor, gaps: Tensor, gradients: Tensor, norm: str) -> tuple[Tensor, Tensor]:
    """Return gap [B] and gradient [B, C, H, W] of the linearised boundary nearest to each image within [0, 1].

    The paper divides the gap by the gradient's dual norm, which ignores the box; here the step itself is measured. A
    boundary that the box does not reach counts only if none is reached.

    Args:
        z: [B, C, H, W]. gaps: [J, B]. gradients: [J, B, C, H, W].
    """
    if len(gaps) == 1:
        return gaps[0], gradients[0]
    steps = to_boundary(z.expand_as(gradients).flatten(0, 1), gradients.flatten(0, 1), gaps.flatten(), norm)
    far = lengths(steps, norm).view_as(gaps)
    left = (gaps + (gradients * steps.view_as(gradients)).flatten(2).sum(2)).abs()
    far = torch.where(left <= UNREACHED * gaps.abs() + 1e-12, far, torch.finfo(far.dtype).max / 2)
    chosen = far.argmin(0)
    image = torch.arange(len(z), device=z.device)
    return gaps[chosen, image], gradients[chosen, image]


def _note(point, x, done, norm, nearest: Tensor, far: Tensor, index: Tensor) -> None:
    """Keep the points where the objective is done that are nearer than the nearest so far (in place)."""
    length = distance(point, x, norm)
    better = done & (length < far[index])
    nearest[index[better]], far[index[better]] = point[better], length[better]


def _shorten(objective, x, norm, nearest: Tensor, far: Tensor, index: Tensor) -> None:
    """Move nearest points closer: three secant steps towards the boundary on the segment from x."""
    inside, outside = torch.zeros_like(far[index]), torch.ones_like(far[index])
    end = nearest[index]
    gap_in, gap_out = (-objective(z, gradient=False)[0] for z in (x, end))
    for _ in range(FINAL_STEPS):
        # Aims slightly beyond the crossing, since only a point where the objective is done counts.
        fraction = (gap_in / (gap_in - gap_out).clamp(min=1e-12)).clamp(0, 1) * 0.9 + 0.1
        fraction = inside + fraction * (outside - inside)
        point = x + per_image(fraction) * (end - x)
        value, _, done = objective(point, gradient=False)
        gap = -value
        _note(point, x, done, norm, nearest, far, index)
        inside, gap_in = torch.where(done, inside, fraction), torch.where(done, gap_in, gap)
        outside, gap_out = torch.where(done, fraction, outside), torch.where(done, gap, gap_out)


def to_boundary(z: Tensor, gradient: Tensor, value: Tensor, norm: str) -> Tensor:
    """Return the shortest d with value + <gradient, d> = 0 and z + d in [0, 1].

    Every pixel moves against the sign of value times its gradient: by the same amount (l_inf), in
    proportion to the gradient (l2), or the largest gradients first (l1), each up to the box. Where the
    box does not meet the plane, d goes to the box's corner nearest to it.

    Args:
        z, gradient: [B, C, H, W]. value: [B], the linearised gap at z.
    """
    direction = -gradient.sign() * per_image(value.sign())
    slope, cap, target = gradient.abs().flatten(1), headroom(direction, z).flatten(1), value.abs()
    if norm == "l1":
        ranked, order = slope.sort(dim=1, descending=True)
        gain = ranked * cap.gather(1, order)
        before = gain.cumsum(1) - gain
        needed = ((target[:, None] - before) / ranked.clamp(min=1e-30)).clamp(min=0)
        size = torch.zeros_like(slope).scatter(1, order, torch.minimum(needed, cap.gather(1, order)))
    else:
        # With size_i = min(t speed_i, cap_i), the plane is met where sum_i min(t slope_i speed_i, slope_i cap_i)
        # is the target; scaled to the largest slope, so that products of small numbers do not vanish.
        top = slope.amax(1, keepdim=True).clamp(min=1e-30)
        slope = slope / top
        t = water_fill(slope if norm == "linf" else slope.square(), slope * cap, target / top[:, 0])[:, None]
        size = torch.minimum(t.expand_as(cap) if norm == "linf" else t * slope, cap)
    return size.view_as(z) * direction
