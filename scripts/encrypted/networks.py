"""Trained networks on disk: safetensors with JSON in their header, read without torch."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.encrypted.network import Network, check_network, without_zeros

QUANTISED = "quantised"
HEADER = {"names": list, "side": int, "settings": list, "seeds": list}  # what both sides need of a header


def name_of(setting: str, seed: int) -> str:
    """Return the name of a network in a file: that of its setting and seed."""
    return f"{setting}.seed{seed}"


def run_name(dataset: str, setting: str, seed: int, *, quantised: bool = False) -> str:
    """Return the name of a run."""
    return ".".join([dataset, setting, *([QUANTISED] if quantised else []), f"seed{seed}"])


def write(networks: Mapping[str, Network], path: str | Path, about: Mapping) -> None:
    """Write networks with their names, and what made them as JSON in the header.

    Raises:
        UserError: the disk is full, the folder cannot be written to, or a weight is not finite.
    """
    for name, own in networks.items():
        check_network(own, f"{path}: {name}")
    tensors = {f"{name}/{place}": m for name, own in networks.items() for place, m in enumerate(own.matrices)}
    tensors |= {f"{name}/bias": own.bias for name, own in networks.items()}
    with atomic_path(path) as temporary:
        save_file(
            {name: np.ascontiguousarray(value) for name, value in tensors.items()},
            temporary,
            {"about": json.dumps(about)},
        )


def about(path: str | Path) -> dict:
    """Return what the header says of the networks: dataset, names of the classes, side of the images, settings, seeds.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            found = json.loads(file.metadata()["about"])
        if missing := [key for key, kind in HEADER.items() if not isinstance(found.get(key), kind) or not found[key]]:
            raise ValueError(f"no {missing[0]} in its header")
        return found
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; it holds the networks, which the workflow trains") from error
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: no networks in safetensors, or damaged ({error}); train them again") from error


def read(path: str | Path, names: Iterable[str] | None = None) -> dict[str, Network]:
    """Return networks by name: the named ones, or all.

    Raises:
        UserError: the file is missing or damaged, or holds no network of a name.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            keys = [key.rpartition("/") for key in file.keys()]  # noqa: SIM118
            depth = {name: sum(other == name for other, _, _ in keys) - 1 for name, _, last in keys if last == "bias"}
            wanted = [*depth] if names is None else [*names]
            if missing := [name for name in wanted if name not in depth]:
                raise UserError(f"{path}: holds no network {missing[0]}; there are {', '.join(sorted(depth))}")
            found = {
                name: Network(
                    tuple(without_zeros(file.get_tensor(f"{name}/{place}")) for place in range(depth[name])),
                    file.get_tensor(f"{name}/bias"),
                )
                for name in wanted
            }
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; it holds the networks, which the workflow trains") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path}: no networks in safetensors, or damaged ({error}); train them again") from error
    for name, own in found.items():
        check_network(own, f"{path}: {name}")
    return found
