"""Names of a state dict as other tools save it, brought to those of the digit network."""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from scripts.common.errors import UserError
from scripts.common.logs import log

CONTAINER = re.compile(r"\b(conv\d|fc\d)\.0\.")
LANDMARK = "conv1.weight"  # a layer that tells where the names of the network begin


def network_state(tensors: Mapping[str, Tensor], layers: Mapping[str, tuple], path: str | Path) -> dict[str, Tensor]:
    """Return the weights of one network in float32, under the names of its layers.

    The course's containers (`conv1.0.weight`) and a prefix before all names (`module.` of DataParallel, `_orig_mod.` of
    torch.compile, `model.` of a Lightning module) are taken off; counters (`epoch`, `step`) are left out. The log says
    so.

    Args:
        tensors: as the file holds them.
        layers: name -> shape of the network's weights.
        path: how a refusal calls the file.

    Raises:
        UserError: the file holds two networks, or a weight is no floating-point number.
    """
    state = {CONTAINER.sub(r"\1.", name): tensor for name, tensor in tensors.items()}
    prefixes = [name.removesuffix(LANDMARK) for name in state if f".{name}".endswith(f".{LANDMARK}")]
    if len(prefixes) > 1:
        listed = ", ".join(repr(f"{prefix}{LANDMARK}") for prefix in prefixes)
        raise UserError(f"{path}: holds {len(prefixes)} networks ({listed}); save one of them alone")
    if prefix := next(iter(prefixes), ""):
        log.warning("%s: the prefix %r is taken off the names of the layers", path, prefix)
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    counters = [
        name for name, tensor in state.items()
        if name not in layers and tensor.numel() == 1 and not name.endswith(("weight", "bias"))
    ]  # fmt: skip
    if counters:
        log.warning("%s: %s: no weights, left out", path, ", ".join(counters))
    kept = {name: tensor for name, tensor in state.items() if name not in counters}
    for name, tensor in kept.items():
        if name in layers and not tensor.is_floating_point():
            raise UserError(
                f"{path}: {name} holds {str(tensor.dtype).removeprefix('torch.')}; save the model with floating-point "
                "weights, before it is quantised"
            )
    return {name: tensor.float() for name, tensor in kept.items()}
