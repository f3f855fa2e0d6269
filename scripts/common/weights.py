"""Weights of trained networks on disk: safetensors, never pickled, with the settings that made them as JSON beside.

A file of one model holds its state dict. A file of several models of one shape holds each tensor under NAME.TENSOR.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from scripts.common.files import atomic_path

State = Mapping[str, Tensor]


def save_state(state: State, path: str | Path, metadata: dict[str, str] | None = None) -> None:
    """Write the weights of one model, whole or not at all."""
    with atomic_path(path) as temporary:
        save_file({name: tensor.cpu().contiguous() for name, tensor in state.items()}, temporary, metadata)


def save_states(states: Mapping[str, State], path: str | Path, metadata: dict[str, str] | None = None) -> None:
    """Write the weights of several models into one file."""
    tensors = {f"{model}.{name}": tensor for model, state in states.items() for name, tensor in state.items()}
    save_state(tensors, path, metadata)


def read_state(path: str | Path, model: str = "") -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors and metadata of a file; with `model`, only the weights of that one of several models.

    Raises:
        FileNotFoundError, SafetensorError, OSError: there is no such file, or it is damaged.
    """
    start = f"{model}." if model else ""
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(start)]  # noqa: SIM118
        return {name.removeprefix(start): file.get_tensor(name) for name in names}, file.metadata() or {}


def save_settings(record: object, path: str | Path) -> None:
    """Write the settings that made some weights, and what came out, as JSON."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
