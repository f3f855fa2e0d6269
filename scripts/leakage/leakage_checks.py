"""Rule `leakage_checks`: are the audit's attacks strong and its intervals honest? Tested where the answer is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_curve

from scripts.common import parquet
from scripts.common.conditions import condition
from scripts.common.errors import UserError
from scripts.common.interval_kinds import JOINED, NEWCOMBE, WILSON
from scripts.common.intervals import proportion_interval
from scripts.common.leakage import attacks, bounds
from scripts.common.leakage.audit_run import Halves, split_rows
from scripts.common.logs import job, log
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.common.tabular import table_of
from scripts.leakage.numbers import ATTACK, FOREST, LABEL, SCORE

KNOWN_LAWS = {  # of the score in group 1, that of group 0 being N(0, 1); with the attainable balanced accuracy
    "shift": (0.5, 1.0, 0.599),
    "scale": (0.0, 2.0, 0.661),
    "equal": (0.0, 1.0, 0.5),
}
FITTED_ON, JUDGED_ON = 8000, 40_000
COVERAGE = {  # rows and rates of telling right, per group
    "30 and 30 rows, rates 0.95 and 0.1": ((30, 30), (0.95, 0.1)),
    "50 and 1,000 rows, rates 0.97 and 0.1": ((50, 1000), (0.97, 0.1)),
    "10 and 200 rows, rates 0.9 and 0.3": ((10, 200), (0.9, 0.3)),
    "300 and 300 rows, rates 0.5 and 0.6": ((300, 300), (0.5, 0.6)),
}
INTERVALS: dict[str, Callable] = {"newcombe": bounds.accuracy_interval, "wald": bounds.wald_interval}
TREES = 100  # of the published attack
FOREST_ROWS = 1000
COLUMNS = ["dataset", "method", "protocol", "seed", "attribute", "metric", "condition", "value", "ci_low", "ci_high"]
COLUMNS += ["interval", "n"]
SIMULATED = "group"  # the attribute of made-up people


def power_rows(repetitions: int) -> list[tuple]:
    """Return what the strongest attack reaches on scores of known laws."""
    rows = []
    for law, (mean, deviation, _) in KNOWN_LAWS.items():
        for number in range(repetitions):
            random = np.random.default_rng(seed_from("leakage", "law", law, number))
            groups = np.arange(FITTED_ON + JUDGED_ON) % 2
            scores = random.normal(mean * groups, np.where(groups == 1, deviation, 1.0))
            battery = attacks.battery(scores[:, None], None, groups, 2, seed_from("leakage", law, number))
            _, guess = attacks.strongest(battery, np.arange(FITTED_ON), groups, 2)
            judged = np.arange(FITTED_ON, len(scores))
            hits, sizes = attacks.group_hits(guess(judged), groups[judged], 2)
            ends = bounds.accuracy_interval(hits, sizes)
            told = ("simulated scores", law, "corrected", number, SIMULATED, ATTACK, SCORE)
            rows.append((*told, (hits / sizes).mean(), *ends, NEWCOMBE, JUDGED_ON))
    return rows


def coverage_rows(samples: int) -> list[tuple]:
    """Return how often each interval holds the true balanced accuracy, and its width where all are told alike."""
    rows = []
    for setting, (sizes, rates) in COVERAGE.items():
        random = np.random.default_rng(seed_from("leakage", "coverage", setting))
        hits = random.binomial(sizes, rates, size=(samples, 2))
        for name, interval in INTERVALS.items():
            low, high = interval(hits, np.broadcast_to(sizes, hits.shape))
            held = int(((low <= np.mean(rates)) & (np.mean(rates) <= high)).sum())
            ends = proportion_interval(held, samples)
            told = ("simulated hits", setting, "corrected", 0, SIMULATED, "interval_coverage", condition(interval=name))
            rows.append((*told, held / samples, *ends, WILSON, samples))
    for name, interval in INTERVALS.items():
        low, high = interval([1000, 0], [1000, 1000])
        told = ("simulated hits", "1,000 each, all and none", "corrected", 0, SIMULATED, "interval_width")
        rows.append((*told, condition(interval=name), high - low, np.nan, np.nan, None, 1000))
    return rows


def logistic_run(paths: list[str], attribute: str, table: str, audit_seed: int) -> tuple[pd.DataFrame, Halves] | None:
    """Return the first logistic run of a table and attribute in predictions files, and its halves; None without one."""
    for path in sorted(paths):
        if attribute not in pq.read_schema(path).names:
            continue
        frame = parquet.read(path, PREDICTIONS)
        names = [name for name in frame["run"].unique() if name.startswith(f"{table}.{attribute}.logistic.")]
        if names:
            run = frame[frame["run"] == names[0]].reset_index(drop=True)
            positions = np.flatnonzero(run["split"] == "test")
            return run, split_rows(
                run["row_id"].to_numpy(), run[attribute].to_numpy(np.int64), positions, audit_seed, "leakage"
            )
    return None


def null_row(run: pd.DataFrame, halves: Halves, attribute: str, permutations: int, dataset: str) -> tuple:
    """Return how often the audit finds a leak in a score after its attribute was permuted (without boosting)."""
    scores, labels, leaks = run[["score"]].to_numpy(float), run["y_pred"].to_numpy(np.int64), 0
    random = np.random.default_rng(seed_from("leakage", "null"))
    for _ in range(permutations):
        groups = random.permutation(run[attribute].to_numpy(np.int64))
        battery = attacks.battery(scores, labels, groups, 2, 0)
        battery.pop("boosting")
        _, guess = attacks.strongest(battery, halves.train, groups, 2)
        low, _ = bounds.accuracy_interval(*attacks.group_hits(guess(halves.judge), groups[halves.judge], 2))
        leaks += low > 0.5
    ends = proportion_interval(leaks, permutations)
    told = (dataset, f"{attribute}.logistic", "corrected", 0, attribute, "false_leak_rate", "")
    return (*told, leaks / permutations, *ends, WILSON, permutations)


def forest_guess(scores: np.ndarray, groups: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the package's attack on a score: a fully grown forest on it, cut where its own training rows suggest.

    The cut is the one whose point on the ROC curve is nearest to (0, 1), chosen on the rows that the forest has learnt.
    """
    forest = RandomForestClassifier(TREES, random_state=seed, n_jobs=1).fit(scores[:, None], groups)
    false, true, cuts = roc_curve(groups, forest.predict_proba(scores[:, None])[:, 1])
    cut = cuts[np.hypot(false, 1 - true).argmin()]
    return lambda values: (forest.predict_proba(values[:, None])[:, 1] >= cut).astype(np.int64)


def forest_rows(
    scores: np.ndarray, labels: np.ndarray, groups: np.ndarray, halves: Halves, about: dict[str, str]
) -> tuple[tuple, dict]:
    """Return what the package's attack reaches on a score, and by how much that falls short of the label's attack.

    The former as a row of `COLUMNS`, the latter as one of COMPARISONS; `about` names dataset, method and attribute.

    The interval of the shortfall joins both half-widths: above it, the attack on the score is weaker than that on a
    function of the score, which no sound attack is.
    """
    train, group = halves.train, groups[halves.judge]
    by_forest = forest_guess(scores[train], groups[train], seed_from("leakage", "forest"))(scores[halves.judge])
    by_label = attacks.fit_label(labels[train], groups[train], 2)(labels[halves.judge])
    ends, values = [], []
    for guessed in (by_forest, by_label):
        hits, sizes = attacks.group_hits(guessed, group, 2)
        values.append((hits / sizes).mean())
        ends.append(bounds.accuracy_interval(hits, sizes))
    half = np.hypot(ends[0][1] - ends[0][0], ends[1][1] - ends[1][0]) / 2
    told = (about["dataset"], about["method"], "as_published", 0, about["attribute"], ATTACK, FOREST)
    row, short = (*told, values[0], *ends[0], NEWCOMBE, len(group)), values[1] - values[0]
    compared = {"study": "leakage", "dataset": about["dataset"], "protocol": "as_published", "seed": 0, "split": "test"}
    compared |= {"attribute": about["attribute"], "subgroup": "all", "metric": ATTACK, "condition": LABEL}
    compared |= {"first": about["method"], "second": about["method"], "second_condition": FOREST, "paired_by": "none"}
    compared |= {"value": short, "ci_low": short - half, "ci_high": short + half, "interval": JOINED}
    return row, compared | {"n": len(group), "seeds": 1, "run": "", "second_run": ""}


def forest_on_law() -> tuple[tuple, dict]:
    """Return the same for the law "shift", whose label is the score above the middle of both means."""
    random = np.random.default_rng(seed_from("leakage", "forest law"))
    groups = np.arange(FOREST_ROWS + JUDGED_ON) % 2
    scores = random.normal(KNOWN_LAWS["shift"][0] * groups)
    halves = Halves("", np.arange(FOREST_ROWS), np.arange(FOREST_ROWS, len(scores)))
    labels = (scores > KNOWN_LAWS["shift"][0] / 2).astype(np.int64)
    about = {"dataset": "simulated scores", "method": "shift", "attribute": SIMULATED}
    return forest_rows(scores, labels, groups, halves, about)


def forest_on_run(run: pd.DataFrame, halves: Halves, attribute: str, dataset: str) -> tuple[tuple, dict]:
    """Return the same for a run of a predictions file."""
    scores, labels, groups = (run[name].to_numpy() for name in ("score", "y_pred", attribute))
    about = {"dataset": dataset, "method": f"{attribute}.logistic", "attribute": attribute}
    return forest_rows(scores.astype(float), labels.astype(int), groups.astype(int), halves, about)


def data_gap_rows(run: pd.DataFrame, attribute: str, dataset: str) -> list[tuple]:
    """Return the gap of the labels themselves, and what the package's wrong expression makes of it."""
    zero = [1 - run.loc[run[attribute] == g, "y_true"].mean() for g in (0, 1)]
    one_of_1 = 1 - zero[1]
    gaps = {"corrected": abs(zero[0] - zero[1]), "as_published": abs(zero[0] - one_of_1)}
    none = (np.nan, np.nan, None, len(run))
    return [
        (dataset, f"{attribute}.data", protocol, 0, attribute, "prevalence_difference", "", gap, *none)
        for protocol, gap in gaps.items()
    ]


def check_all(paths: list[str], settings: dict, audit_seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all checks as rows of `COLUMNS`, and of the published attack also as rows of COMPARISONS.

    Args:
        paths: the study's own predictions files.
        settings: laws, coverage, permutations.

    Raises:
        UserError: none of the files holds a logistic model of COMPAS and race, on which two checks rest.
    """
    rows = power_rows(settings["laws"]) + coverage_rows(settings["coverage"])
    found = logistic_run(paths, "race", "compas", audit_seed)
    if found is None:
        raise UserError(
            "leakage.models: no batch has the logistic model of compas and race, on which checks rest; add it"
        )
    dataset = table_of("compas").title
    rows.append(null_row(*found, "race", settings["permutations"], dataset))
    forests = [forest_on_law(), forest_on_run(*found, "race", dataset)]
    gaps = []
    for table, attribute in (("adult", "sex"), ("adult", "race"), ("compas", "sex")):
        other = logistic_run(paths, attribute, table, audit_seed)
        if other is None:
            continue
        if attribute == "sex" and table == "adult":
            forests.append(forest_on_run(*other, attribute, table_of(table).title))
        gaps += data_gap_rows(other[0], attribute, table_of(table).title)
    rows += [row for row, _ in forests] + gaps
    return pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame([compared for _, compared in forests])


if "snakemake" in globals():
    with job(snakemake):
        params = snakemake.params
        paths = [str(Path(path)) for path in snakemake.input.predictions]
        checks, compared = check_all(paths, params.settings, params.seed)
        log.info("%d checks", len(checks))
        parquet.write(checks, snakemake.output.checks)
        parquet.write(compared, snakemake.output.comparisons, COMPARISONS)
