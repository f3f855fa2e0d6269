"""Weights of digit networks on disk: the models of some kinds in one safetensors file, and a user's own model."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from scripts.backdoor.network import DigitNet
from scripts.backdoor.state_names import network_state
from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.common.weights import read_state, save_states

OUTPUTS = ("logits", "softmax")


def save_models(models: Mapping[str, DigitNet], path: str | Path) -> None:
    """Write the weights of models, by run, under names like `patch.seed1.conv1.weight`."""
    save_states({run: model.state_dict() for run, model in models.items()}, path, {"output": "logits"})


def load_models(path: str | Path, kind: str, device: torch.device) -> dict[int, DigitNet]:
    """Return seed -> model of one kind in a file of `save_models`, in evaluation mode."""
    tensors, _ = _read(path, kind)
    parts: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        seed, _, rest = name.removeprefix("seed").partition(".")
        parts.setdefault(int(seed), {})[rest] = tensor
    return {seed: _model(state, path).to(device) for seed, state in sorted(parts.items())}


def read_own_model(path: str | Path) -> DigitNet:
    """Return a user's model of the same network from a safetensors file of its state dict.

    Names may be those of DigitNet, of the course's class, or either as other tools save them (`network_state`). A file
    whose metadata says `output: softmax` is taken without that softmax, which has no weights, and the log says so.

    Raises:
        UserError: the file is missing or no safetensors, a layer is missing, unknown or of another shape, or a
            weight is no floating-point number or not finite.
    """
    tensors, metadata = _read(path)
    output = metadata.get("output", "logits")
    if output not in OUTPUTS:
        raise UserError(f"{path}: its metadata says output {output!r}; there are {', '.join(OUTPUTS)}")
    if output == "softmax":
        log.warning("%s: ends in a softmax, which is stripped: triggers are sought on logits", path)
    layers = {name: tuple(tensor.shape) for name, tensor in DigitNet().state_dict().items()}
    return _model(network_state(tensors, layers, path), path)


def _model(state: Mapping[str, Tensor], path: str | Path) -> DigitNet:
    """Return a network with these weights."""
    model = DigitNet()
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    got = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if odd := sorted(expected.keys() ^ got.keys()):
        fault = "lacks" if odd[0] in expected else "has the unknown"
        held = ", ".join(sorted(got)[:3]) or "nothing"
        raise UserError(
            f"{path}: {fault} layer {odd[0]!r} (it holds {held} ...); a model of the course's digit network is "
            f"expected: {', '.join(expected)}"
        )
    for name, shape in expected.items():
        if got[name] != shape:
            raise UserError(f"{path}: {name} has the shape {got[name]}, the digit network has {shape}")
        if not bool(state[name].isfinite().all()):
            raise UserError(f"{path}: {name} holds NaN or infinite weights; train the model again")
    model.load_state_dict(dict(state))
    return model.eval()


def _read(path: str | Path, kind: str = "") -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors and metadata of a safetensors file; with a `kind`, the tensors of its models alone."""
    try:
        return read_state(path, kind)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; correct backdoor.own in the config or run the workflow") from error
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path}: damaged or no safetensors file ({error}); pickles are never opened: save the weights "
            "with safetensors.torch.save_file(model.state_dict(), PATH)"
        ) from error
