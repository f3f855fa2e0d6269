"""The model database: settings in, trained model and metrics out.

from scripts.tradeoffs.models import load
model, settings, metrics = load(protocol="corrected", arm="adversarial", train_eps=0.01, seed=1)
"""

import json
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.tradeoffs.networks import NETWORKS

RESULTS = Path("results/tradeoffs")


def load_model(weights: str | Path, network: str, device: torch.device | str = "cpu") -> nn.Module:
    """Return a trained network in evaluation mode, in float32 and channels-last.

    Raises:
        UserError: the file is damaged or holds weights of another network.
    """
    model = NETWORKS[network]()
    try:
        model.load_state_dict(load_file(weights))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise UserError(f"{weights}: no weights of {network} ({error}); delete it and run the workflow") from error
    return model.to(device, memory_format=torch.channels_last).eval()


def find(results: str | Path = RESULTS, **wanted) -> list[dict]:
    """Return the settings of all trained runs that have the wanted settings, by name."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(results, "models").glob("*.json"))]
    return [settings for settings in found if all(settings.get(key) == value for key, value in wanted.items())]


def load(results: str | Path = RESULTS, **wanted) -> tuple[nn.Module, dict, pd.DataFrame]:
    """Return the one trained run with the wanted settings: model, settings, metrics.

    Raises:
        UserError: no run or more than one fits; the message lists them.
    """
    found = find(results, **wanted)
    if len(found) != 1:
        names = ", ".join(settings["run"] for settings in found[:6]) or "none"
        raise UserError(f"{len(found)} runs in {results} fit {wanted}: {names}; name more settings or run the workflow")
    settings = found[0]
    model = load_model(Path(results, "models", f"{settings['run']}.safetensors"), settings["network"])
    metrics = parquet.read(Path(results, "metrics", f"{settings['run']}.parquet"))
    return model, settings, metrics
