"""Square, the black-box random search (Andriushchenko et al. 2020), with its l1 form.

The l1 form is that of Croce and Hein 2021, "Mind the box". It uses logits only, so gradient masking does not affect it.
"""

import functools
import math

import torch
from torch import Tensor

from scripts.common.attacks.classification import Classification, Model
from scripts.common.attacks.norms import check_norm, headroom, per_image, project, streams, water_fill
from scripts.common.attacks.objective import Objective

HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of the window's area, for 10,000 queries
# The paper has 1. On a small network 78, 73, 73, 70 of 80 images survived 300 queries with 1, 2, 4, 10 in l2 (eps 1.5)
# and 80, 64, 52, 44 in l1 (eps 14); 49, 42, 47 and 78, 34, 35 survived 1,000 queries with 1, 4, 10.
GAIN = 4
BLOCK = 64  # queries whose random numbers are drawn together


def window_fraction(query: int, queries: int, p_init: float) -> float:
    """Fraction of the image that a window covers at this query (1, 2, ...)."""
    scaled = query * 10_000 / queries
    return p_init / 2 ** sum(scaled > limit for limit in HALVINGS)


def square(
    model: Model,
    x: Tensor,
    y: Tensor,
    norm: str,
    eps: float,
    queries: int = 5000,
    seed: int = 0,
    ids: Tensor | None = None,
    p_init: float = 0.8,
) -> Tensor:
    """Return for each image a misclassified point in the ball or, failing that, the point of smallest margin seen.

    `maximise_square` on the margin of a classifier, x -> logits [B, K]; y [B] in 0 .. K - 1.
    """
    return maximise_square(Classification(model, y), x, norm, eps, queries, seed, ids, p_init)


def maximise_square(
    objective: Objective,
    x: Tensor,
    norm: str,
    eps: float,
    queries: int = 5000,
    seed: int = 0,
    ids: Tensor | None = None,
    p_init: float = 0.8,
) -> Tensor:
    """Return for each image a point of the ball at which the objective is done or, failing that, of highest value.

    Random changes of square windows are kept when they raise the value. l_inf: a window is set to the
    image +-eps per channel. l2 and l1: the norm of two windows, plus the unused norm, moves into one of
    them. An image leaves the batch when done. Cost: one forward pass per query and surviving
    image, including the start. The other arguments are those of `maximise_apgd`.
    """
    check_norm(norm)
    if queries < 1:
        raise ValueError(f"queries must be at least 1, not {queries}")
    result = x.clone()
    index = torch.arange(len(x), device=x.device)
    generators = streams(seed, index if ids is None else ids, x)
    start = _stripes if norm == "linf" else _tiles
    point = start(x, norm, eps, generators) if len(x) else x
    value, _, done = objective(point, gradient=False) if len(x) else (x.new_zeros(0), None, index.bool())
    state = {"objective": objective, "x": x, "point": point, "value": value, "done": done, "index": index}
    channels = x.shape[1]
    for query in range(1, queries + 1):
        done = state["done"]
        if done.any():
            result[state["index"][done]] = state["point"][done]
            state = {name: value[~done] for name, value in state.items()}
        if query == queries or not len(state["index"]):
            break
        turn = (query - 1) % BLOCK
        if turn == 0:
            surviving = state["index"].tolist()
            block = [torch.rand((BLOCK, 5 + channels), generator=generators[i]) for i in surviving]
            state["draws"] = torch.stack(block).to(x.device)
        propose = _propose_linf if norm == "linf" else _propose_mass
        fraction = window_fraction(query, queries, p_init)
        candidate = propose(state, norm, eps, fraction, state["draws"][:, turn])
        value, _, done = state["objective"](candidate, gradient=False)
        better = (value > state["value"]) | done
        state["value"] = torch.where(better, value, state["value"])
        state["done"] = done
        state["point"] = torch.where(per_image(better), candidate, state["point"])
    result[state["index"]] = state["point"]
    return result


def _signs(uniforms: Tensor) -> Tensor:
    return torch.where(uniforms < 0.5, -1.0, 1.0)


def _window(images: Tensor, side: int, row: Tensor, column: Tensor) -> tuple[Tensor, ...]:
    """Return the index that selects a square window [B, C, side, side] of each image."""
    count, channels, height, width = images.shape
    span = torch.arange(side, device=images.device)
    rows = (row * (height - side + 1)).long()[:, None] + span
    columns = (column * (width - side + 1)).long()[:, None] + span
    batch = torch.arange(count, device=images.device).view(-1, 1, 1, 1)
    channel = torch.arange(channels, device=images.device).view(1, -1, 1, 1)
    return batch, channel, rows[:, None, :, None], columns[:, None, None, :]


def _side(images: Tensor, fraction: float, smallest: int) -> int:
    height, width = images.shape[2:]
    return min(max(round(math.sqrt(fraction * height * width)), smallest), height, width)


def _stripes(x: Tensor, norm: str, eps: float, generators: list[torch.Generator]) -> Tensor:
    """Return x with vertical stripes of +-eps, one pixel wide."""
    draws = torch.stack([torch.rand((x.shape[1], 1, x.shape[3]), generator=g) for g in generators])
    return (x + eps * _signs(draws).to(x.device)).clamp(0, 1)


def _propose_linf(state: dict, norm: str, eps: float, fraction: float, draws: Tensor) -> Tensor:
    """Candidate with one colour from {-eps, +eps} per channel added to a window."""
    x, point = state["x"], state["point"]
    window = _window(x, _side(x, fraction, 1), draws[:, 0], draws[:, 1])
    colour = eps * _signs(draws[:, 5:])[:, :, None, None]
    clean, now = x[window], point[window]
    changed = (clean + colour).clamp(0, 1)
    # A query that changes nothing is wasted, so it takes the opposite colour.
    idle = (changed == now).flatten(1).all(1)
    changed = torch.where(per_image(idle), (clean - colour).clamp(0, 1), changed)
    candidate = point.clone()
    candidate[window] = changed
    return candidate


def pyramid(side: int, device: torch.device | str = "cpu") -> Tensor:
    """Window pattern eta [side, side] (equation 2 of the Square paper).

    It has a positive and a negative half, each highest in its middle.
    """

    def half(height: int, width: int) -> Tensor:
        rows = (torch.arange(height, device=device) - height // 2).abs()[:, None]
        columns = (torch.arange(width, device=device) - width // 2).abs()[None]
        # A pixel at distance m from the centre holds the sum of 1 / j^2 for j = m + 1 .. height // 2 + 1.
        terms = 1 / torch.arange(1, height // 2 + 2, device=device) ** 2
        return terms.flip(0).cumsum(0).flip(0)[torch.maximum(rows, columns)]

    left = side // 2
    if left == 0:
        return torch.ones(side, side, device=device)
    return torch.cat([half(side, left), -half(side, side - left)], dim=1)


@functools.lru_cache(maxsize=64)
def _pattern(side: int, norm: str, device: torch.device) -> Tensor:
    eta = pyramid(side, device)
    return eta / _length(eta.flatten(), norm)


def _patterns(side: int, turned: Tensor, norm: str) -> Tensor:
    """Return the window pattern of length 1, or its transpose, per image [B, 1, side, side]."""
    eta = _pattern(side, norm, turned.device)
    return torch.where(per_image(turned < 0.5), eta, eta.T)


def _fit(delta: Tensor, x: Tensor, norm: str, eps: float) -> Tensor:
    """Return x + delta moved into the ball and the box.

    l1: the projection, which thresholds and so keeps few pixels. l2: delta is scaled to have length eps after clipping
    to the box.
    """
    if norm == "l1":
        return project(x + delta, x, norm, eps)
    size, cap = delta.abs().flatten(1), headroom(delta, x).flatten(1)
    budget = torch.full((len(x),), eps, device=x.device)
    scale = water_fill(size.square(), cap.square(), budget.square()).sqrt()
    size = torch.minimum(scale[:, None] * size, cap)
    return (x + size.view_as(x) * delta.sign()).clamp(0, 1)


def _length(flat: Tensor, norm: str) -> Tensor:
    return flat.norm(dim=-1) if norm == "l2" else flat.abs().sum(-1)


def _tiles(x: Tensor, norm: str, eps: float, generators: list[torch.Generator]) -> Tensor:
    """Return x with about 5 x 5 window patterns of random sign and orientation, of length eps."""
    _, channels, height, width = x.shape
    side = max(min(height, width) // 5, 1)
    delta = torch.zeros_like(x)
    for row in range(0, height - side + 1, side):
        for column in range(0, width - side + 1, side):
            draws = torch.stack([torch.rand(channels + 1, generator=g) for g in generators]).to(x.device)
            pattern = _patterns(side, draws[:, 0], norm) * _signs(draws[:, 1:])[:, :, None, None]
            delta[:, :, row : row + side, column : column + side] = pattern
    return _fit(delta, x, norm, eps)


def _propose_mass(state: dict, norm: str, eps: float, fraction: float, draws: Tensor) -> Tensor:
    """Candidate with the norm of one window moved into another (algorithm 3 of the Square paper).

    One window is emptied; its norm, that of a second window and the unused norm go into the second, along its present
    perturbation plus a signed pattern. The paper keeps the moved norm; here it is multiplied by `GAIN` and the result
    then rescaled to eps, so that a window can also grow at the cost of the others.
    """
    x, power = state["x"], 2 if norm == "l2" else 1
    delta = state["point"] - x
    side = _side(x, fraction, min(3, *x.shape[2:]))
    target, source = (_window(x, side, draws[:, i], draws[:, i + 1]) for i in (0, 2))
    now = delta[target]
    now = now / _length(now.flatten(2), norm)[:, :, None, None].clamp(min=1e-12)
    shape = now + _patterns(side, draws[:, 4], norm) * _signs(draws[:, 5:])[:, :, None, None]
    shape = shape / _length(shape.flatten(2), norm)[:, :, None, None].clamp(min=1e-12)
    unused = (eps**power - _length(delta.flatten(1), norm) ** power).clamp(min=0)
    moved = delta.clone()
    moved[target], moved[source] = 0.0, 0.0
    freed = _length(delta.flatten(2), norm) ** power - _length(moved.flatten(2), norm) ** power
    budget = (GAIN * freed.clamp(min=0) + unused[:, None] / x.shape[1]) ** (1 / power)
    moved[target] = shape * budget[:, :, None, None]
    return _fit(moved, x, norm, eps)
