"""Rule `backdoor_mitigate`: what each mitigation does to the models of one kind, with controls; as published beside it."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from safetensors import safe_open
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
from scripts.common import records
from scripts.common.intervals import difference_of_proportions, proportion_interval
from scripts.common.logs import job, log
from scripts.common.training import choose_device

Network = Callable[[Tensor], Tensor]
PRUNING_STEP = 4  # neurons
Counts = dict[tuple[str, str], tuple[int, int]]  # (metric, subgroup) -> (how many, of how many)


def count_rates(network: Network, judge: Pool, true: Mapping[int, Stamp], found: Mapping[int, Stamp]) -> Counts:
    """Return the counts of all rates of a network; several triggers are pooled, and shown one by one too."""
    counts = {("clean_accuracy", "all"): accuracy(network, judge)}
    kinds = {"attack_success": (attack_success, true), "stamped_accuracy": (stamped_accuracy, true)}
    kinds["attack_success_reversed"] = (attack_success, found)
    for metric, (rate, stamps) in kinds.items():
        parts = {target: rate(network, judge, stamp, target) for target, stamp in stamps.items()}
        if parts:
            counts[metric, "all"] = tuple(map(sum, zip(*parts.values(), strict=True)))
        if len(parts) > 1:
            counts |= {(metric, f"target {target}"): part for target, part in parts.items()}
    return counts


def rate_rows(method: str, counts: Counts, before: Counts | None, split: str = "test") -> list[dict]:
    """Return the rates with Wilson's intervals, and what changed since `before` with Newcombe's."""
    rows = []
    for (metric, subgroup), (hits, n) in counts.items():
        low, high = proportion_interval(hits, n)
        told = {"method": method, "split": split, "subgroup": subgroup, "n": n}
        rows.append(told | {"metric": metric, "value": hits / n, "ci_low": low, "ci_high": high})
        if before and (metric, subgroup) in before:
            old, old_n = before[metric, subgroup]
            low, high = difference_of_proportions(old, old_n, hits, n)
            rows.append(
                told | {"metric": f"{metric}_drop", "value": old / old_n - hits / n, "ci_low": low, "ci_high": high}
            )
    return rows


def corrected(
    model: DigitNet,
    pools: Mapping[str, Pool],
    triggers: Sequence[Trigger],
    found: Mapping[int, Stamp],
    settings: Mapping,
    name: tuple,
) -> list[dict]:
    """Return the rates of a model before and after every mitigation.

    Args:
        found: the reversed triggers of the suspected labels; without any, only the controls run.
    """
    own, judge, small = settings["mitigation"], pools["evaluation"], pools["unlearning"]
    fitting = Fitting(**{key: own[key] for key in ("epochs", "batch_size", "learning_rate", "dropout")})
    true = {trigger.target: trigger.stamp for trigger in triggers}
    measure = partial(count_rates, judge=judge, true=true, found=found)
    before = measure(model)
    rows = rate_rows("before", before, None)
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
        share = networks["pruned"].count / model.fc2.in_features
        rows.append({"method": "pruned", "split": "test", "subgroup": "all", "metric": "pruned_share", "value": share})
    for method, network in networks.items():
        rows += rate_rows(method, measure(network), before)
    return rows


def as_published(model: DigitNet, pools: Mapping[str, Pool], trigger: Trigger, batch_size: int, name: tuple) -> list[dict]:
    """Return what the notebook would print, and the true rates of its model: on its own images and on ones it never saw."""
    cleaned = notebook.unlearn(copy.deepcopy(model), pools["evaluation"], trigger.stamp, batch_size, *name)
    rows, before = [], {}
    for method, network in (("before", model), ("unlearned", cleaned)):
        counted = notebook.attack_count(network, pools["evaluation"], trigger.stamp, trigger.target, *name, method)
        told = {"method": method, "split": "test", "subgroup": "all", "n": len(pools["evaluation"])}
        rows.append(told | {"metric": "attack_count", "value": float(counted)})
        rows.append(told | {"metric": "attack_count_share", "value": counted / told["n"]})
        for split, pool in (("test", pools["evaluation"]), ("valid", pools["reverse"])):
            counts = count_rates(network, pool, {trigger.target: trigger.stamp}, {})
            rows += rate_rows(method, counts, before.get(split), split)
            before.setdefault(split, counts)
    return rows


def stamps_of(tensors: Mapping[str, Tensor], seed: int, labels: Sequence[int], device: torch.device) -> dict[int, Stamp]:
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
    dataset: str,
) -> pd.DataFrame:
    """Return the rows of METRICS of all models of a kind, with the column `kind` beside them."""
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
    metrics = pd.concat(parts, ignore_index=True)
    metrics["n"] = metrics["n"].fillna(len(pools["evaluation"])).astype(int)
    return metrics.assign(study="backdoor", dataset=dataset, kind=kind)


def mitigate(given: Mapping, own: str, kind: str, entry, settings: Mapping, dataset: str, output: str, gpu: int) -> None:
    """Read models, pools, labels and triggers of a kind, and write the metrics."""
    device = choose_device(gpu, 1)
    models = {0: read_own_model(own).to(device)} if entry is None else load_models(given["weights"], device)
    with safe_open(Path(given["triggers"]), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metrics = mitigate_kind(
        models,
        load_pools(given["images"], given["pools"], device),
        kind,
        [] if entry is None else make_triggers(entry["triggers"]),
        records.read(given["labels"]),
        tensors,
        settings,
        dataset,
    )
    records.write(metrics.reindex(columns=[*records.METRICS.names, "kind"]), output, records.METRICS)


if "snakemake" in globals():
    with job(snakemake):
        given, told = snakemake.input, snakemake.params
        files = {name: str(given[name]) for name in ("images", "pools", "labels", "triggers")}
        files["weights"] = str(given.weights[0]) if given.weights else ""
        kind, gpu = snakemake.wildcards.kind, snakemake.resources.gpu
        mitigate(files, told.own, kind, told.entry, told.settings, told.dataset, snakemake.output[0], gpu)
