"""Rule `leakage_compare`: the study's numbers in one schema, and the differences that claims state.

A difference is of two numbers about the same people. Most are differences of two balanced accuracies, of guesses that
are right or wrong (or right with some probability) for each person. Their interval is the normal one of the groups'
mean differences. The best map of a label is held at the observed one, since noise would raise a maximum.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.conditions import condition_value
from scripts.common.errors import UserError
from scripts.common.interval_kinds import BOOTSTRAP, NORMAL
from scripts.common.intervals import bootstrap_interval
from scripts.common.leakage import attacks, bounds, identities
from scripts.common.leakage.audit_run import SMALLEST_GROUP, Halves, exposures, label_from_score, split_rows
from scripts.common.logs import job, log
from scripts.common.metrics import count_table
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.common.tabular import table_of
from scripts.leakage.gather import gather
from scripts.leakage.numbers import ATTACK, BEST, BOUND, PREDICTED, SCORE, asked
from scripts.leakage.queries import right_after

STUDY, TABLE, ATTRIBUTE, GROUPS = "leakage", "adult", "sex", 2
EGD, PLAIN, ODDS = "logistic_egd", "logistic", "logistic_eo_thresholds"
Number = tuple[str, str]  # model, and condition of the metric ATTACK
PAIRS: list[tuple[Number, Number]] = [  # the first less the second
    ((EGD, BEST), (EGD, BOUND)),
    ((PLAIN, SCORE), (PLAIN, BOUND)),
    ((ODDS, BOUND), (PLAIN, BOUND)),
    ((ODDS, BOUND), (ODDS, PREDICTED)),
    ((PLAIN, BOUND), (PLAIN, PREDICTED)),
    ((ODDS, asked(20)), (ODDS, asked(1))),
    (("mlp_egd_batch_mean", asked(20)), ("mlp_egd", asked(20))),
]
REPLICATES = 2000
SIDES = ["first", "condition", "second", "second_condition", "run", "second_run"]


class Run:
    """The rows of one run with their groups, and the two halves of its test rows."""

    def __init__(self, rows: pd.DataFrame, audit_seed: int) -> None:
        self.rows, self.audit_seed, self.name = rows, audit_seed, rows["run"].iloc[0]
        self.groups = rows[ATTRIBUTE].to_numpy(np.int64)
        positions = np.flatnonzero(rows["split"] == "test")
        self.halves: Halves = split_rows(rows["row_id"].to_numpy(), self.groups, positions, audit_seed, STUDY)
        self.labels = rows["y_pred"].to_numpy(np.int64)

    def judged(self, column: str) -> np.ndarray:
        """Return a column of the rows that judge an attack, [n]."""
        return self.rows[column].to_numpy()[self.halves.judge]

    def attack(self, output: str) -> np.ndarray:
        """Return whether the audit's attack on an output is right, bool [n]: the same fit as there."""
        train, judge = self.halves.train, self.halves.judge
        if output == "y_pred":
            guessed = attacks.fit_label(self.labels[train], self.groups[train], GROUPS)(self.labels[judge])
            return guessed == self.groups[judge]
        values = {name: own for _, name, own in exposures(self.rows)}[output]
        known = self.labels if label_from_score(self.rows["score"].to_numpy(), self.labels) else None
        seed = seed_from(self.audit_seed, "attack", STUDY, self.name, ATTRIBUTE, output)
        battery = attacks.battery(values, known, self.groups, GROUPS, seed)
        _, guess = attacks.strongest(battery, train, self.groups, GROUPS)
        return guess(judge) == self.groups[judge]

    def best_map(self) -> np.ndarray:
        """Return whether the best map of the label is right, bool [n]: its balanced accuracy is the label's bound."""
        group, label = self.groups[self.halves.judge], self.labels[self.halves.judge]
        return bounds.shares(identities.table(label, group, GROUPS)).argmax(1)[label] == group


def right(run: Run, wanted: str, audit: pd.DataFrame) -> np.ndarray | None:
    """Return with which probability each judging person is told right, float64 [n]; None where a run shows no such.

    Args:
        wanted: condition of the metric ATTACK.
        audit: tells on which output the best attack is.
    """
    if wanted == BOUND:
        return run.best_map().astype(float)
    if wanted == SCORE:
        return run.attack("score").astype(float)
    if wanted == BEST:
        own = audit[(audit["study"] == STUDY) & (audit["run"] == run.name) & audit["attack_ba"].notna()]
        return run.attack(own.loc[own["attack_ba"].idxmax(), "output"]).astype(float) if len(own) else None
    probability = run.rows.get("probability")
    if probability is None or probability.isna().any():
        return None
    queries = int(condition_value(wanted, "queries"))
    return right_after(probability.to_numpy(float), run.groups, GROUPS, run.halves, queries)


def mean_difference(first: np.ndarray, second: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    """Return (value, low, high) of the difference of two balanced accuracies on the same people, [n] each."""
    parts = [(first[groups == g], second[groups == g]) for g in range(GROUPS)]
    value = float(np.mean([own.mean() for own, _ in parts]) - np.mean([other.mean() for _, other in parts]))
    half = bounds.normal_half_width([own - other for own, other in parts])
    return value, value - half, value + half


def bound_less_prediction(counts: np.ndarray) -> np.ndarray:
    """Return label bound less what equalized odds predict, [...], of tables [..., 2, 2, 2] (group, label, decision)."""
    said = counts.sum(-2)
    best = (said / said.sum(-1, keepdims=True)).max(-2).sum(-1) / GROUPS
    return best - bounds.predicted_by_odds(counts)


def difference(
    first: tuple[Run, str], second: tuple[Run, str], audit: pd.DataFrame
) -> tuple[float, float, float, str] | None:
    """Return (value, low, high, kind of interval) of one number of a run less one of a run on the same people.

    None if a run has no such number, or if one of the groups has fewer than 30 people.

    Raises:
        UserError: the runs have other test rows.
    """
    (run, wanted), (other, minus) = first, second
    ours, theirs = (np.argsort(own.judged("row_id"), kind="stable") for own in (run, other))  # files need not agree
    if not np.array_equal(run.judged("row_id")[ours], other.judged("row_id")[theirs]):
        raise UserError(f"predictions: {run.name} and {other.name} have other test rows; delete them and rerun")
    groups = run.groups[run.halves.judge]
    if np.bincount(groups, minlength=GROUPS).min() < SMALLEST_GROUP:
        return None
    if minus == PREDICTED:
        counts = count_table(run.judged("y_true"), run.judged("y_pred"), groups, sizes=[GROUPS])
        seed = seed_from(STUDY, "paired", run.name)
        with np.errstate(invalid="ignore", divide="ignore"):
            return *bootstrap_interval(counts, bound_less_prediction, REPLICATES, seed), BOOTSTRAP
    first_right, second_right = right(run, wanted, audit), right(other, minus, audit)
    if first_right is None or second_right is None:
        return None
    return *mean_difference(first_right[ours], second_right[theirs], groups[ours]), NORMAL


def compare(paths: Sequence[str], audit: pd.DataFrame, audit_seed: int) -> pd.DataFrame:
    """Return all `PAIRS` whose two runs are there, seed by seed, in schema COMPARISONS.

    `condition` is that of the first side; further columns are second_condition, run and second_run.

    Args:
        paths: the study's own predictions files.

    Raises:
        UserError: a file is missing or damaged, or two runs of a pair have other test rows.
    """
    wanted, runs = {model for pair in PAIRS for model, _ in pair}, {}
    for path in paths:
        frame = parquet.read(path, PREDICTIONS)
        for name, rows in frame.groupby("run", sort=False):
            parts = name.split(".")
            if parts[:2] == [TABLE, ATTRIBUTE] and parts[2] in wanted:
                runs[parts[2], int(parts[3].removeprefix("seed"))] = Run(rows.reset_index(drop=True), audit_seed)
    found = []
    for (model, wanted), (other, minus) in PAIRS:
        for seed in sorted(seed for name, seed in runs if name == model and (other, seed) in runs):
            pair = runs[model, seed], runs[other, seed]
            ours = difference((pair[0], wanted), (pair[1], minus), audit)
            if ours is None:
                continue
            named = (f"{ATTRIBUTE}.{model}", wanted, f"{ATTRIBUTE}.{other}", minus, *(run.name for run in pair))
            found.append((seed, *named, *ours, len(pair[0].halves.judge)))
    frame = pd.DataFrame(found, columns=["seed", *SIDES, "value", "ci_low", "ci_high", "interval", "n"])
    about = {"study": STUDY, "dataset": table_of(TABLE).title, "protocol": "corrected", "split": "test"}
    about |= {"attribute": ATTRIBUTE, "subgroup": "all", "metric": ATTACK, "paired_by": "rows", "seeds": 1}
    return frame.assign(**about)


if "snakemake" in globals():
    with job(snakemake):
        files = snakemake.input
        audit, queries, own, checks = (parquet.read(files[name]) for name in ("audit", "queries", "files", "checks"))
        parquet.write(gather(audit, queries, own, checks), snakemake.output.metrics, METRICS)
        compared = compare([str(path) for path in files.predictions], audit, snakemake.params.seed)
        compared = pd.concat([compared, parquet.read(files.check_comparisons, COMPARISONS)], ignore_index=True)
        log.info("%d differences", len(compared))
        parquet.write(compared, snakemake.output.comparisons, COMPARISONS)
