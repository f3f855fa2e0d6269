"""Rule `encrypted_train`: the networks of all settings and seeds of a dataset, and their predictions in clear."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from scripts.common.logs import job, log, progress
from scripts.common.schemas.predictions import write_predictions
from scripts.encrypted import images, networks, numbers
from scripts.encrypted.networks import QUANTISED, run_name
from scripts.encrypted.settings import PLAIN, setting_of
from scripts.encrypted.training import Settings, fit


def predictions_of(logits: np.ndarray, test: images.Images, run: str) -> pd.DataFrame:
    """Return the predictions of the test images (schema PREDICTIONS) from logits [n, classes]."""
    frame = pd.DataFrame({"run": run, "row_id": test.row_ids, "split": "test"})
    frame["y_true"], frame["y_pred"] = test.labels.astype(np.int8), logits.argmax(1).astype(np.int8)
    two = logits.shape[1] == 2
    frame["score"] = (logits[:, 1] - logits[:, 0] if two else np.full(len(logits), np.nan)).astype(np.float32)
    wide = {} if two else {f"score_{place}": column.astype(np.float32) for place, column in enumerate(logits.T)}
    if test.attribute:
        wide[test.attribute] = test.groups
    return frame.assign(**wide)


def train(dataset: str, paths: Mapping[str, str], chosen: Mapping[str, Any], output: Mapping[str, str | Path]) -> None:
    """Write the networks (`networks`) and the predictions (`predictions`) of a dataset.

    Args:
        paths: images, index, numbers.
        chosen: settings, hidden widths by network, seeds, training, bits (`Plan.trained`).
    """
    torch.set_num_threads(1)
    found = images.read(paths["images"], paths["index"])
    test, rows = found.take(np.flatnonzero(found.test)), np.flatnonzero(~found.test)
    trained, frames, classes = {}, [], len(found.names)
    for setting in progress([setting_of(name) for name in chosen["settings"]], f"{dataset}: settings"):
        inputs = numbers.read(paths["numbers"], setting)
        settings = Settings(hidden=tuple(chosen["hidden"][setting.network]), **chosen["training"])
        for bits in (None, chosen["bits"]) if setting.network == PLAIN else (None,):
            about = (dataset, setting.name) if bits is None else (dataset, setting.name, QUANTISED)
            fitted = fit(inputs[rows], found.labels[rows], classes, chosen["seeds"], settings, *about, bits=bits)
            if bits is None:
                made = fitted.networks()
                trained |= {
                    networks.name_of(setting.name, seed): network
                    for seed, network in zip(chosen["seeds"], made, strict=True)
                }
                logits = [network.logits(inputs[found.test]) for network in made]
            else:
                logits = fitted.logits(inputs[found.test])
            for seed, own in zip(chosen["seeds"], logits, strict=True):
                run = run_name(dataset, setting.name, seed, quantised=bits is not None)
                frames.append(predictions_of(own, test, run))
                log.info("%s: accuracy %.3f", run, (own.argmax(1) == test.labels).mean())
    header = {"dataset": found.title, "names": found.names, "side": found.side}
    networks.write(trained, output["networks"], header | dict(chosen))
    frame = pd.concat(frames, ignore_index=True).astype({"run": "category"})
    groups = {test.attribute: (f"not {test.attribute}", test.attribute)} if test.attribute else {}
    write_predictions(frame, output["predictions"], groups)


if "snakemake" in globals():
    with job(snakemake):
        train(
            snakemake.wildcards.dataset,
            dict(snakemake.input.items()),
            snakemake.params.chosen,
            dict(snakemake.output.items()),
        )
