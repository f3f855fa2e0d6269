"""Rule `backdoor_gather`: verdicts on all models, and every number of the study in one table."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from scripts.backdoor.clean_remark import remark
from scripts.backdoor.detection import judge_models, null_rows, roc_rows, verdict_false_alarm, with_indices
from scripts.backdoor.shapes import true_masks
from scripts.common import parquet
from scripts.common.intervals import difference_of_proportions, proportion_interval
from scripts.common.logs import job, log
from scripts.common.schemas.metrics import METRICS

PER_MODEL = {  # metric: column of the models' table
    "anomaly_index": "index",
    "anomaly_index_lower": "index_lower",
    "anomaly_index_log": "index_log",
    "smallest_norm": "norm",
    "median_norm": "median_norm",
    "p_value": "p_value",
}


def model_rows(models: pd.DataFrame, judged: int) -> pd.DataFrame:
    """Return the indices of every model, and of the infected ones the witnesses, as rows of METRICS."""
    parts = []
    for metric, column in PER_MODEL.items():
        parts.append(models.assign(metric=metric, value=models[column].astype(float), n=10))
    called = models["verdict"].str.startswith("infected").astype(float)
    parts.append(models.assign(metric="called_infected", value=called, n=1))
    single = models[models["many_true"] == 1]
    for metric, column in (("jaccard", "jaccard"), ("inside", "inside"), ("reversed_success", "success")):
        parts.append(single.assign(metric=metric, value=single[column].astype(float), n=judged))
    return pd.concat(parts, ignore_index=True).assign(method="scan", subgroup="all")


def changed_rows(counts: pd.DataFrame) -> pd.DataFrame:
    """Return every rate with Wilson's interval, and what it lost since before the mitigation, with Newcombe's.

    Before and after are judged on the same images; Newcombe's interval takes them for independent, so it is too wide
    rather than too narrow. `attack_count` is the notebook's number itself, without an interval.
    """
    low, high = proportion_interval(counts["hits"], counts["n"])
    rates = counts.assign(value=counts["hits"] / counts["n"], ci_low=low, ci_high=high)
    keys = ["run", "protocol", "split", "subgroup", "metric"]
    before = counts[counts["method"] == "before"].set_index(keys)[["hits", "n"]].add_suffix("_before")
    after = rates[rates["method"] != "before"].join(before, on=keys, how="inner")
    low, high = difference_of_proportions(after["hits_before"], after["n_before"], after["hits"], after["n"])
    drops = after.assign(
        metric=after["metric"] + "_drop",
        value=after["hits_before"] / after["n_before"] - after["value"],
        ci_low=low,
        ci_high=high,
    )
    counted = rates[rates["metric"] == "attack_count"]
    shares = counted.assign(metric="attack_count_share")
    counted = counted.assign(value=counted["hits"].astype(float), ci_low=np.nan, ci_high=np.nan)
    rates = rates[rates["metric"] != "attack_count"]
    drops = drops[drops["metric"] != "attack_count_drop"]
    rows = pd.concat([rates, counted, shares, drops], ignore_index=True)
    return rows.drop(columns=["hits", "hits_before", "n_before"])


def rate_rows(models: pd.DataFrame) -> pd.DataFrame:
    """Return shares over models, with Wilson's intervals.

    right label of infected models (one label), false alarms on control models, and both for the published threshold
    alone: an index above 2 (above 3) that points to the infected label, or that any control model has.
    """
    rows = []
    for protocol, own in models.groupby("protocol"):
        index = own["index" if protocol == "corrected" else "index_lower"]
        single, clean = own["many_true"] == 1, own["many_true"] == 0
        found = own["label"].astype(str) == own["true_labels"]
        counted = {
            "detection_rate": (own["right"].fillna(False) & single, single),
            "false_alarm_rate": (own["verdict"].str.startswith("infected") & clean, clean),
            "index_above_2_infected": (single & found & (index > 2), single),
            "index_above_3_infected": (single & found & (index > 3), single),
            "index_above_2_clean": (clean & (index > 2), clean),
        }
        for metric, (hits, of) in counted.items():
            if n := int(of.sum()):
                low, high = proportion_interval(int(hits.sum()), n)
                told = {"protocol": protocol, "metric": metric, "value": int(hits.sum()) / n, "n": n}
                rows.append(told | {"ci_low": low, "ci_high": high})
    return pd.DataFrame(rows).assign(method="all models", run="all", kind="all", seed=0, subgroup="all")


def saved_rows(labels: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Return per model how many updates its labels took, and the share of the budget that early stopping saved."""
    own = labels[labels["protocol"] == "corrected"]
    own = own.assign(budget=own["updates"] / own["steps"] * steps)
    sums = own.groupby(["run", "kind", "seed", "protocol"])[["updates", "budget"]].sum().reset_index()
    parts = [
        sums.assign(metric="updates", value=sums["updates"].astype(float)),
        sums.assign(metric="updates_saved", value=1 - sums["updates"] / sums["budget"]),
    ]
    return pd.concat(parts).assign(method="scan", subgroup="all", n=10)


def mask_rows(triggers: Mapping[str, str], entries: Mapping[str, dict], first: Mapping[str, int]) -> pd.DataFrame:
    """Return the pictures of the first seed of each kind, a row per label and pixel: mask, pattern and true trigger."""
    rows = []
    for kind, path in triggers.items():
        tensors, true = load_file(path), true_masks(entries.get(kind))
        for protocol in ("corrected", "as_published"):
            mask = tensors.get(f"{protocol}.seed{first[kind]}.mask")
            if mask is None:
                continue
            pattern = tensors[f"{protocol}.seed{first[kind]}.pattern"]
            for label in range(len(mask)):
                shown = {"mask": mask[label], "pattern": pattern[label]}
                shown["true"] = true.get(label, np.full_like(mask[label], np.nan))
                told = {"kind": kind, "seed": first[kind], "protocol": protocol, "label": label}
                pixels = {name: np.float32(np.round(values, 3)).ravel() for name, values in shown.items()}
                rows.append(pd.DataFrame({"pixel": np.arange(mask[label].size), **pixels}).assign(**told))
    return pd.concat(rows, ignore_index=True)


def with_remarks(models: pd.DataFrame, counts: pd.DataFrame, known: Mapping) -> pd.DataFrame:
    """Return the models with a user's accuracy beside the verdict on it, where that is so low that it says little."""
    before = counts[(counts["method"] == "before") & (counts["metric"] == "clean_accuracy")]
    right = before[~before["kind"].isin(list(known))].set_index("run")
    remarks = {row.Index: remark(row.hits, row.n) for row in right.itertuples()}
    return models.assign(verdict=models["verdict"] + models["run"].map(remarks).fillna(""))


def gather(
    given: Mapping[str, Sequence[str]], kinds: Sequence[str], settings: Mapping, dataset: str, outputs: Mapping
) -> None:
    """Read labels, traces, triggers and metrics of all kinds, judge the models, and write the released tables.

    Raises:
        UserError: a norm is NaN.
    """
    labels = with_indices(parquet.gather(given["labels"]))
    counts = parquet.gather(given["counts"])
    models = with_remarks(judge_models(labels, settings["verdict"]), counts, settings["models"])
    many, judged = labels["label"].nunique(), int(labels["n"].max())
    common = {"study": "backdoor", "dataset": dataset, "split": "test"}
    alarm = {"protocol": "corrected", "run": "all", "kind": "all", "seed": 0, "subgroup": "all", "n": 20000}
    alarm |= {
        "method": "simulation",
        "metric": "verdict_false_alarm",
        "value": verdict_false_alarm(settings["verdict"], many),
    }
    own = [changed_rows(counts), model_rows(models, judged), rate_rows(models)]
    own += [saved_rows(labels, settings["steps"]), pd.DataFrame([alarm])]
    metrics = pd.concat(
        [part.assign(**{key: part.get(key, told) for key, told in common.items()}) for part in own], ignore_index=True
    )
    metrics = metrics.reindex(columns=[*METRICS.names, "kind"])
    parquet.write(metrics, outputs["metrics"], METRICS)
    parquet.write(labels, outputs["labels"])
    parquet.write(models, outputs["models"])
    parquet.write(null_rows(labels, settings["verdict"]), outputs["false_alarms"])
    parquet.write(roc_rows(models, many, settings["verdict"]), outputs["roc"])
    traces = parquet.gather(given["traces"])
    parquet.write(traces, outputs["traces"])
    first = traces.groupby("kind")["seed"].min().to_dict()
    triggers = dict(zip(kinds, given["triggers"], strict=True))
    parquet.write(mask_rows(triggers, settings["models"], first), outputs["masks"])
    for row in models.itertuples():
        log.info("%s, %s: truly %s; %s (%s)", row.run, row.protocol, row.true_labels, row.verdict, row.reason)


if "snakemake" in globals():
    with job(snakemake):
        told = snakemake.params
        gather(dict(snakemake.input.items()), told.kinds, told.settings, told.dataset, dict(snakemake.output.items()))
