"""Checkpoints of a training: safetensors with a JSON header, from which nothing is unpickled."""

import hashlib
import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from scripts.common.files import atomic_path
from scripts.common.logs import log


@dataclass
class Progress:
    """Progress of a training: epochs done, steps of the next one, the curve so far, the best validation objective."""

    epoch: int = 0
    step: int = 0
    curve: list[dict] = field(default_factory=list)
    best_epoch: int = 0
    best_objective: float = math.inf


class Checkpoints:
    """The newest two checkpoints of one training in a folder, written atomically.

    `fingerprint` identifies settings and data of the training; checkpoints with another one are ignored. A digest
    detects flipped bits, which safetensors does not: resuming from them would end in different weights. With
    `seconds`, a state is left out that comes sooner after the one before: not all are worth a write to the disk.
    """

    def __init__(self, folder: str | Path, fingerprint: str, seconds: float = 0.0) -> None:
        self.folder, self.fingerprint = Path(folder), fingerprint
        self.seconds, self.last = seconds, time.monotonic()

    def save(self, progress: Progress, tensors: dict[str, Tensor]) -> Path | None:
        """Write a checkpoint, remove all but the newest two, and return its path, or None if it was left out."""
        if time.monotonic() - self.last < self.seconds:
            return None
        self.last = time.monotonic()
        step = f"_step_{progress.step:07d}" if progress.step else ""
        path = self.folder / f"epoch_{progress.epoch:05d}{step}.safetensors"
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
