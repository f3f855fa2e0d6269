"""APGD, the gradient attack without a step size to tune, and its l1 variant.

Croce and Hein 2020, "Reliable evaluation of adversarial robustness", algorithm 1; for l1 Croce and Hein 2021, "Mind the
box", algorithm 1.
"""

import math

import torch
from torch import Tensor

from scripts.common.attacks.classification import TARGETED, Classification, Model, by_target
from scripts.common.attacks.norms import check_norm, per_image, project, random_starts, streams
from scripts.common.attacks.objective import Objective

MOMENTUM = 0.75
RHO = 0.75


def checkpoints(iterations: int) -> list[int]:
    """Return the iterations after which the step size is reviewed.

    They are ceil(p_j N) with p_1 = 0.22 and p_{j+1} = p_j + max(p_j - p_{j-1} - 0.03, 0.06).
    """
    before, fraction, reviews = 0.0, 0.22, []
    while fraction <= 1:
        reviews.append(math.ceil(fraction * iterations - 1e-9))
        before, fraction = fraction, fraction + max(fraction - before - 0.03, 0.06)
    return reviews


def apgd(
    model: Model,
    x: Tensor,
    y: Tensor,
    norm: str,
    eps: float,
    iterations: int = 100,
    loss: str = "margin",
    restarts: int = 1,
    seed: int = 0,
    ids: Tensor | None = None,
    targets: int = 9,
) -> Tensor:
    """Return for each image a misclassified point in the ball or, failing that, the point of highest loss seen.

    A targeted loss runs once for each of the likeliest other classes, `targets` at most, on the images that survive;
    what is left of those is the point of smallest margin. The clean image is not classified: pass correctly
    classified images only. Cost and the other arguments: `maximise_apgd`, once per target.

    Args:
        model: x -> logits [B, K].
        y: [B] in 0 .. K - 1.
        loss: one of `classification.LOSSES` and `classification.TARGETED`.
    """
    if loss not in TARGETED:
        return maximise_apgd(Classification(model, y, loss), x, norm, eps, iterations, restarts, seed, ids)
    check_norm(norm)
    if targets < 1:
        raise ValueError(f"targets must be at least 1, not {targets}")
    result, everything = x.clone(), torch.arange(len(x), device=x.device)
    surviving, ids = everything, everything if ids is None else ids.to(x.device)
    best = torch.full((len(x),), -math.inf, device=x.device)
    for rank, objective in enumerate(by_target(model, x, y, loss, targets) if len(x) else (), start=1):
        if not len(surviving):
            break
        clean = x[surviving]
        own = objective[surviving]
        point = maximise_apgd(own, clean, norm, eps, iterations, restarts, seed, ids[surviving], rank)
        value, _, adversarial = Classification(model, y[surviving])(point, gradient=False)
        better = adversarial | (value > best[surviving])
        result[surviving[better]] = point[better]
        best[surviving[better]] = value[better]
        surviving = surviving[~adversarial]
    return result


def maximise_apgd(
    objective: Objective,
    x: Tensor,
    norm: str,
    eps: float,
    iterations: int = 100,
    restarts: int = 1,
    seed: int = 0,
    ids: Tensor | None = None,
    *labels: int,
) -> Tensor:
    """Return for each image a point of the ball at which the objective is done or, failing that, of highest value.

    An image leaves the batch as soon as it is done. The cost, for each surviving image and each
    restart, is `iterations` input gradients and `iterations + 1` forward passes. Random starts are seeded per image
    by (seed, id, labels, restart), so an image's result does not depend on its batch, up to the rounding differences
    between convolutions of different batch sizes.

    Args:
        x: [B, C, H, W] in [0, 1]. eps: radius in pixel units.
        ids: integer [B], the images' ids that seed their random streams; by default 0, 1, 2...
        labels: further integers that seed them.
    """
    check_norm(norm)
    if iterations < 1 or restarts < 1:
        raise ValueError(f"iterations and restarts must be at least 1, not {iterations} and {restarts}")
    result = x.clone()
    surviving = torch.arange(len(x), device=x.device)
    ids = surviving if ids is None else ids.to(x.device)
    best = torch.full((len(x),), -math.inf, device=x.device)
    search = _search_l1 if norm == "l1" else _search
    for restart in range(restarts):
        if not len(surviving):
            break
        clean = x[surviving]
        generators = streams(seed, ids[surviving], clean, *labels, restart)
        point, value, done = search(objective[surviving], clean, norm, eps, iterations, generators)
        better = done | (value > best[surviving])
        result[surviving[better]] = point[better]
        best[surviving[better]] = value[better]
        surviving = surviving[~done]
    return result


def _search(objective, x, norm, eps, iterations, generators) -> tuple[Tensor, Tensor, Tensor]:
    start = random_starts(x, norm, eps, generators)
    return apgd_run(objective, x, start, norm, eps, iterations, checkpoints(iterations))


def apgd_run(
    objective: Objective,
    x: Tensor,
    start: Tensor,
    norm: str,
    eps: float,
    iterations: int,
    reviews: list[int],
    stop_when_done: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Result of one APGD run for l_inf or l2 from `start`.

    Returns for each image a point (the last one at which the objective was done, else the one of highest value), its
    value [B] and whether it is done [B]. Without `stop_when_done` every image stays in the batch to the end.
    `reviews`: iterations at which the step size is reviewed.
    """
    record = _Record(x)
    value, gradient, done = objective(start)
    state = {"objective": objective, "x": x, "point": start, "before": start, "gradient": gradient, "value": value}
    state |= {"best": start, "best_value": value, "best_gradient": gradient, "index": record.index}
    state |= {"step": torch.full_like(value, 2 * eps), "rises": torch.zeros_like(value)}
    state |= {"reviewed_step": state["step"], "reviewed_value": value}
    previous_review = 0
    for iteration in range(1, iterations + 1):
        state = record.note(state, done, stop_when_done)
        if not len(state["index"]):
            break
        point, clean = state["point"], state["x"]
        ahead = point + per_image(state["step"]) * _direction(state["gradient"], norm)
        ahead = project(ahead, clean, norm, eps)
        if iteration > 1:
            ahead = point + MOMENTUM * (ahead - point) + (1 - MOMENTUM) * (point - state["before"])
            ahead = project(ahead, clean, norm, eps)
        state |= {"before": point, "point": ahead}
        earlier = state["value"]
        done = _evaluate(state, last=iteration == iterations)
        state["rises"] = state["rises"] + (state["value"] > earlier)
        _keep_best(state)
        if iteration in reviews:
            _halve_steps(state, RHO * (iteration - previous_review))
            previous_review = iteration
    else:
        state = record.note(state, done, stop_when_done)
    return record.finish(state)


def _evaluate(state: dict, last: bool) -> Tensor:
    """Update value and gradient of the state at the current points; return which images are done [B].

    The gradient is skipped after the last step.
    """
    state["value"], gradient, done = state["objective"](state["point"], gradient=not last)
    if not last:
        state["gradient"] = gradient
    return done


def _direction(gradient: Tensor, norm: str) -> Tensor:
    """Return the steepest unit step: the signs for l_inf, the normalised gradient for l2."""
    if norm == "linf":
        return gradient.sign()
    return gradient / per_image(gradient.flatten(1).norm(dim=1)).clamp(min=1e-12)


def _keep_best(state: dict) -> None:
    better = state["value"] > state["best_value"]
    state["best_value"] = torch.where(better, state["value"], state["best_value"])
    wide = per_image(better)
    state["best"] = torch.where(wide, state["point"], state["best"])
    state["best_gradient"] = torch.where(wide, state["gradient"], state["best_gradient"])


def _halve_steps(state: dict, rises_wanted: float) -> None:
    """Halve the step size and return to the best point where the search makes no progress.

    That is where too few steps raised the loss, or where neither the step size nor the best loss has changed since the
    last review.
    """
    stuck = (state["reviewed_step"] == state["step"]) & (state["reviewed_value"] == state["best_value"])
    halve = (state["rises"] < rises_wanted) | stuck
    state["reviewed_step"], state["reviewed_value"] = state["step"], state["best_value"]
    state["step"] = torch.where(halve, state["step"] / 2, state["step"])
    state["rises"] = torch.zeros_like(state["rises"])
    wide = per_image(halve)
    for name in ("point", "gradient"):
        state[name] = torch.where(wide, state[f"best_{name}" if name != "point" else "best"], state[name])
    state["value"] = torch.where(halve, state["best_value"], state["value"])


class _Record:
    """Points at which the objective was done so far; the remaining images are still being searched."""

    def __init__(self, x: Tensor) -> None:
        self.index = torch.arange(len(x), device=x.device)
        self.point = x.clone()
        self.value = torch.full((len(x),), -math.inf, device=x.device)
        self.done = torch.zeros(len(x), dtype=torch.bool, device=x.device)

    def note(self, state: dict, done: Tensor, drop: bool = True) -> dict:
        """Record the images that are done at their current point; return the state, without them if `drop`."""
        if not done.any():
            return state
        index = state["index"][done]
        self.point[index], self.value[index], self.done[index] = state["point"][done], state["value"][done], True
        return {name: value[~done] for name, value in state.items()} if drop else state

    def finish(self, state: dict) -> tuple[Tensor, Tensor, Tensor]:
        """Return points, values and flags of who is done [B]; surviving images get their best point."""
        left = ~self.done[state["index"]]
        index = state["index"][left]
        self.point[index], self.value[index] = state["best"][left], state["best_value"][left]
        return self.point, self.value, self.done


def _search_l1(objective, x, norm, eps, iterations, generators) -> tuple[Tensor, Tensor, Tensor]:
    """Run l1-APGD from a random start with three radii, one after the other.

    The radii are 3 eps, 2 eps and eps for fractions 0.3, 0.3 and 0.4 of the iterations (section 4.3 of the paper); each
    phase starts at the projected best point of the previous one.
    """
    point = random_starts(x, norm, 3 * eps, generators)
    early = int(0.3 * iterations)
    for factor in (3, 2) if early else ():
        point = project(point, x, norm, factor * eps)
        point = apgd_run_l1(objective, x, point, factor * eps, early, stop_when_done=False)[0]
    return apgd_run_l1(objective, x, project(point, x, norm, eps), eps, iterations - 2 * early)


def apgd_run_l1(
    objective: Objective,
    x: Tensor,
    start: Tensor,
    eps: float,
    iterations: int,
    stop_when_done: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Result of one single-radius l1-APGD run from `start`: sparse sign steps without momentum.

    A step moves the k pixels of largest gradient by equal amounts that sum to the step size. At a
    review (every 4 % of the iterations) k becomes two thirds of the pixels in which the best point differs
    from x, and the step shrinks by 1.5 (not below eps / 10) where k has stopped falling, else it
    returns to eps and the search to the best point. Without `stop_when_done` (for a radius above
    eps) the point of highest value is returned and no image is dropped. Returns the same as `apgd_run`.
    """
    size, period = x[0].numel(), max(math.ceil(0.04 * iterations), 1)
    record = _Record(x)
    value, gradient, done = objective(start)
    state = {
        "objective": objective,
        "x": x,
        "point": start,
        "gradient": gradient,
        "value": value,
        "index": record.index,
    }
    state |= {"best": start, "best_value": value, "best_gradient": gradient}
    state |= {"k": torch.full_like(value, max(0.2 * size, 1)), "step": torch.full_like(value, eps)}
    for iteration in range(1, iterations + 1):
        if stop_when_done:
            state = record.note(state, done)
        if not len(state["index"]):
            break
        ahead = state["point"] + per_image(state["step"]) * _sparse_direction(state["gradient"], state["k"])
        state["point"] = project(ahead, state["x"], "l1", eps)
        done = _evaluate(state, last=iteration == iterations)
        _keep_best(state)
        if iteration % period == 0:
            _review_l1(state, eps)
    else:
        if stop_when_done:
            state = record.note(state, done)
    return record.finish(state)


def _sparse_direction(gradient: Tensor, k: Tensor) -> Tensor:
    """Return the signs of the k largest gradient entries per image, divided by their number."""
    flat = gradient.flatten(1).abs()
    wanted = k.long().clamp(1, flat.shape[1])
    largest = flat.topk(int(wanted.max()), dim=1).values
    chosen = (flat >= largest.gather(1, wanted[:, None] - 1)) & (flat > 0)
    fraction = chosen / chosen.sum(1, keepdim=True).clamp(min=1)
    return fraction.view_as(gradient) * gradient.sign()


def _review_l1(state: dict, eps: float) -> None:
    changed = (state["best"] != state["x"]).flatten(1).sum(1)
    k = (changed / 1.5).clamp(min=1)
    settled = k >= 0.95 * state["k"]
    state["step"] = torch.where(settled, (state["step"] / 1.5).clamp(min=eps / 10), eps)
    state["k"] = k
    back = per_image(~settled)
    state["point"] = torch.where(back, state["best"], state["point"])
    state["gradient"] = torch.where(back, state["best_gradient"], state["gradient"])
