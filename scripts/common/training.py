"""Resumable training: killed at any moment and restarted, it ends with the same weights on a CPU.

All randomness of a step comes from generators seeded by names (run seed, epoch, step), so a checkpoint
holds only weights, optimizer state and position.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from scripts.common.checkpoints import Checkpoints, Progress
from scripts.common.errors import UserError
from scripts.common.logs import log

Step = Callable[[int, int, Tensor], Tensor]


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batches: Callable[[int], Sequence[Tensor]],
    loss_of: Step,
    learning_rate: Callable[[int, float], float],
    checkpoints: Checkpoints,
    validate: Callable[[], dict[str, float]] | None = None,
    what: str = "training",
    every: int | None = None,
    keep_finished: bool = False,
) -> Progress:
    """Train `model` in place and return its progress; resume from a checkpoint if there is one.

    Args:
        batches: epoch -> the index tensors [B] of its steps, a sized sequence.
        loss_of: (epoch, step, indices) -> the scalar loss of one step.
        learning_rate: (epoch, fraction of the epoch done) -> the learning rate of the step.
        validate: called after each epoch; its numbers are added to the curve, and if they include
            "valid_objective" the model of the epoch with the lowest one is kept.
        what: name of the training in log lines and errors.
        every: steps between checkpoints within an epoch; one is always written between epochs.
        keep_finished: also write one at the end, from which the same call returns at once.

    Raises:
        UserError: the loss is not finite; the message names the step, and the last checkpoint is kept.
    """
    device = next(model.parameters()).device
    progress, best, total = Progress(), {}, torch.zeros((), device=device)
    state = checkpoints.load()
    if state is not None:
        progress, tensors = state
        total = tensors.pop("total", total).to(device)
        best = _restore(model, optimizer, tensors)
        log.info("%s: resumed after epoch %d, step %d of the next", what, progress.epoch, progress.step)
    check_every = 1 if device.type == "cpu" else 50  # reading a number back makes a GPU wait
    for epoch in range(progress.epoch, epochs):
        model.train()
        steps, first = batches(epoch), progress.step
        for step, indices in enumerate(steps[first:], first):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(epoch, step / len(steps))
            loss = loss_of(epoch, step, indices)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            if step % check_every == check_every - 1 or step == len(steps) - 1:
                _stop_unless_finite(total, what, epoch, step, checkpoints)
            if every and (step + 1) % every == 0 and step + 1 < len(steps):
                _stop_unless_finite(total, what, epoch, step, checkpoints)
                progress.step = step + 1
                checkpoints.save(progress, _tensors(model, optimizer, best) | {"total": total})
        numbers = {"train_loss": float(total) / len(steps)}
        if validate is not None:
            model.eval()
            numbers |= validate()
        progress.curve += [{"epoch": epoch + 1, "quantity": name, "value": value} for name, value in numbers.items()]
        progress.epoch, progress.step, total = epoch + 1, 0, torch.zeros((), device=device)
        objective = numbers.get("valid_objective", -math.inf)
        if objective < progress.best_objective or validate is None or "valid_objective" not in numbers:
            progress.best_epoch, progress.best_objective = epoch + 1, objective
            best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        log.info("%s: epoch %d of %d, %s", what, epoch + 1, epochs, _listed(numbers))
        if epoch + 1 < epochs or keep_finished:
            checkpoints.save(progress, _tensors(model, optimizer, best))
    model.load_state_dict(best)
    model.eval()
    return progress


def _stop_unless_finite(total: Tensor, what: str, epoch: int, step: int, checkpoints: Checkpoints) -> None:
    """Raise a `UserError` if the sum of the losses so far is NaN or infinite."""
    if not math.isfinite(float(total)):
        raise UserError(
            f"{what}: the loss became {float(total)} by step {step + 1} of epoch {epoch + 1}; lower the "
            f"learning rate or the strength of this run; the last checkpoint is kept in {checkpoints.folder}"
        )


def _tensors(model: nn.Module, optimizer: torch.optim.Optimizer, best: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors needed to resume a training, by names like `model.0.weight` or `exp_avg.0.weight`."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{key}.{name}"] = value
    return tensors


def _restore(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Load a checkpoint's tensors into model and optimizer; return the best weights so far."""
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    model.load_state_dict(parts.pop("model"))
    best = {name: tensor.to(next(model.parameters()).device) for name, tensor in parts.pop("best").items()}
    for name, parameter in model.named_parameters():
        for key, values in parts.items():
            value = values[name]
            if value.shape == parameter.shape:  # keeps device and memory format; a step count stays as it is
                value = torch.empty_like(parameter).copy_(value)
            optimizer.state[parameter][key] = value
    return best


def _listed(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in numbers.items())
