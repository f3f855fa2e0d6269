"""Rule `backdoor_gather`: verdicts on all models, and every number of the study in one table."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from scripts.backdoor.clean_remark import remark
from scripts.backdoor.detection import judge_models, null_rows, roc_rows, verdict_false_alarm, with_indices
from scripts.backdoor.plan import OWN
from scripts.backdoor.shapes import true_masks
from scripts.common import parquet
from scripts.common.conditions import condition
from scripts.common.interval_kinds import NEWCOMBE, WILSON
from scripts.common.intervals import difference_of_proportions, proportion_interval
from scripts.common.logs import job, log
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS, NO_ATTRIBUTE

PER_MODEL = {  # column of the models' table: metric, condition
    "index": ("anomaly_index", ""),
    "index_lower": ("anomaly_index", condition(median="lower")),
    "index_log": ("anomaly_index", condition(norms="log")),
    "norm": ("smallest_norm", ""),
    "median_norm": ("median_norm", ""),
    "p_value": ("p_value", ""),
}
WITNESSES = {  # the same, of models with one infected label
    "jaccard": ("jaccard_index", ""),
    "inside": ("trigger_inside_fraction", ""),
    "success": ("attack_success_rate", condition(trigger="reversed")),
}
ABOVE = {threshold: condition(threshold=threshold) for threshold in (2, 3)}  # the published index alone
EVERYONE = {"attribute": NO_ATTRIBUTE, "subgroup": "all"}  # digits are no people


def model_rows(models: pd.DataFrame, judged: int) -> pd.DataFrame:
    """Return the indices of every model, and of the infected ones the witnesses, as rows of METRICS."""
    parts = []
    called = models["verdict"].str.startswith("infected").astype(float)
    parts.append(models.assign(metric="called_infected", condition="", value=called, n=1))
    single = models[models["many_true"] == 1]
    for rows, columns, n in ((models, PER_MODEL, 10), (single, WITNESSES, judged)):
        for column, (metric, text) in columns.items():
            parts.append(rows.assign(metric=metric, condition=text, value=rows[column].astype(float), n=n))
    return pd.concat(parts, ignore_index=True).assign(method="scan")


def count_rows(counts: pd.DataFrame) -> pd.DataFrame:
    """Return every rate with Wilson's interval; `attack_count` is the notebook's number itself, without one."""
    low, high = proportion_interval(counts["hits"], counts["n"])
    rates = counts.assign(value=counts["hits"] / counts["n"], ci_low=low, ci_high=high, interval=WILSON)
    counted = rates[rates["metric"] == "attack_count"]
    fractions = counted.assign(metric="attack_count_fraction")
    counted = counted.assign(value=counted["hits"].astype(float), ci_low=np.nan, ci_high=np.nan, interval=None)
    rows = [rates[rates["metric"] != "attack_count"], counted, fractions]
    return pd.concat([part for part in rows if len(part)], ignore_index=True).drop(columns="hits")


def dropped_rows(counts: pd.DataFrame) -> pd.DataFrame:
    """Return what every rate lost since before the mitigation, before minus after, with Newcombe's interval.

    Before and after are judged on the same images; Newcombe's interval takes them for independent, so it is too wide
    rather than too narrow.
    """
    counts = counts[counts["metric"] != "attack_count"]
    keys = ["run", "protocol", "split", "metric", "condition"]
    before = counts[counts["method"] == "before"].set_index(keys)[["hits", "n"]].add_suffix("_before")
    after = counts[counts["method"] != "before"].join(before, on=keys, how="inner")
    low, high = difference_of_proportions(after["hits_before"], after["n_before"], after["hits"], after["n"])
    value = after["hits_before"] / after["n_before"] - after["hits"] / after["n"]
    drops = after.assign(value=value, ci_low=low, ci_high=high, first="before", second=after["method"])
    drops = drops.assign(interval=NEWCOMBE, paired_by="none", seeds=1)
    return drops.drop(columns=["method", "hits", "hits_before", "n_before"]).reset_index(drop=True)


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
            ("detection_rate", ""): (own["right"].fillna(False) & single, single),
            ("false_alarm_rate", ""): (own["verdict"].str.startswith("infected") & clean, clean),
            ("detection_rate", ABOVE[2]): (single & found & (index > 2), single),
            ("detection_rate", ABOVE[3]): (single & found & (index > 3), single),
            ("false_alarm_rate", ABOVE[2]): (clean & (index > 2), clean),
        }
        for (metric, text), (hits, of) in counted.items():
            if n := int(of.sum()):
                low, high = proportion_interval(int(hits.sum()), n)
                told = {"protocol": protocol, "metric": metric, "condition": text, "value": int(hits.sum()) / n, "n": n}
                rows.append(told | {"ci_low": low, "ci_high": high, "interval": WILSON})
    return pd.DataFrame(rows).assign(method="all models", run="all", kind="all", seed=0)


def saved_rows(labels: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Return per model how many updates its labels took, and the share of the budget that early stopping saved."""
    own = labels[labels["protocol"] == "corrected"]
    own = own.assign(budget=own["updates"] / own["steps"] * steps)
    sums = own.groupby(["run", "kind", "seed", "protocol"])[["updates", "budget"]].sum().reset_index()
    parts = [
        sums.assign(metric="updates", value=sums["updates"].astype(float)),
        sums.assign(metric="updates_saved_fraction", value=1 - sums["updates"] / sums["budget"]),
    ]
    return pd.concat(parts).assign(method="scan", condition="", n=10)


def mask_rows(triggers: Mapping[str, str], entries: Mapping[str, dict], first: Mapping[str, int]) -> pd.DataFrame:
    """Return the pictures of the first seed of each kind, a row per label and pixel: mask, pattern and true trigger."""
    rows = []
    for kind, path in triggers.items():
        stored, true = load_file(path), true_masks(entries.get(kind))
        tensors = {name.removeprefix(f"{kind}."): tensor for name, tensor in stored.items()}
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
    before = counts[(counts["method"] == "before") & (counts["metric"] == "accuracy")]
    before = before[before["condition"] == ""]
    right = before[~before["kind"].isin(list(known))].set_index("run")
    remarks = {row.Index: remark(row.hits, row.n) for row in right.itertuples()}
    return models.assign(verdict=models["verdict"] + models["run"].map(remarks).fillna(""))


def in_order(frame: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    """Return the rows in the order of the kinds, whichever jobs they came from; those of one kind stay as they are."""
    return frame.sort_values("kind", key=lambda column: column.map(kinds.index), kind="stable", ignore_index=True)


def gather(
    given: Mapping[str, Sequence[str]], jobs: Sequence[Sequence[str]], settings: Mapping, dataset: str, outputs: Mapping
) -> None:
    """Read labels, traces, triggers and metrics of all kinds, judge the models, and write the released tables.

    Args:
        given: the files of the jobs, by what they hold.
        jobs: the kinds of each job, in the same order.

    Raises:
        UserError: a norm is NaN.
    """
    path_of = {kind: path for kinds, path in zip(jobs, given["triggers"], strict=True) for kind in kinds}
    kinds = [kind for kind in (*settings["models"], OWN) if kind in path_of]
    labels = with_indices(in_order(parquet.gather(given["labels"]), kinds))
    counts = in_order(parquet.gather(given["counts"]), kinds)
    models = with_remarks(judge_models(labels, settings["verdict"]), counts, settings["models"])
    many, judged = labels["label"].nunique(), int(labels["n"].max())
    common = {"study": "backdoor", "dataset": dataset, "split": "test"} | EVERYONE
    alarm = {"protocol": "corrected", "run": "all", "kind": "all", "seed": 0, "n": 20000}
    alarm |= {
        "method": "simulation",
        "metric": "false_alarm_rate",
        "condition": condition(models="simulated"),
        "value": verdict_false_alarm(settings["verdict"], many),
    }
    own = [count_rows(counts), model_rows(models, judged), rate_rows(models)]
    own += [saved_rows(labels, settings["steps"]), pd.DataFrame([alarm])]
    metrics = pd.concat(
        [part.assign(**{key: part.get(key, told) for key, told in common.items()}) for part in own], ignore_index=True
    )
    metrics = metrics.reindex(columns=[*METRICS.names, "kind"])
    parquet.write(metrics, outputs["metrics"], METRICS)
    compared = dropped_rows(counts).assign(**{key: told for key, told in common.items() if key != "split"})
    parquet.write(compared, outputs["comparisons"], COMPARISONS)
    parquet.write(labels, outputs["labels"])
    parquet.write(models, outputs["models"])
    parquet.write(null_rows(labels, settings["verdict"]), outputs["false_alarms"])
    parquet.write(roc_rows(models, many, settings["verdict"]), outputs["roc"])
    traces = in_order(parquet.gather(given["traces"]), kinds)
    parquet.write(traces, outputs["traces"])
    first = traces.groupby("kind")["seed"].min().to_dict()
    parquet.write(mask_rows({kind: path_of[kind] for kind in kinds}, settings["models"], first), outputs["masks"])
    for row in models.itertuples():
        log.info("%s, %s: truly %s; %s (%s)", row.run, row.protocol, row.true_labels, row.verdict, row.reason)


if "snakemake" in globals():
    with job(snakemake):
        told = snakemake.params
        gather(dict(snakemake.input.items()), told.jobs, told.settings, told.dataset, dict(snakemake.output.items()))
