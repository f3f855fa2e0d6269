"""The numbers of the study's own models, its checks and the audit's counts, in one schema."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common.conditions import condition
from scripts.common.interval_kinds import JOINED, NEWCOMBE, WILSON
from scripts.common.intervals import proportion_interval
from scripts.common.schemas.metrics import NO_ATTRIBUTE
from scripts.common.tabular import table_of
from scripts.leakage.numbers import ATTACK, BEST, BOUND, LABEL, MEMBER_MEAN, PREDICTED, SCORE, VECTOR, asked

STUDY = "leakage"
ODDS_HOLD = 0.02  # largest gap of the rates at which equalized odds is taken to hold
EVERYTHING = "all audited predictions"
VALUES = {  # column of the audit: metric, condition
    "bound_label": (ATTACK, BOUND),
    "dpd": ("demographic_parity_difference", ""),
    "odds_prediction": (ATTACK, PREDICTED),
    "odds_gap": ("equalized_odds_difference", ""),
}
INPUTS = {"y_pred": LABEL, "score": SCORE, "score_member_mean": MEMBER_MEAN}
NAMED = ["dataset", "method", "run", "seed", "attribute"]
ENDS = ["ci_low", "ci_high"]


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
    labels = own[own["exposure"] == "label"]
    accepted = proportion_interval((labels["accuracy"] * labels["n_test"]).round(), labels["n_test"])
    ends = dict(zip(ENDS, accepted, strict=True))
    right = labels[NAMED].assign(metric="accuracy", condition="", value=labels["accuracy"], **ends, n=labels["n_test"])
    parts.append(right.assign(attribute=NO_ATTRIBUTE, interval=WILSON))
    for column, (metric, text) in VALUES.items():
        ends, kind = dict.fromkeys(ENDS, np.nan), None
        if column == "dpd":
            ends, kind = {"ci_low": labels["dpd_lo"], "ci_high": labels["dpd_hi"]}, NEWCOMBE
        if column == "bound_label":  # the gap's interval, carried over by (1 + gap)/k
            ends = {"ci_low": (1 + labels["dpd_lo"]) / labels["k"], "ci_high": (1 + labels["dpd_hi"]) / labels["k"]}
            kind = NEWCOMBE
        found = labels[NAMED].assign(metric=metric, condition=text, value=labels[column], **ends, n=labels["n_test"])
        parts.append(found.assign(interval=kind))
    seen = own["output"].map(INPUTS).where(own["exposure"] != "vector", VECTOR).fillna(condition(input="other"))
    parts.append(attack_rows(own, seen))
    best = own.loc[own.groupby("run")["attack_ba"].idxmax().dropna().astype(int)]
    parts.append(attack_rows(best, BEST))
    return pd.concat(parts, ignore_index=True)


def kinds(own: pd.DataFrame) -> np.ndarray:
    """Return the kind of each interval of a balanced accuracy: Newcombe's for two groups, for more joined likewise."""
    return np.where(own["k"] == 2, NEWCOMBE, JOINED)


def attack_rows(own: pd.DataFrame, seen: pd.Series | str) -> pd.DataFrame:
    """Return the attacks of the audit's rows as metrics; `seen` is the condition that says what they see."""
    ends = {"ci_low": own["ba_lo"], "ci_high": own["ba_hi"], "interval": kinds(own)}
    return own[NAMED].assign(metric=ATTACK, condition=seen, value=own["attack_ba"], **ends, n=own["n_test"])


def query_rows(queries: pd.DataFrame, audit: pd.DataFrame) -> pd.DataFrame:
    """Return what an attack reaches after repeated queries, per own model that draws its labels."""
    known = own_runs(audit).drop_duplicates("run").set_index("run")
    own = queries[queries["study"] == STUDY]
    rows = own[["run"]].assign(dataset=own["run"].map(known["dataset"]), method=own["run"].map(known["method"]))
    rows["seed"] = own["run"].map(known["seed"])
    rows = rows.assign(attribute=own["attribute"], metric=ATTACK, condition=own["queries"].map(asked))
    ends = {"ci_low": own["ba_lo"], "ci_high": own["ba_hi"], "interval": kinds(own)}
    return rows.assign(value=own["attack_ba"], **ends, n=own["n"])


def audit_counts(audit: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return counts over the whole audit: files, runs, verdicts, flips, and how far labels stay from their bound."""
    labels = audit[(audit["exposure"] == "label") & audit["attack_ba"].notna()]
    scores = audit[(audit["output"] == "score") & audit["attack_ba"].notna() & audit["label_from_score"]]
    pairs = scores.merge(labels, on=["study", "run", "task", "attribute"], suffixes=("", "_label"))
    odds = labels[labels["odds_gap"] <= ODDS_HOLD]
    counts: Mapping[tuple[str, str], tuple[float, int]] = {
        ("audit_files", condition(audited="yes")): (int(files["audited"].sum()), len(files)),
        ("audit_files", condition(audited="no")): (int((~files["audited"]).sum()), len(files)),
        ("audit_runs", condition(audited="yes")): (int(files["runs"].sum()), len(files)),
        ("audit_runs", ""): (int(files["held"].sum()), len(files)),
        ("audit_rows", condition(verdict="leaks")): (int((audit["verdict"] == "leaks").sum()), len(audit)),
        ("audit_rows", condition(correction="holm", verdict="leaks")): (
            int((audit["p_holm"] < 0.05).sum()),
            len(audit),
        ),
        ("audit_rows", condition(verdict="certified")): (
            int(audit["verdict"].str.startswith("certified").sum()),
            len(audit),
        ),
        ("audit_rows", condition(verdict="undecided")): (int((audit["verdict"] == "undecided").sum()), len(audit)),
        ("audit_rows", condition(groups="tiny")): (int((audit["attack_name"] == "none").sum()), len(audit)),
        ("audit_rows", VECTOR): (int((audit["exposure"] == "vector").sum()), len(audit)),
        ("audit_rows", condition(flip="unexplained")): (int((audit["flip"] == "unexplained").sum()), len(labels)),
        ("excess_over_bound", LABEL): (float((labels["attack_ba"] - labels["bound_label"]).max()), len(labels)),
        ("odds_error", condition(odds_gap=ODDS_HOLD)): (
            float(abs(odds["bound_label"] - odds["odds_prediction"]).max()),
            len(odds),
        ),
        ("audit_rows", condition(score="clearly_below_label")): (
            int((pairs["ba_hi"] < pairs["ba_lo_label"]).sum()),
            len(pairs),
        ),
    }
    rows = [(*name, value, n) for name, (value, n) in counts.items()]
    frame = pd.DataFrame(rows, columns=["metric", "condition", "value", "n"])
    about = {"dataset": EVERYTHING, "method": "audit", "run": "audit", "seed": 0, "attribute": NO_ATTRIBUTE}
    return frame.assign(**about, ci_low=np.nan, ci_high=np.nan, interval=None)


def gather(audit: pd.DataFrame, queries: pd.DataFrame, files: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """Return all numbers of the study as rows of METRICS."""
    checks = checks.assign(run=checks["dataset"] + ", " + checks["method"])
    parts = [model_rows(audit), query_rows(queries, audit), audit_counts(audit, files)]
    parts = [*(part.assign(protocol="corrected") for part in parts), checks]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return frame.assign(study=STUDY, split="test", subgroup="all")
