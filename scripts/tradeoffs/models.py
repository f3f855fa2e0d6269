"""The model database: settings in, trained model and metrics out.

from scripts.tradeoffs.models import load
model, settings, metrics = load(protocol="corrected", arm="adversarial", train_eps=0.01, seed=1)
"""

import json
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError
from torch import nn

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.weights import read_state
from scripts.tradeoffs.networks import NETWORKS

RESULTS = Path("results/tradeoffs")


def load_model(weights: str | Path, network: str, device: torch.device | str = "cpu", run: str = "") -> nn.Module:
    """Return a trained network in evaluation mode, in float32 and channels-last; `run` names one of a file of several.

    Raises:
        UserError: the file is damaged or holds weights of another network.
    """
    model = NETWORKS[network]()
    try:
        model.load_state_dict(read_state(weights, run)[0])
    except (SafetensorError, OSError, RuntimeError) as error:
        raise UserError(f"{weights}: no weights of {network} ({error}); delete it and run the workflow") from error
    return model.to(device, memory_format=torch.channels_last).eval()


def find(results: str | Path = RESULTS, **wanted) -> list[dict]:
    """Return the settings of all trained runs that have the wanted settings, by name."""
    fitting = [own for own, _ in _trained(results) if all(own.get(key) == value for key, value in wanted.items())]
    return sorted(fitting, key=lambda own: own["run"])


def load(results: str | Path = RESULTS, **wanted) -> tuple[nn.Module, dict, pd.DataFrame]:
    """Return the one trained run with the wanted settings: model, settings, metrics.

    Raises:
        UserError: no run or more than one fits; the message lists them.
    """
    found = find(results, **wanted)
    if len(found) != 1:
        names = ", ".join(settings["run"] for settings in found[:6]) or "none"
        raise UserError(f"{len(found)} runs in {results} fit {wanted}: {names}; name more settings or run the workflow")
    settings, job = found[0], next(job for own, job in _trained(results) if own["run"] == found[0]["run"])
    shared = settings["run"] if job != settings["run"] else ""
    model = load_model(Path(results, "models", f"{job}.safetensors"), settings["network"], run=shared)
    metrics = parquet.read(Path(results, "metrics", f"{job}.parquet"))
    return model, settings, metrics[metrics["run"] == settings["run"]].reset_index(drop=True) if shared else metrics


def _trained(results: str | Path) -> list[tuple[dict, str]]:
    """Return the settings of every trained run and the name of the job that it shared with others, or its own."""
    found = []
    for path in Path(results, "models").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        found += [(settings, path.stem) for settings in (record if isinstance(record, list) else [record])]
    return found
