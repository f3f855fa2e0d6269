"""Trigger reverse engineering as published in Neural Cleanse, for all target labels of a model at once.

For every label t, the smallest mask m (per pixel) and the pattern p are sought that turn any image x into t:

    minimise  mean CE(f((1 - m) x + m p), t) + cost_t * sum |m|

with m and p = tanh(.) / (2 - 1e-7) + 0.5 (Wang et al., Neural Cleanse, 2019, and the authors' release). The network is
frozen, so labels do not see one another, and Adam works element by element: optimising them in one batch, each with a
cost, a success gate and an end of its own, is the same as one after the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.backdoor.schedule import Schedule, ScheduleSettings
from scripts.common.errors import UserError
from scripts.common.logs import progress
from scripts.common.seeds import seed_from

SHRINK = 2 - 1e-7  # keeps m and p inside (0, 1)
BETAS, STEADY = (0.5, 0.9), 1e-8  # the published Adam; torch's and Keras' epsilon are 1e-8 and 1e-7


@dataclass(frozen=True)
class Search:
    """How long and how fast is searched; the defaults are the published ones."""

    steps: int = 1000
    batches_per_step: int = 31
    batch_size: int = 32
    learning_rate: float = 0.1
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)


@dataclass
class Triggers:
    """What was found for every label.

    mask, pattern: [L, 28, 28] in (0, 1); trace: one row per label and step, with its success, norm, cost and loss.
    summary: one row per label: label, norm (sum of the mask, in pixels), found (whether the gate was ever passed),
    steps, updates, stopped ("early" or "budget").
    """

    mask: Tensor
    pattern: Tensor
    trace: pd.DataFrame
    summary: pd.DataFrame


def to_unit(theta: Tensor) -> Tensor:
    """Return tanh(theta) / (2 - 1e-7) + 0.5, in (0, 1)."""
    return torch.tanh(theta) / SHRINK + 0.5


def from_unit(value: Tensor) -> Tensor:
    """Return theta with `to_unit(theta) = value`."""
    return torch.atanh((value - 0.5) * SHRINK)


def initial(labels: Sequence[int], seed: object) -> Tensor:
    """Return the start [L, 2, 28, 28] (mask, pattern), uniform in (0, 1) before the tanh; each label has its own."""
    draws = [np.random.default_rng(seed_from("backdoor", "start", seed, label)).random((2, 28, 28)) for label in labels]
    return from_unit(torch.from_numpy(np.stack(draws)).float())


def stamped(images: Tensor, mask: Tensor, pattern: Tensor) -> Tensor:
    """Return (1 - m) x + m p of images [B, 1, 28, 28]: [B, ...] for one mask [28, 28], [L, B, ...] for L of them."""
    mask, pattern = mask[..., None, None, :, :], pattern[..., None, None, :, :]
    return images + mask * (pattern - images)


def step_batches(rows: int, search: Search, seed: object, step: int) -> list[Tensor]:
    """Return the index batches of a step, cut from permutations of the pool; they depend on seed and step alone."""
    random = np.random.default_rng(seed_from("backdoor", "reverse", seed, step))
    wanted = search.batches_per_step * search.batch_size
    order = np.concatenate([random.permutation(rows) for _ in range(-(-wanted // rows))])[:wanted]
    return list(torch.from_numpy(order).split(search.batch_size))


class Adam:
    """Adam on one tensor [L, ...] whose rows may be dropped; element by element, so rows never meet."""

    def __init__(self, theta: Tensor, rate: float, betas: tuple[float, float] = BETAS) -> None:
        self.theta, self.rate, self.betas, self.count = theta, rate, betas, 0
        self.first, self.second = torch.zeros_like(theta), torch.zeros_like(theta)

    def update(self, gradient: Tensor) -> None:
        """Take one step (Kingma and Ba 2015, algorithm 1)."""
        self.count += 1
        b1, b2 = self.betas
        self.first.lerp_(gradient, 1 - b1)
        self.second.mul_(b2).addcmul_(gradient, gradient, value=1 - b2)
        size = (self.second / (1 - b2**self.count)).sqrt_().add_(STEADY)
        self.theta.addcdiv_(self.first, size, value=-self.rate / (1 - b1**self.count))

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the rows only."""
        self.theta, self.first, self.second = self.theta[rows], self.first[rows], self.second[rows]


def gradient_of(
    logits_of: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, theta: Tensor, cost: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradient [L, 2, 28, 28] of the summed objectives, and each label's success and cross-entropy [L]."""
    theta = theta.detach().requires_grad_()
    mask, pattern = to_unit(theta).unbind(1)
    blended = stamped(images, mask, pattern)
    many, batch = blended.shape[:2]
    logits = logits_of(blended.flatten(0, 1)).view(many, batch, -1)
    wanted = labels[:, None].expand(many, batch)
    entropy = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none").view(many, batch).mean(1)
    total = (entropy + cost * mask.sum((1, 2))).sum()
    (gradient,) = torch.autograd.grad(total, theta)
    return gradient, (logits.detach().argmax(2) == wanted).float().mean(1), entropy.detach()


def reverse_engineer(
    logits_of: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Sequence[int],
    search: Search,
    seed: object,
    what: str = "search",
) -> Triggers:
    """Seek the trigger of every label on clean images [N, 1, 28, 28].

    Args:
        logits_of: the frozen network, images to logits.
        seed: names the start and the batches.
        what: how the log calls the search.

    Raises:
        UserError: a loss is not finite.
    """
    device, total = images.device, len(labels)
    names = torch.tensor(list(labels), device=device)
    adam = Adam(initial(labels, seed).to(device), search.learning_rate)
    schedule = Schedule(total, search.schedule, device)
    active = torch.arange(total, device=device)
    best = to_unit(adam.theta)
    ended = np.full(total, search.steps)
    traces = []
    for step in progress(range(search.steps), what, unit="steps"):
        batches = step_batches(len(images), search, seed, step)
        success = torch.zeros(len(active), device=device)
        entropy, norm = torch.zeros_like(success), torch.zeros_like(success)
        for indices in batches:
            norm += to_unit(adam.theta[:, 0]).sum((1, 2))
            gradient, right, loss = gradient_of(
                logits_of, images[indices.to(device)], names[active], adam.theta, schedule.cost[active]
            )
            adam.update(gradient)
            success += right
            entropy += loss
        success, entropy, norm = (value / len(batches) for value in (success, entropy, norm))
        cost = schedule.cost[active]
        better, over = schedule.after_step(active, success, norm)
        now = to_unit(adam.theta)
        best[active[better]] = now[better]
        best[active[~schedule.found[active]]] = now[~schedule.found[active]]  # nothing passed yet: the last one counts
        traces.append(torch.stack([names[active].float(), success, norm, cost, entropy], 1).cpu().numpy())
        if not np.isfinite(traces[-1]).all():
            raise UserError(
                f"reverse engineering: the loss is not finite in step {step + 1}; is the model's output NaN?"
            )
        if bool(over.any()):
            ended[active[over].cpu().numpy()] = step + 1
            active = active[~over]
            adam.keep(~over)
        if not len(active):
            break
    return _result(labels, best, schedule.found, ended, traces, search)


def _result(
    labels, best: Tensor, found: Tensor, ended: np.ndarray, traces: list[np.ndarray], search: Search
) -> Triggers:
    """Put together what was found."""
    mask, pattern = (part.cpu() for part in best.unbind(1))
    columns = ["label", "success", "norm", "cost", "entropy"]
    steps = np.repeat(np.arange(1, len(traces) + 1), [len(rows) for rows in traces])
    trace = pd.DataFrame(np.concatenate(traces), columns=columns).assign(step=steps)
    summary = pd.DataFrame(
        {
            "label": list(labels),
            "norm": mask.double().sum((1, 2)).numpy(),
            "found": found.cpu().numpy(),
            "steps": ended,
            "updates": ended * search.batches_per_step,
            "stopped": np.where(ended < search.steps, "early", "budget"),
        }
    )
    return Triggers(mask, pattern, trace.astype({"label": int}), summary)
