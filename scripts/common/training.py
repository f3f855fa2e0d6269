"""Resumable training: killed at any moment and restarted, it ends with the same weights on a CPU.

All randomness of a step comes from generators seeded by names (run seed, epoch, step), so a checkpoint
holds only weights, optimizer state and position. Checkpoints are safetensors with a JSON header:
nothing is unpickled.
"""

import contextlib
import ctypes
import hashlib
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import log
from scripts.common.seeds import seed_from

Step = Callable[[int, int, Tensor], Tensor]


def choose_device(gpu: int, threads: int) -> torch.device:
    """Return the device that the rule's resources ask for, and make CPU results reproducible.

    Raises:
        UserError: a GPU was requested and there is none; the CPU is never used in its place.
    """
    torch.set_num_threads(max(1, threads))
    keep_freed_memory()
    if gpu:
        if not torch.cuda.is_available():
            raise UserError("gpu: 1 in the config, but torch sees no CUDA device; set gpu: 0 or run on a GPU machine")
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = False  # attacks and evaluation need full float32
        torch.backends.cudnn.allow_tf32 = False
        return torch.device("cuda")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a debugging aid that costs 7 % of a step
    return torch.device("cpu")


def keep_freed_memory() -> None:
    """Make glibc keep freed memory instead of returning it to the system.

    Every activation on a CPU is a new block of megabytes, whose pages the system would zero again at each
    step. Keeping them makes ReLU and BatchNorm several times faster.
    """
    mmap_max, trim_threshold, top_pad = -4, -1, -2  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD of malloc.h
    with contextlib.suppress(OSError, AttributeError):  # another C library: slower, same results
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(top_pad, 256 * 2**20)


def generator(device: torch.device, *names: object) -> torch.Generator:
    """Return a torch generator on the device, seeded by names and never by the order of execution."""
    return torch.Generator(device=device).manual_seed(seed_from(*names))


@dataclass
class Progress:
    """Progress of a training: epochs done, the curve so far, and the best validation objective."""

    epoch: int = 0
    curve: list[dict] = field(default_factory=list)
    best_epoch: int = 0
    best_objective: float = math.inf


class Checkpoints:
    """The newest two checkpoints of one training in a folder, written atomically.

    `fingerprint` identifies settings and data of the training; checkpoints with another one are ignored. A digest
    detects flipped bits, which safetensors does not: resuming from them would end in different weights.
    """

    def __init__(self, folder: str | Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = Path(folder), fingerprint

    def save(self, progress: Progress, tensors: dict[str, Tensor]) -> Path:
        """Write a checkpoint after an epoch, remove all but the newest two, and return its path."""
        path = self.folder / f"epoch_{progress.epoch:05d}.safetensors"
        tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        header = {"fingerprint": self.fingerprint, "progress": json.dumps(progress.__dict__)}
        header["digest"] = _digest(header["progress"], tensors)
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, header)
        for old in sorted(self.folder.glob("epoch_*.safetensors"))[:-2]:
            old.unlink(missing_ok=True)
        return path

    def load(self) -> tuple[Progress, dict[str, Tensor]] | None:
        """Return the newest undamaged checkpoint of this training, or None; damaged ones are logged and skipped."""
        for path in sorted(self.folder.glob("epoch_*.safetensors"), reverse=True):
            try:
                with safe_open(path, framework="pt") as file:
                    header = file.metadata()
                    if header["fingerprint"] != self.fingerprint:
                        log.info("%s: from other settings or data, ignored", path)
                        continue
                    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                    if header["digest"] != _digest(header["progress"], tensors):
                        raise ValueError("its content has changed since it was written")
                    return Progress(**json.loads(header["progress"])), tensors
            except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
                log.warning("%s: damaged checkpoint (%s); going back to the one before", path, error)
        return None

    def clear(self) -> None:
        """Remove the checkpoints of a finished training."""
        for path in self.folder.glob("*"):
            path.unlink()
        if self.folder.exists():
            self.folder.rmdir()


def _digest(progress: str, tensors: dict[str, Tensor]) -> str:
    """Return the sha256 of a checkpoint: its progress and the names and bytes of its tensors."""
    state = hashlib.sha256(progress.encode())
    for name in sorted(tensors):
        state.update(name.encode())
        state.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batches: Callable[[int], Iterable[Tensor]],
    loss_of: Step,
    learning_rate: Callable[[int, float], float],
    checkpoints: Checkpoints,
    validate: Callable[[], dict[str, float]] | None = None,
    what: str = "training",
) -> Progress:
    """Train `model` in place and return its progress; resume from a checkpoint if there is one.

    Args:
        batches: epoch -> the index tensors [B] of its steps, a sized sequence.
        loss_of: (epoch, step, indices) -> the scalar loss of one step.
        learning_rate: (epoch, fraction of the epoch done) -> the learning rate of the step.
        validate: called after each epoch; its numbers are added to the curve, and if they include
            "valid_objective" the model of the epoch with the lowest one is kept.
        what: name of the training in log lines and errors.

    Raises:
        UserError: the loss is not finite; the message names the step, and the last checkpoint is kept.
    """
    progress, best = Progress(), {}
    state = checkpoints.load()
    if state is not None:
        progress, tensors = state
        best = _restore(model, optimizer, tensors)
        log.info("%s: resumed after epoch %d", what, progress.epoch)
    device = next(model.parameters()).device
    check_every = 1 if device.type == "cpu" else 50  # reading a number back makes a GPU wait
    for epoch in range(progress.epoch, epochs):
        model.train()
        total, steps = torch.zeros((), device=device), batches(epoch)
        for step, indices in enumerate(steps):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(epoch, step / len(steps))
            loss = loss_of(epoch, step, indices)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            if step % check_every == check_every - 1 or step == len(steps) - 1:
                _stop_unless_finite(total, what, epoch, step, checkpoints)
        numbers = {"train_loss": float(total) / len(steps)}
        if validate is not None:
            model.eval()
            numbers |= validate()
        progress.curve += [{"epoch": epoch + 1, "quantity": name, "value": value} for name, value in numbers.items()]
        progress.epoch = epoch + 1
        objective = numbers.get("valid_objective", -math.inf)
        if objective < progress.best_objective or validate is None or "valid_objective" not in numbers:
            progress.best_epoch, progress.best_objective = epoch + 1, objective
            best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        log.info("%s: epoch %d of %d, %s", what, epoch + 1, epochs, _listed(numbers))
        if epoch + 1 < epochs:
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
