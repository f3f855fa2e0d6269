"""Rule `backdoor_mitigate`: what each mitigation does to the models of a job, with controls and as published."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import torch
from torch import Tensor

from scripts.backdoor import notebook
from scripts.backdoor.digits import Pool, accuracy, attack_success, load_pools, stamped_accuracy
from scripts.backdoor.fitting import Fitting
from scripts.backdoor.mitigation import Stamp, make_filter, prune, unlearn
from scripts.backdoor.network import DigitNet
from scripts.backdoor.neural_cleanse import stamped
from scripts.backdoor.outliers import Rule, rule_of, verdict
from scripts.backdoor.triggers import Trigger, make_triggers
from scripts.backdoor.weights import load_models, read_own_model
from scripts.common import parquet
from scripts.common.conditions import condition
from scripts.common.device import choose_device
from scripts.common.logs import job, log
from scripts.common.weights import read_state

Network = Callable[[Tensor], Tensor]
PRUNING_STEP = 4  # neurons
Counts = dict[tuple[str, str], tuple[int, int]]  # (metric, condition) -> (how many, of how many)


def count_rates(network: Network, judge: Pool, true: Mapping[int, Stamp], found: Mapping[int, Stamp]) -> Counts:
    """Return the counts of all rates of a network; several triggers are pooled, and shown one by one too."""
    counts = {("accuracy", ""): accuracy(network, judge)}
    kinds = [("attack_success_rate", {}, attack_success, true)]
    kinds.append(("accuracy", {"images": "stamped"}, stamped_accuracy, true))
    kinds.append(("attack_success_rate", {"trigger": "reversed"}, attack_success, found))
    for metric, about, rate, stamps in kinds:
        parts = {target: rate(network, judge, stamp, target) for target, stamp in stamps.items()}
        if parts:
            counts[metric, condition(**about)] = tuple(map(sum, zip(*parts.values(), strict=True)))
        if len(parts) > 1:
            counts |= {(metric, condition(**about, target=target)): part for target, part in parts.items()}
    return counts


def count_rows(method: str, counts: Counts, split: str = "test") -> list[dict]:
    """Return the counts as rows."""
    return [
        {"method": method, "split": split, "metric": metric, "condition": text, "hits": hits, "n": n}
        for (metric, text), (hits, n) in counts.items()
    ]


def corrected(
    model: DigitNet,
    pools: Mapping[str, Pool],
    triggers: Sequence[Trigger],
    found: Mapping[int, Stamp],
    settings: Mapping,
    name: tuple,
) -> list[dict]:
    """Return the counts of a model before and after every mitigation.

    Args:
        found: the reversed triggers of the suspected labels; without any, only the controls run.
    """
    own, judge, small = settings["mitigation"], pools["evaluation"], pools["unlearning"]
    fitting = Fitting(**{key: own[key] for key in ("epochs", "batch_size", "learning_rate", "dropout")}, cycle=True)
    true = {trigger.target: trigger.stamp for trigger in triggers}
    measure = partial(count_rates, judge=judge, true=true, found=found)
    rows = count_rows("before", measure(model))
    networks: dict[str, Network] = {}
    if found:
        networks["unlearned"] = unlearn(model, small, list(found.values()), own["stamped"], fitting, name)
    if true:
        networks["fine_tuned"] = unlearn(model, small, [], 0.0, fitting, name)
        networks["unlearned_true"] = unlearn(model, small, list(true.values()), own["stamped"], fitting, name)
    if found:
        counts = range(0, model.fc2.in_features, PRUNING_STEP)
        networks["pruned"], _ = prune(model, pools["reverse"], found, counts, own["pruned_until"])
        networks["filtered"] = make_filter(model, pools["reverse"], list(found.values()), own["false_positives"])
        rows += count_rows("pruned", {("pruned_fraction", ""): (networks["pruned"].count, model.fc2.in_features)})
    for method, network in networks.items():
        rows += count_rows(method, measure(network))
    return rows


def as_published(
    model: DigitNet, pools: Mapping[str, Pool], trigger: Trigger, batch_size: int, name: tuple
) -> list[dict]:
    """Return what the notebook would print, and the counts of its model on its own images and on unseen ones."""
    cleaned = notebook.unlearn(copy.deepcopy(model), pools["evaluation"], trigger.stamp, batch_size, *name)
    rows = []
    for method, network in (("before", model), ("unlearned", cleaned)):
        counted = notebook.attack_count(network, pools["evaluation"], trigger.stamp, trigger.target, *name, method)
        rows += count_rows(method, {("attack_count", ""): (counted, len(pools["evaluation"]))})
        for split, pool in (("test", pools["evaluation"]), ("valid", pools["reverse"])):
            rows += count_rows(method, count_rates(network, pool, {trigger.target: trigger.stamp}, {}), split)
    return rows


def stamps_of(
    tensors: Mapping[str, Tensor], seed: int, labels: Sequence[int], device: torch.device
) -> dict[int, Stamp]:
    """Return label -> stamp of the corrected protocol's reversed triggers."""
    mask, pattern = (tensors[f"corrected.seed{seed}.{part}"].to(device) for part in ("mask", "pattern"))
    return {label: lambda images, m=mask[label], p=pattern[label]: stamped(images, m, p) for label in labels}


def mitigate_kind(
    models: Mapping[int, DigitNet],
    pools: Mapping[str, Pool],
    kind: str,
    triggers: Sequence[Trigger],
    labels: pd.DataFrame,
    tensors: Mapping[str, Tensor],
    settings: Mapping,
) -> pd.DataFrame:
    """Return how many images of how many, per model of a kind, protocol, method and rate."""
    parts, rule = [], None
    for seed, model in models.items():
        device, run = pools["train"].images.device, f"{kind}.seed{seed}"
        scanned = labels[(labels["seed"] == seed) & (labels["protocol"] == "corrected")].sort_values("label")
        rule: Rule = rule or rule_of(settings["verdict"], len(scanned))
        words, suspects, _ = verdict(scanned["norm"], scanned["success"], rule)
        log.info("%s: %s, suspects %s", run, words, suspects)
        found = stamps_of(tensors, seed, suspects, device)
        rows = {"corrected": corrected(model, pools, triggers, found, settings, (kind, seed))}
        if kind in settings["notebook"]["kinds"] and len(triggers) == 1:
            batch_size = settings["notebook"]["batch_size"]
            rows["as_published"] = as_published(model, pools, triggers[0], batch_size, (kind, seed))
        for protocol, own in rows.items():
            parts.append(pd.DataFrame(own).assign(protocol=protocol, run=run, seed=seed))
    return pd.concat(parts, ignore_index=True).assign(kind=kind)


def mitigate(given: Mapping, own: str, entries: Mapping, settings: Mapping, output: str, gpu: int) -> None:
    """Read models, pools, labels and triggers of some kinds, and write the counts.

    Args:
        entries: {kind: its config entry, None for the user's own model}.
    """
    device = choose_device(gpu, 1)
    pools, labels, counts = load_pools(given["images"], given["pools"], device), parquet.read(given["labels"]), []
    for kind, entry in entries.items():
        models = {0: read_own_model(own).to(device)} if entry is None else load_models(given["weights"], kind, device)
        triggers = [] if entry is None else make_triggers(entry["triggers"])
        tensors, _ = read_state(given["triggers"], kind)
        counts.append(mitigate_kind(models, pools, kind, triggers, labels[labels["kind"] == kind], tensors, settings))
    parquet.write(pd.concat(counts, ignore_index=True), output)


if "snakemake" in globals():
    with job(snakemake):
        given, told = snakemake.input, snakemake.params
        files = {name: str(given[name]) for name in ("images", "pools", "labels", "triggers")}
        files["weights"] = str(given.weights[0]) if given.weights else ""
        mitigate(files, told.own, told.entries, told.settings, snakemake.output[0], snakemake.resources.gpu)
