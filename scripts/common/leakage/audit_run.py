"""One run of a predictions file against one attribute: what its label, its scores and its vector give away."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scripts.common.intervals import absolute_interval, difference_of_proportions
from scripts.common.leakage import attacks, bounds, identities
from scripts.common.leakage.significance import permutation_p_value
from scripts.common.schemas.predictions import class_scores
from scripts.common.seeds import seed_from

SMALLEST_GROUP = 30
DECLARED_BINS = 5
HUGE = 1e30  # stands for an infinite log-odds

COLUMNS = {
    "study": "object",
    "run": "object",
    "task": "object",  # "" where a run has one
    "attribute": "object",
    "exposure": "object",  # label, score or vector
    "output": "object",  # the columns that are exposed
    "k": "int64",
    "n_attack_train": "int64",
    "n_test": "int64",  # rows that judge the attack
    "n_test_min_group": "int64",
    "levels_observed": "int64",  # different outputs
    "accuracy": "float64",  # of the model, on the rows that judge the attack
    "dpd": "float64",  # of the label; null for more than two labels
    "dpd_lo": "float64",
    "dpd_hi": "float64",
    "bound_label": "float64",  # what the label allows at most: (1 + dpd)/k
    "ks": "float64",
    "tv_binned": "float64",  # plug-in over declared bins: biased upwards, no leakage by itself
    "bound_upper": "float64",  # of the best balanced accuracy, 95 % confidence, by upper_method
    "upper_method": "object",
    "certified_epsilon": "float64",  # k bound_upper - 1
    "attack_name": "object",
    "attack_ba": "float64",
    "ba_lo": "float64",
    "ba_hi": "float64",
    "chance": "float64",
    "no_model_ba": "float64",  # of the best constant guess: 1/k as well
    "p_value": "float64",
    "p_holm": "float64",  # over all rows of the audit
    "verdict": "object",
    "reason": "object",
    "flip": "object",  # none, within noise, or unexplained: the training rows pointed the other way
    "label_from_score": "bool",  # whether a threshold on the score gives the label
    "odds_gap": "float64",
    "odds_prediction": "float64",  # X8
    "rows": "object",  # key of the split in splits.parquet
    "seed": "int64",
}


@dataclass(frozen=True)
class Halves:
    """The test rows of a run, as positions: those the attack is fitted on and those that judge it."""

    key: str
    train: np.ndarray
    judge: np.ndarray


@dataclass(frozen=True)
class Settings:
    """What the audit is told: seed of the split, and the epsilon at which a row counts as certified."""

    seed: int
    certify: float


def split_rows(row_ids: np.ndarray, codes: np.ndarray, positions: np.ndarray, seed: int, study: str) -> Halves:
    """Halve test rows at random within each combination of attributes; the same people always give the same halves.

    Args:
        row_ids, codes: id and joint group of all rows of a run, [n].
        positions: which of them are test rows.
    """
    ids, groups = row_ids[positions], codes[positions]
    straight = np.argsort(ids)
    ids, groups, positions = ids[straight], groups[straight], positions[straight]
    key = f"{study}-{seed_from(seed, *np.unique(groups), ids.tobytes().hex(), groups.tobytes().hex()):08x}"
    shuffled = np.random.default_rng(seed_from(seed, key)).permutation(len(ids))
    order = shuffled[np.argsort(groups[shuffled], kind="stable")]
    return Halves(key, np.sort(positions[order[::2]]), np.sort(positions[order[1::2]]))


def gap_interval(counts: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the gap of a table [2, k]: Newcombe's of the groups observed farthest apart."""
    accepted, sizes = counts[1], counts.sum(0)
    rates = accepted / sizes
    high, low = int(rates.argmax()), int(rates.argmin())
    if high == low:  # all rates equal: any pair
        high, low = 1, 0
    ends = difference_of_proportions(accepted[high], sizes[high], accepted[low], sizes[low])
    return tuple(float(end) for end in absolute_interval(*ends))


def label_facts(run: pd.DataFrame, halves: Halves, groups: np.ndarray, k: int) -> dict:
    """Return the columns that belong to the model and stand on each of its rows."""
    rows = halves.judge
    y_true, y_pred, group = (
        column[rows] for column in (run["y_true"].to_numpy(int), run["y_pred"].to_numpy(int), groups)
    )
    sizes = np.bincount(group, minlength=k)
    facts = {
        "k": k,
        "n_attack_train": len(halves.train),
        "n_test": len(rows),
        "n_test_min_group": int(sizes.min()),
        "accuracy": float((y_true == y_pred).mean()) if len(rows) else np.nan,
        "chance": 1 / k,
        "no_model_ba": 1 / k,
        "rows": halves.key,
        "label_from_score": scores_give_label(run),
    }
    if sizes.all():
        counts = identities.table(y_pred, group, k)
        facts["bound_label"] = bounds.best_accuracy(counts)
        if len(counts) == 2:
            facts["dpd"], (facts["dpd_lo"], facts["dpd_hi"]) = bounds.parity_gap(counts), gap_interval(counts)
        if k == 2 and max(y_true.max(), y_pred.max()) <= 1:
            facts["odds_prediction"], facts["odds_gap"] = bounds.odds_prediction(y_true, y_pred, group)
    return facts


def scores_give_label(run: pd.DataFrame) -> bool:
    """Return whether what a run exposes as scores gives the label on every row; False if it exposes none."""
    if wide := class_columns(run):
        return bool((run[wide].to_numpy(float).argmax(1) == run["y_pred"].to_numpy()).all())
    return bool(run["score"].notna().all()) and label_from_score(run["score"].to_numpy(), run["y_pred"].to_numpy())


def class_columns(run: pd.DataFrame) -> list[str]:
    """Return the columns `score_0` .. `score_{K-1}` that a run fills; [] for two classes."""
    return [name for name in class_scores(run.columns) if run[name].notna().all()]


def label_from_score(scores: np.ndarray, labels: np.ndarray) -> bool:
    """Return whether one threshold on the score gives the label on every row."""
    ones, zeros = scores[labels == 1], scores[labels == 0]
    return bool(labels.max() <= 1 and (not len(ones) or not len(zeros) or ones.min() > zeros.max()))


def exposures(run: pd.DataFrame) -> list[tuple[str, str, np.ndarray | None]]:
    """Return (exposure, columns, values [n, d]) of what a run exposes; the label has no values here."""
    found: list[tuple[str, str, np.ndarray | None]] = [("label", "y_pred", None)]
    wide, classes = class_columns(run), class_scores(run.columns)
    if wide:
        found.append(("score", ", ".join(wide), finite(run[wide].to_numpy(float))))
    further = [name for name in run.columns if name.startswith("score_") and name not in classes]
    for name in (name for name in ["score", *further] if run[name].notna().all()):
        found.append(("score", name, finite(run[[name]].to_numpy(float))))
    vector = [name for name in run.columns if name.startswith("vector_") and run[name].notna().all()]
    if vector:
        found.append(("vector", ", ".join(vector), finite(run[vector].to_numpy(float))))
    return found


def finite(values: np.ndarray) -> np.ndarray:
    """Return the values with infinite ones replaced by huge ones, which keeps their order."""
    return np.nan_to_num(values, posinf=HUGE, neginf=-HUGE)


def audit_run(
    run: pd.DataFrame,
    study: str,
    attribute: str,
    k: int,
    halves: Halves,
    settings: Settings,
    names: Sequence[str] = (),
) -> list[dict]:
    """Return one row (see `COLUMNS`) per exposure of a run, of one of its tasks where it has several.

    Args:
        run: the rows of one run and task, in the order that `halves` counts.
        names: of the k groups; () if the file has none.

    A row of a group with fewer than 30 people among the judging rows is kept and undecided.
    """
    groups, name = run[attribute].to_numpy(np.int64), run["run"].iloc[0]
    task = [run["task"].iloc[0]] if "task" in run else []
    facts = {"study": study, "run": name, "task": "".join(task), "attribute": attribute, "seed": settings.seed}
    facts |= label_facts(run, halves, groups, k)
    labels = run["y_pred"].to_numpy(np.int64)
    rows = []
    for exposure, output, values in exposures(run):
        row = facts | {"exposure": exposure, "output": output, "flip": "none", "upper_method": ""}
        if facts["n_test_min_group"] < SMALLEST_GROUP:
            least = int(np.bincount(groups[halves.judge], minlength=k).argmin())
            who = f"the smallest group{f' ({names[least]!r})' if len(names) else ''}"
            reason = f"{who} has {facts['n_test_min_group']} of the {facts['n_test']} rows, fewer than 30"
            rows.append(row | {"verdict": "undecided", "reason": reason, "attack_name": "none", "levels_observed": 0})
            continue
        if values is None:
            row |= attack_label(labels, groups, k, halves)
        else:
            seed = seed_from(settings.seed, "attack", study, name, *task, attribute, output)
            known = labels if facts["label_from_score"] else None  # else the score does not give the label
            row |= attack_numbers(values, known, groups, k, halves, seed)
        rows.append(row | judge(row, settings.certify))
    return rows


def attack_label(labels: np.ndarray, groups: np.ndarray, k: int, halves: Halves) -> dict:
    """Fit the best map on one half, judge it on the other; check the identities (`broken`)."""
    guess = attacks.fit_label(labels[halves.train], groups[halves.train], k)
    judged, group = labels[halves.judge], groups[halves.judge]
    counts = identities.table(judged, group, k)
    found = reached(guess(judged), group, k, seed=0) | {
        "attack_name": "label",
        "levels_observed": len(np.unique(judged)),
    }
    if len(counts) == 2:
        gap = bounds.gap_upper(counts)
        found |= {"bound_upper": (1 + gap) / k, "upper_method": "McDiarmid"}
        if k == 2 and found["attack_ba"] < 0.5:
            found["flip"] = "within noise" if gap_interval(counts)[0] == 0 else "unexplained"
    elif k == 2:
        sizes, gap = np.bincount(group, minlength=k), bounds.total_variation(counts)
        upper = min(1.0, gap + bounds.binned_error(sizes, max(len(counts), int(labels.max()) + 1)))
        found |= {"bound_upper": (1 + upper) / k, "upper_method": "Weissman"}
    found["broken"] = "; ".join(identities.broken(judged, group, k, found["attack_ba"]))
    return found


def attack_numbers(
    values: np.ndarray, labels: np.ndarray | None, groups: np.ndarray, k: int, halves: Halves, seed: int
) -> dict:
    """Choose and fit the strongest attack on one half and judge it on the other; measure distances of the score."""
    battery = attacks.battery(values, labels, groups, k, seed)
    name, guess = attacks.strongest(battery, halves.train, groups, k)
    group = groups[halves.judge]
    found = reached(guess(halves.judge), group, k, seed) | {"attack_name": name}
    found["levels_observed"] = len(np.unique(values[halves.judge], axis=0))
    if values.shape[1] == 1:
        judged, sizes = values[halves.judge, 0], np.bincount(group, minlength=k)
        edges = attacks.bin_edges(values[halves.train, 0], DECLARED_BINS)
        binned = identities.table(np.searchsorted(edges, judged, side="left"), group, k)
        found["tv_binned"], found["ks"] = bounds.total_variation(binned), kolmogorov(judged, group, k)
        if k == 2:
            upper = min(1.0, found["ks"] + bounds.threshold_error(sizes))
            found |= {"bound_upper": (1 + upper) / k, "upper_method": "DKW, single thresholds only"}
    return found


def kolmogorov(scores: np.ndarray, groups: np.ndarray, k: int) -> float:
    """Return the largest Kolmogorov-Smirnov distance between the scores of two groups."""
    grid = np.unique(scores)
    laws = [np.searchsorted(np.sort(scores[groups == g]), grid, side="right") / (groups == g).sum() for g in range(k)]
    return float(np.ptp(np.stack(laws), axis=0).max())


def reached(guessed: np.ndarray, groups: np.ndarray, k: int, seed: int) -> dict:
    """Return balanced accuracy with its interval and the p-value of the permutation test."""
    hits, sizes = attacks.group_hits(guessed, groups, k)
    low, high = bounds.accuracy_interval(hits, sizes)
    p_value = permutation_p_value(guessed, groups, k, seed)
    return {"attack_ba": float(np.mean(hits / sizes)), "ba_lo": low, "ba_hi": high, "p_value": p_value}


def judge(row: dict, certify: float) -> dict:
    """Return verdict and reason: leaks, certified within epsilon, or undecided."""
    epsilon = row["k"] * row["bound_upper"] - 1 if "bound_upper" in row else np.nan
    if row["ba_lo"] > row["chance"]:
        verdict, reason = "leaks", "the interval of an attack lies above guessing"
    elif epsilon <= certify:
        reason = f"{row['upper_method']}, confidence 0.95, n = {row['n_test']}"
        verdict = f"certified({certify:g})"
    else:
        verdict, reason = "undecided", "no attack succeeds, and too few rows or no method to certify it"
    return {"verdict": verdict, "reason": reason, "certified_epsilon": epsilon}
