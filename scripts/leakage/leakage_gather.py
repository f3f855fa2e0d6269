"""Rule `leakage_gather`: the numbers of the study's own models, its checks and the audit's counts, in one schema."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.intervals import proportion_interval
from scripts.common.logs import job
from scripts.common.schemas.metrics import METRICS
from scripts.common.tabular import table_of

STUDY = "leakage"
ODDS_HOLD = 0.02  # largest gap of the rates at which equalized odds is taken to hold
EVERYTHING = "all audited predictions"
VALUES = {
    "bound_label": "label_bound",
    "dpd": "label_gap",
    "odds_prediction": "odds_prediction",
    "odds_gap": "odds_gap",
}
ATTACKS = {"y_pred": "label_attack", "score": "score_attack", "score_member_mean": "member_mean_attack"}


def own_runs(audit: pd.DataFrame) -> pd.DataFrame:
    """Return the audit's rows of the study's own models with dataset, method ("sex.logistic") and seed of the run."""
    own = audit[audit["study"] == STUDY].copy()
    parts = own["run"].str.extract(r"^(?P<table>\w+)\.(?P<who>\w+)\.(?P<what>\w+)\.seed(?P<number>\d+)$")
    own["dataset"] = parts["table"].map({name: table_of(name).title for name in parts["table"].unique()})
    own["method"], own["seed"] = parts["who"] + "." + parts["what"], parts["number"].astype("int64")
    return own


def model_rows(audit: pd.DataFrame) -> pd.DataFrame:
    """Return per own model: accuracy, gap and bound of its label, and each attack with its interval."""
    own, parts = own_runs(audit), []
    keys = ["dataset", "method", "run", "seed"]
    labels = own[own["exposure"] == "label"]
    accepted = proportion_interval((labels["accuracy"] * labels["n_test"]).round(), labels["n_test"])
    parts.append(
        labels[keys].assign(
            metric="accuracy", value=labels["accuracy"], ci_low=accepted[0], ci_high=accepted[1], n=labels["n_test"]
        )
    )
    for column, metric in VALUES.items():
        ends = {"ci_low": np.nan, "ci_high": np.nan}
        if column == "dpd":
            ends = {"ci_low": labels["dpd_lo"], "ci_high": labels["dpd_hi"]}
        if column == "bound_label":  # the gap's interval, carried over by (1 + gap)/k
            ends = {"ci_low": (1 + labels["dpd_lo"]) / labels["k"], "ci_high": (1 + labels["dpd_hi"]) / labels["k"]}
        parts.append(labels[keys].assign(metric=metric, value=labels[column], **ends, n=labels["n_test"]))
    metric = own["output"].map(ATTACKS).where(own["exposure"] != "vector", "vector_attack").fillna("other_attack")
    parts.append(
        own[keys].assign(
            metric=metric, value=own["attack_ba"], ci_low=own["ba_lo"], ci_high=own["ba_hi"], n=own["n_test"]
        )
    )
    best = own.loc[own.groupby("run")["attack_ba"].idxmax().dropna().astype(int)]
    parts.append(
        best[keys].assign(
            metric="best_attack", value=best["attack_ba"], ci_low=best["ba_lo"], ci_high=best["ba_hi"], n=best["n_test"]
        )
    )
    return pd.concat(parts, ignore_index=True)


def query_rows(queries: pd.DataFrame, audit: pd.DataFrame) -> pd.DataFrame:
    """Return what an attack reaches after repeated queries, per own model that draws its labels."""
    known = own_runs(audit).drop_duplicates("run").set_index("run")
    own = queries[queries["study"] == STUDY]
    rows = own[["run"]].assign(dataset=own["run"].map(known["dataset"]), method=own["run"].map(known["method"]))
    rows["seed"] = own["run"].map(known["seed"])
    rows["metric"] = "attack_after_" + own["queries"].astype(str) + "_queries"
    return rows.assign(value=own["attack_ba"], ci_low=own["ba_lo"], ci_high=own["ba_hi"], n=own["n"])


def audit_counts(audit: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return counts over the whole audit: files, runs, verdicts, flips, and how far labels stay from their bound."""
    labels = audit[(audit["exposure"] == "label") & audit["attack_ba"].notna()]
    scores = audit[(audit["output"] == "score") & audit["attack_ba"].notna() & audit["label_from_score"]]
    pairs = scores.merge(labels, on=["study", "run", "task", "attribute"], suffixes=("", "_label"))
    odds = labels[labels["odds_gap"] <= ODDS_HOLD]
    counts: Mapping[str, tuple[float, int]] = {
        "files_audited": (int(files["audited"].sum()), len(files)),
        "files_without_attribute": (int((~files["audited"]).sum()), len(files)),
        "runs_audited": (int(files["runs"].sum()), len(files)),
        "runs_held": (int(files["held"].sum()), len(files)),
        "rows_leaking": (int((audit["verdict"] == "leaks").sum()), len(audit)),
        "rows_leaking_after_holm": (int((audit["p_holm"] < 0.05).sum()), len(audit)),
        "rows_certified": (int(audit["verdict"].str.startswith("certified").sum()), len(audit)),
        "rows_undecided": (int((audit["verdict"] == "undecided").sum()), len(audit)),
        "rows_of_tiny_groups": (int((audit["attack_name"] == "none").sum()), len(audit)),
        "rows_of_vectors": (int((audit["exposure"] == "vector").sum()), len(audit)),
        "unexplained_flips": (int((audit["flip"] == "unexplained").sum()), len(labels)),
        "label_attack_above_bound": (float((labels["attack_ba"] - labels["bound_label"]).max()), len(labels)),
        "odds_error_where_odds_hold": (float(abs(odds["bound_label"] - odds["odds_prediction"]).max()), len(odds)),
        "scores_clearly_below_label": (int((pairs["ba_hi"] < pairs["ba_lo_label"]).sum()), len(pairs)),
    }
    rows = [(EVERYTHING, "audit", "audit", 0, name, value, np.nan, np.nan, n) for name, (value, n) in counts.items()]
    return pd.DataFrame(rows, columns=["dataset", "method", "run", "seed", "metric", "value", "ci_low", "ci_high", "n"])


def gather(audit: pd.DataFrame, queries: pd.DataFrame, files: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """Return all numbers of the study as rows of METRICS."""
    checks = checks.assign(run=checks["dataset"] + ", " + checks["method"])
    parts = [model_rows(audit), query_rows(queries, audit), audit_counts(audit, files)]
    parts = [*(part.assign(protocol="corrected") for part in parts), checks]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return frame.assign(study=STUDY, split="test", subgroup="all")


if "snakemake" in globals():
    with job(snakemake):
        audit, queries, files, checks = (
            parquet.read(snakemake.input[name]) for name in ("audit", "queries", "files", "checks")
        )
        parquet.write(gather(audit, queries, files, checks), snakemake.output[0], METRICS)
