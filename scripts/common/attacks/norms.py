"""The three threat models: balls around an image, cut by the pixel range [0, 1].

Images are float32 tensors [B, C, H, W] with values in [0, 1]; a radius is in the same pixel units,
one number or one per image [B].
"""

import torch
from numpy.random import SeedSequence
from torch import Tensor

NORMS = ("linf", "l2", "l1")


def check_norm(norm: str) -> None:
    """Raise `ValueError` unless the norm is one of `NORMS`."""
    if norm not in NORMS:
        raise ValueError(f"unknown norm {norm!r}; choose one of {', '.join(NORMS)}")


def per_image(values: Tensor) -> Tensor:
    """Reshape one value per image [B] to [B, 1, 1, 1], to be combined with images."""
    return values.reshape(-1, 1, 1, 1)


def lengths(perturbation: Tensor, norm: str) -> Tensor:
    """Return the norm of each perturbation [B, C, H, W] as [B]."""
    check_norm(norm)
    flat = perturbation.flatten(1)
    if norm == "linf":
        return flat.abs().amax(1)
    return flat.norm(dim=1) if norm == "l2" else flat.abs().sum(1)


def distance(a: Tensor, b: Tensor, norm: str) -> Tensor:
    """Return the distance between the images of two batches as [B]."""
    return lengths(a - b, norm)


def headroom(direction: Tensor, x: Tensor) -> Tensor:
    """Return the distance that each pixel can move in the sign of `direction` before it leaves [0, 1]."""
    return (direction > 0).to(x.dtype).sub_(x).abs_()  # 1 - x or x; torch.where is ten times slower on a CPU


def water_fill(rate: Tensor, cap: Tensor, target: Tensor) -> Tensor:
    """Return for each image the t >= 0 with sum_i min(t rate_i, cap_i) = target.

    The sum is concave and piecewise linear in t, so Newton steps from t = 0 rise to the root and end
    on its linear piece; two or three passes replace a sort. Where the caps sum to less than the target,
    t is the largest float.

    Args:
        rate, cap: non-negative, [B, D]. target: [B].
    """
    largest = torch.finfo(cap.dtype).max
    t, total = torch.zeros_like(target), torch.zeros_like(target)
    for _ in range(100):
        open_ = cap.sub(t[:, None] * rate).sign_().relu_()
        slope = torch.linalg.vecdot(rate, open_)
        step = torch.where(slope > 0, (t + (target - total) / slope).clamp(max=largest), largest)
        t = torch.where((target - total) > 1e-6 * target, torch.maximum(t, step), t)
        total = torch.minimum(t[:, None] * rate, cap).sum(1)
        if not ((target - total > 1e-6 * target) & (t < largest)).any():
            break
    return t


def project(z: Tensor, x: Tensor, norm: str, eps: float | Tensor) -> Tensor:
    """Return the point nearest to z (in Euclidean distance) in the eps-ball around x and in [0, 1].

    For l2 the Karush-Kuhn-Tucker conditions give z - x scaled by one factor and clipped to the box; for
    l1 they give z - x soft-thresholded by one number and clipped to the box (Croce and Hein 2021, "Mind
    the box", proposition 2.1). Both numbers are computed to float32 precision. x itself must be in [0, 1].
    """
    check_norm(norm)
    eps = torch.as_tensor(eps, dtype=x.dtype, device=x.device).expand(len(x))
    if norm == "linf":
        radius = per_image(eps)
        return torch.minimum(torch.maximum(z, x - radius), x + radius).clamp(0, 1)
    shift = (z - x).flatten(1)
    size, cap = shift.abs(), headroom(z - x, x).flatten(1)
    if norm == "l2":
        factor = water_fill(size.square(), cap.square(), eps.square()).sqrt().clamp(max=1)
        kept = torch.minimum(factor[:, None] * size, cap)
    else:
        kept = torch.minimum((size - _threshold(size, cap, eps)[:, None]).clamp(min=0), cap)
        # Far from the ball the threshold's rounding is not small beside eps.
        kept = kept * (eps / kept.sum(1)).clamp(max=1).nan_to_num(1.0)[:, None]
    return (x + (kept * shift.sign()).view_as(x)).clamp(0, 1)


def _threshold(size: Tensor, cap: Tensor, eps: Tensor) -> Tensor:
    """Return per image the smallest s >= 0 with sum_i min(max(size_i - s, 0), cap_i) <= eps.

    Newton's steps on the piecewise linear sum, kept inside a shrinking bracket.
    """
    low, high = torch.zeros_like(eps), size.amax(1)
    s = torch.zeros_like(eps)
    done = torch.minimum(size, cap).sum(1) <= eps
    for _ in range(100):
        left = size - s[:, None]
        total = torch.minimum(left.clamp(min=0), cap).sum(1)
        done = done | ((total - eps).abs() <= 1e-6 * eps) | (high - low <= 1e-7 * high)
        if done.all():
            break
        above = total > eps
        low, high = torch.where(above, s, low), torch.where(above, high, s)
        slope = ((left > 0) & (left < cap)).sum(1)
        newton = s + (total - eps) / slope
        inside = (newton > low) & (newton < high)  # false also for 0/0
        s = torch.where(done, s, torch.where(inside, newton, (low + high) / 2))
    return s


def random_start(x: Tensor, norm: str, eps: float | Tensor, generator: torch.Generator) -> Tensor:
    """Return x plus a draw from the uniform distribution on the eps-ball, clipped to [0, 1].

    The draw is made on the generator's device, in the order of the images.
    """
    check_norm(norm)
    eps = torch.as_tensor(eps, dtype=x.dtype, device=x.device).expand(len(x))
    place = {"generator": generator, "device": generator.device, "dtype": x.dtype}
    size = x[0].numel()
    if norm == "linf":
        draw = torch.rand(x.shape, **place).mul_(2).sub_(1)
    elif norm == "l2":
        draw = torch.randn((len(x), size), **place)
        radius = torch.rand((len(x), 1), **place) ** (1 / size)
        draw = draw * radius / draw.norm(dim=1, keepdim=True)
    else:
        # One exponential more than there are pixels: uniform in the ball and not only on its surface.
        draw = torch.empty((len(x), size + 1), device=generator.device, dtype=x.dtype)
        draw.exponential_(generator=generator)
        draw = draw[:, :size] / draw.sum(1, keepdim=True)
        draw = torch.where(torch.rand(draw.shape, **place) < 0.5, -draw, draw)
    return (x + per_image(eps) * draw.view(x.shape).to(x.device)).clamp(0, 1)


def streams(seed: int, ids: Tensor | None, x: Tensor, *labels: int) -> list[torch.Generator]:
    """Return one random generator per image, seeded by (seed, image id, labels).

    An image's random numbers therefore do not depend on its batch, the device or the other images.
    `ids` [B] are integers; without them the images are numbered from 0.
    """
    numbers = range(len(x)) if ids is None else ids.tolist()
    states = (int(SeedSequence([seed, number, *labels]).generate_state(1)[0]) for number in numbers)
    return [torch.Generator().manual_seed(state) for state in states]


def random_starts(x: Tensor, norm: str, eps: float | Tensor, generators: list[torch.Generator]) -> Tensor:
    """Return `random_start` of every image, one generator per image."""
    eps = torch.as_tensor(eps, dtype=x.dtype, device=x.device).expand(len(x))
    if not generators:
        return x.clone()
    return torch.cat([random_start(x[i : i + 1], norm, eps[i : i + 1], g) for i, g in enumerate(generators)])
