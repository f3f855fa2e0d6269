"""Rule `backdoor_scan`: the reversed trigger of every label of the models of a job, as published and corrected."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor

from scripts.backdoor.clean_check import check_on_clean_digits
from scripts.backdoor.digits import Pool, attack_success, load_pools
from scripts.backdoor.network import CLASSES, frozen
from scripts.backdoor.neural_cleanse import Search, Triggers, reverse_engineer, stamped
from scripts.backdoor.notebook import NotebookSearch, search_triggers, with_relu
from scripts.backdoor.schedule import ScheduleSettings
from scripts.backdoor.triggers import Trigger, make_triggers
from scripts.backdoor.weights import load_models, read_own_model
from scripts.common import parquet
from scripts.common.device import choose_device
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import job, log

SEARCH_KEYS = ("steps", "batches_per_step", "batch_size", "learning_rate")


def search_of(settings: Mapping) -> Search:
    """Return the search of a config block."""
    own = {key: settings[key] for key in SEARCH_KEYS}
    schedule = {key: value for key, value in settings.items() if key not in SEARCH_KEYS}
    return Search(**own, schedule=ScheduleSettings(**schedule))


def refuse_probabilities(logits_of: Callable[[Tensor], Tensor], images: Tensor, what: str) -> None:
    """Check that a network gives logits.

    Raises:
        UserError: its outputs are probabilities (or NaN); cross-entropy of a softmax has flat gradients.
    """
    with torch.no_grad():
        out = logits_of(images[:64])
    if not bool(out.isfinite().all()):
        raise UserError(f"{what}: its outputs are NaN or infinite; train the model again")
    if bool((out >= 0).all()) and bool(torch.allclose(out.sum(1), torch.ones_like(out[:, 0]), atol=1e-4)):
        raise UserError(f"{what}: its outputs are probabilities (a softmax); hand over the network without that layer")


def overlap(mask: Tensor, true: Tensor | None) -> tuple[float, float]:
    """Return the Jaccard overlap of a mask in [0, 1] with the true one, and the share of the mask that lies inside it.

    Jaccard of two fuzzy sets: sum of the smaller over sum of the larger values, pixel by pixel; nan without a true one.
    """
    if true is None:
        return float("nan"), float("nan")
    smaller, larger = torch.minimum(mask, true).sum(), torch.maximum(mask, true).sum()
    return float(smaller / larger), float(smaller / mask.sum())


def label_rows(
    found: Triggers,
    logits_of: Callable[[Tensor], Tensor],
    judge: Pool,
    triggers: Sequence[Trigger] | None,
    identity: Mapping,
) -> pd.DataFrame:
    """Return one row per label: what was found, whether it is infected, and the witnesses beside the norm.

    `success` is the share of held-out images of other labels that the reversed trigger turns into the label.
    """
    true = {trigger.target: trigger.mask for trigger in triggers or []}
    rows = []
    for place, own in enumerate(found.summary.to_dict("records")):
        mask, pattern = found.mask[place].to(judge.images.device), found.pattern[place].to(judge.images.device)
        hits, n = attack_success(
            logits_of, judge, lambda images, m=mask, p=pattern: stamped(images, m, p), int(own["label"])
        )
        jaccard, inside = overlap(found.mask[place], true.get(own["label"]))
        infected = None if triggers is None else own["label"] in true
        rows.append(
            own
            | {"hits": hits, "n": n, "success": hits / n, "jaccard": jaccard, "inside": inside, "infected": infected}
        )
    return pd.DataFrame(rows).assign(**identity, infected=lambda frame: frame["infected"].astype("boolean"))


def scan_kind(
    models: Mapping[int, torch.nn.Module],
    pools: Mapping[str, Pool],
    kind: str,
    triggers: Sequence[Trigger] | None,
    settings: Mapping,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Tensor]]:
    """Scan all models of a kind; return the rows of labels and of traces, and the tensors of masks and patterns."""
    labels, traces, tensors = [], [], {}
    notebook = NotebookSearch(
        **{key: value for key, value in settings["notebook"].items() if key not in ("kinds", "images")}
    )
    for seed, model in models.items():
        logits_of, run = frozen(model), f"{kind}.seed{seed}"
        refuse_probabilities(logits_of, pools["reverse"].images, run)
        ways = {"corrected": logits_of}
        if kind in settings["notebook"]["kinds"]:
            ways["as_published"] = with_relu(logits_of)
        for protocol, network in ways.items():
            if protocol == "corrected":
                search = search_of(settings["search"])
                found = reverse_engineer(logits_of, pools["reverse"].images, range(CLASSES), search, seed, what=run)
            else:
                images = pools["train"].images[: settings["notebook"]["images"]]
                found = search_triggers(logits_of, images, range(CLASSES), notebook, seed)
            identity = {"run": run, "kind": kind, "seed": seed, "protocol": protocol}
            labels.append(label_rows(found, network, pools["evaluation"], triggers, identity))
            traces.append(found.trace.assign(**identity))
            tensors |= {f"{protocol}.seed{seed}.mask": found.mask, f"{protocol}.seed{seed}.pattern": found.pattern}
            log.info("%s, %s: norms %s", run, protocol, np.round(found.summary["norm"].to_numpy(), 1))
    return pd.concat(labels, ignore_index=True), pd.concat(traces, ignore_index=True), tensors


def scan(
    weights: str, own: str, images: str, pools: str, entries: Mapping, settings, outputs: Mapping, gpu: int
) -> None:
    """Scan the models of a weights file, or the user's own model, and write labels, traces and triggers.

    Args:
        entries: {kind: its config entry, None for the user's own model}.
    """
    device = choose_device(gpu, 1)
    digits, labels, traces, tensors = load_pools(images, pools, device), [], [], {}
    for kind, entry in entries.items():
        models = {0: read_own_model(own).to(device)} if entry is None else load_models(weights, kind, device)
        triggers = None if entry is None else make_triggers(entry["triggers"])
        if entry is None:
            logits_of = frozen(models[0])
            refuse_probabilities(logits_of, digits["reverse"].images, own)
            check_on_clean_digits(logits_of, digits["evaluation"], own)
        scanned = scan_kind(models, digits, kind, triggers, settings)
        labels.append(scanned[0])
        traces.append(scanned[1])
        tensors |= {f"{kind}.{name}": tensor for name, tensor in scanned[2].items()}
    parquet.write(pd.concat(labels, ignore_index=True), outputs["labels"])
    parquet.write(pd.concat(traces, ignore_index=True), outputs["traces"])
    with atomic_path(Path(outputs["triggers"])) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)


if "snakemake" in globals():
    with job(snakemake):
        given, told = snakemake.input, snakemake.params
        scan(
            str(given.weights[0]) if given.weights else "",
            told.own,
            given.images,
            given.pools,
            told.entries,
            told.settings,
            dict(snakemake.output.items()),
            snakemake.resources.gpu,
        )
