"""FAB, the minimal-norm attack, for two logits: there is one decision boundary, margin = 0.

Croce and Hein 2020, "Minimally distorted adversarial examples with a fast adaptive boundary attack".
"""

import math

import torch
from torch import Tensor

from scripts.common.attacks.norms import check_norm, distance, headroom, per_image, random_starts, streams, water_fill
from scripts.common.attacks.objective import Model, is_wrong, loss_and_gradient, margin_at

OVERSHOOT = 1.05  # eta: how far beyond the linearised boundary a step goes
BACKWARD = 0.9  # beta: how far towards the boundary point a search goes on after a success
BIAS = 0.1  # alpha_max: the largest weight of the step from the original image
FINAL_STEPS = 3


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
) -> Tensor:
    """Return for each image a misclassified point within eps, or else the image unchanged.

    An image leaves the batch once its nearest misclassified point is within eps. Cost per surviving image:
    two forward passes and one input gradient per iteration, five forward passes per restart. Arguments as
    in `apgd`; all images must be correctly classified.
    """
    nearest, far = _search(model, x, y, norm, eps, eps, iterations, restarts, seed, ids)
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
) -> tuple[Tensor, Tensor]:
    """Return each image's nearest misclassified point and its distance [B], infinite if there is none.

    All iterations are used. Restarts begin within half of min(distance, radius).
    """
    return _search(model, x, y, norm, -1.0, radius, iterations, restarts, seed, ids)


def _search(model, x, y, norm, enough, radius, iterations, restarts, seed, ids) -> tuple[Tensor, Tensor]:
    """Search until the distance is at most `enough` or the iterations are spent."""
    check_norm(norm)
    if iterations < 1 or restarts < 1:
        raise ValueError(f"iterations and restarts must be at least 1, not {iterations} and {restarts}")
    index = torch.arange(len(x), device=x.device)
    ids = index if ids is None else ids.to(x.device)
    nearest, far = x.clone(), torch.full((len(x),), math.inf, device=x.device)
    for restart in range(restarts):
        start = x[index]
        if restart:
            reach = far[index].clamp(max=radius)
            reach = torch.where(torch.isfinite(reach), reach, 0.0)
            start = random_starts(start, norm, reach / 2, streams(seed, ids[index], start, restart))
        state = {"x": x[index], "y": y[index], "point": start, "index": index}
        for _ in range(iterations):
            if not len(state["index"]):
                break
            state = _step(model, state, norm, nearest, far, enough)
        improvable = index[torch.isfinite(far[index]) & (far[index] > enough)]
        if len(improvable):
            _shorten(model, x[improvable], y[improvable], norm, nearest, far, improvable)
        index = index[far[index] > enough]
        if not len(index):
            break
    return nearest, far


def _step(model, state: dict, norm: str, nearest: Tensor, far: Tensor, enough: float) -> dict:
    """Step to the linearised boundary, record new nearest points, step back from them; drop finished images."""
    x, y, point, index = (state[name] for name in ("x", "y", "point", "index"))
    margin, _, gradient = loss_and_gradient(model, point, y)
    gradient = -gradient  # of the margin
    # One call for the step from the point and for the one from the original image.
    margin_at_x = margin + (gradient * (x - point)).flatten(1).sum(1)
    both = to_boundary(torch.cat([point, x]), torch.cat([gradient, gradient]), torch.cat([margin, margin_at_x]), norm)
    here, there = both.chunk(2)
    a, b = distance(here, torch.zeros_like(here), norm), distance(there, torch.zeros_like(there), norm)
    alpha = per_image((a / (a + b).clamp(min=1e-12)).clamp(max=BIAS))
    point = ((1 - alpha) * (point + OVERSHOOT * here) + alpha * (x + OVERSHOOT * there)).clamp(0, 1)
    wrong = is_wrong(margin_at(model, point, y), y)
    _note(point, x, wrong, norm, nearest, far, index)
    state["point"] = torch.where(per_image(wrong), (1 - BACKWARD) * x + BACKWARD * point, point)
    surviving = far[index] > enough
    return state if surviving.all() else {name: value[surviving] for name, value in state.items()}


def _note(point, x, wrong, norm, nearest: Tensor, far: Tensor, index: Tensor) -> None:
    """Keep the misclassified points that are nearer than the nearest so far (in place)."""
    length = distance(point, x, norm)
    better = wrong & (length < far[index])
    nearest[index[better]], far[index[better]] = point[better], length[better]


def _shorten(model, x, y, norm, nearest: Tensor, far: Tensor, index: Tensor) -> None:
    """Move nearest points closer: three secant steps towards the boundary on the segment from x."""
    inside, outside = torch.zeros_like(far[index]), torch.ones_like(far[index])
    end = nearest[index]
    m_in, m_out = (margin_at(model, z, y) for z in (x, end))
    for _ in range(FINAL_STEPS):
        # Aims slightly beyond the crossing, since only a misclassified point counts.
        fraction = (m_in / (m_in - m_out).clamp(min=1e-12)).clamp(0, 1) * 0.9 + 0.1
        fraction = inside + fraction * (outside - inside)
        point = x + per_image(fraction) * (end - x)
        margin = margin_at(model, point, y)
        wrong = is_wrong(margin, y)
        _note(point, x, wrong, norm, nearest, far, index)
        inside, m_in = torch.where(wrong, inside, fraction), torch.where(wrong, m_in, margin)
        outside, m_out = torch.where(wrong, fraction, outside), torch.where(wrong, margin, m_out)


def to_boundary(z: Tensor, gradient: Tensor, value: Tensor, norm: str) -> Tensor:
    """Return the shortest d with value + <gradient, d> = 0 and z + d in [0, 1].

    Every pixel moves against the sign of value times its gradient: by the same amount (l_inf), in
    proportion to the gradient (l2), or the largest gradients first (l1), each up to the box. Where the
    box does not meet the plane, d goes to the box's corner nearest to it.

    Args:
        z, gradient: [B, C, H, W]. value: [B], the linearised margin at z.
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
