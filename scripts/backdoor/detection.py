"""From the norms of all labels to verdicts on models, rates of detection and false alarm, and the ROC."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.backdoor import outliers
from scripts.backdoor.outliers import anomaly_index, log_norms, null_indices, rule_of, verdict

INDICES = {  # column -> (on log-norms, median)
    "index": (False, "true"),
    "index_lower": (False, "lower"),
    "index_log": (True, "true"),
    "index_log_lower": (True, "lower"),
}
MEDIAN = {"corrected": "true", "as_published": "lower"}


def with_indices(labels: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of labels with the four anomaly indices of each, sorted by kind, seed, protocol and label."""
    parts = []
    for _, model in labels.groupby(["kind", "seed", "protocol"], sort=True):
        model = model.sort_values("label")
        norms = model["norm"].to_numpy(float)
        own = {
            name: anomaly_index(log_norms(norms) if log else norms, median) for name, (log, median) in INDICES.items()
        }
        parts.append(model.assign(**own))
    return pd.concat(parts, ignore_index=True)


def judge_models(labels: pd.DataFrame, settings: Mapping) -> pd.DataFrame:
    """Return one row per model and protocol: the smallest norm's indices and witnesses, the truth and the verdict.

    As published, the verdict is the notebook's: the last label with an index above 2, by the lower median, and no
    "undecided". `p_value` is the share of simulated models without a backdoor with a larger index on log-norms.
    """
    null, rows = {}, []
    for (run, kind, seed, protocol), model in labels.groupby(["run", "kind", "seed", "protocol"], sort=True):
        if len(model) not in null:
            draws = null_indices("normal", "true", len(model), settings["null_draws"], settings["null_seed"])
            null[len(model)] = rule_of(settings, len(model)), draws
        rule, draws = null[len(model)]
        smallest = model.loc[model["norm"].idxmin()]
        if protocol == "corrected":
            words, suspects, reason = verdict(model["norm"], model["success"], rule)
        else:
            flagged = model.loc[model["index_lower"] > rule.index, "label"].tolist()
            suspects = flagged[-1:]
            words = f"infected label {flagged[-1]}" if flagged else "clean"
            reason = f"above {rule.index:g} by the lower median: {', '.join(map(str, flagged)) or 'none'}"
        true = None if model["infected"].isna().any() else model.loc[model["infected"].astype(bool), "label"].tolist()
        row = {"run": run, "kind": kind, "seed": seed, "protocol": protocol, "label": int(smallest["label"])}
        row |= {name: float(smallest[name]) for name in ("norm", "success", "jaccard", "inside", *INDICES)}
        row |= {"median_norm": float(outliers.median_of(model["norm"], MEDIAN[protocol]))}
        row |= {"p_value": float((draws >= row["index_log"]).mean())}
        row |= {"verdict": words, "suspects": ", ".join(map(str, suspects)), "reason": reason}
        row |= {"true_labels": "unknown" if true is None else ", ".join(map(str, true)) or "none"}
        row |= {"right": right(words, true), "many_true": np.nan if true is None else len(true)}
        rows.append(row)
    return pd.DataFrame(rows).astype({"right": "boolean", "many_true": "Int64"})


def right(words: str, true: list[int] | None) -> bool | None:
    """Return whether a verdict is right; "undecided" is right on no model, and on an unknown one nothing is."""
    if true is None:
        return None
    return words == (f"infected label {true[0]}" if len(true) == 1 else "clean") if len(true) < 2 else False


def null_rows(labels: pd.DataFrame, settings: Mapping) -> pd.DataFrame:
    """Return how large the index gets without a backdoor: four simulated cases, and norms of the control models."""
    many, draws, seed = labels["label"].nunique(), settings["null_draws"], settings["null_seed"]
    table = outliers.null_table(many, draws, seed)
    controls = labels[(labels["protocol"] == "corrected") & (labels["infected"] == False)]  # noqa: E712 - nullable
    controls = controls[controls["kind"].isin(_clean_kinds(labels))]
    rows = []
    if len(controls):
        norms = log_norms(controls.pivot(index="run", columns="label", values="norm").to_numpy(float))
        for logs in (False, True):
            for median in outliers.MEDIANS:
                index = outliers.resampled_indices(norms, many, draws, median, logs, seed)
                law = f"control models, {'log-norms' if logs else 'norms'}"
                rows.append((law, median, *outliers.summary(index), many, draws))
    return pd.concat([table, pd.DataFrame(rows, columns=table.columns)], ignore_index=True) if rows else table


def _clean_kinds(labels: pd.DataFrame) -> list[str]:
    infected = labels.groupby("kind")["infected"].any()
    known = labels.groupby("kind")["infected"].count() > 0
    return infected[known & ~infected.fillna(False).astype(bool)].index.tolist()


def verdict_false_alarm(settings: Mapping, labels: int) -> float:
    """Return the share of simulated models without a backdoor that the verdict calls infected.

    Norms are log-normal (sigma 0.35), and every reversed trigger is taken to work, which is the worst case.
    """
    rule = rule_of(settings, labels)
    draws = min(settings["null_draws"], 20000)
    logs = outliers.SIGMA * np.random.default_rng(settings["null_seed"]).standard_normal((draws, labels))
    return float(((anomaly_index(logs) > rule.log_index).sum(1) == 1).mean())


def roc_rows(models: pd.DataFrame, labels: int, settings: Mapping) -> pd.DataFrame:
    """Return the ROC of "infected if the index exceeds the threshold", over models with one or no infected label.

    false_positives are those of the control models; simulated ones are of log-normal norms.
    """
    known = models[models["many_true"].notna() & (models["many_true"] < 2)]
    rows = []
    for protocol, own in known.groupby("protocol", sort=True):
        infected = own["many_true"] == 1
        if infected.all() or not infected.any():
            continue
        for name, (log, median) in INDICES.items():
            law = "normal" if log else "log-normal"
            null = null_indices(law, median, labels, settings["null_draws"], settings["null_seed"])
            for threshold in sorted({np.inf, -np.inf, settings["index"], *own[name]}, reverse=True):
                above = own[name] >= threshold
                told = {"protocol": protocol, "measure": name, "threshold": threshold}
                told |= {"true_positives": above[infected].mean(), "false_positives": above[~infected].mean()}
                rows.append(told | {"simulated": float((null >= threshold).mean())})
    rows = pd.DataFrame(
        rows, columns=["protocol", "measure", "threshold", "true_positives", "false_positives", "simulated"]
    )
    return rows
