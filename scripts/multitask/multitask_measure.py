"""Rule `multitask_measure`: metrics of every run and task, gains against single-task networks, records of trainings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.conditions import condition
from scripts.common.interval_kinds import TASKS_AND_SEEDS
from scripts.common.intervals import MEASURED
from scripts.common.logs import job, log
from scripts.common.metrics import joint_table
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS, NO_ATTRIBUTE
from scripts.common.schemas.predictions import groups_of
from scripts.multitask.frames import filled
from scripts.multitask.measures import MEAN, constant, mean_over_tasks, rows_of
from scripts.multitask.methods import FAIR, FAULTS, METHODS, STL
from scripts.multitask.people import People, read
from scripts.multitask.plan import CORRECTED, PUBLISHED
from scripts.multitask.transfer import COLUMNS, Numbers, crossed_interval, differences

STUDY = "multitask"
MAJORITY = "majority"  # the classifier that gives everyone the more frequent label of the test rows
UNLIKE = "stl_as_published"
BRANCHED = "fairbranch"
# Further questions: does the learned teacher beat the random one, FBGrad in branches that in all layers, and so on.
PAIRS = (
    ("l2t_fmt", "greedy_fmt"),
    ("l2t_fmt", "teacher_random"),
    ("l2t_fmt", "teacher_swapped"),
    ("l2t_fmt", "always_accuracy"),
    ("l2t_fmt", "always_fairness"),
    ("fixed_1", "class_balanced"),
    ("stl_fair", "stl"),
)


def metrics_of(path: str | Path, runs: pd.DataFrame, people: People) -> pd.DataFrame:
    """Return the numbers of all runs of a predictions file, by run and task, with means over tasks."""
    attribute, names = people.attribute, groups_of(path)[people.attribute]
    predictions = parquet.read(path, columns=["run", "task", "y_true", "y_pred", attribute])
    (run, runs_seen), (task, tasks) = (pd.factorize(predictions[name]) for name in ("run", "task"))
    codes = {name: predictions[name].to_numpy() for name in (attribute, "y_true", "y_pred")}
    tables = joint_table({"run": run, "task": task} | codes, [len(runs_seen), len(tasks), len(names), 2, 2])
    rows = [
        (str(own), name, *row)
        for own, by_task in zip(runs_seen, tables, strict=True)
        for name, table in zip(tasks, by_task, strict=True)
        for row in rows_of(table, names, attribute)
    ]
    found = pd.DataFrame(rows, columns=["run", "task", *MEASURED]).assign(tasks=1, undefined=0)
    found = pd.concat([found, mean_over_tasks(found)], ignore_index=True)
    return found.merge(runs[["run", "method", "seed"]], on="run", how="left", validate="many_to_one")


def majority_metrics(people: People) -> pd.DataFrame:
    """Return the numbers of the majority classifier of each task."""
    test = people.take(people.rows("test"))
    frames = [
        constant(test.labels[:, place], test.groups, people.group_names, people.attribute).assign(task=task)
        for place, task in enumerate(people.tasks)
    ]
    found = pd.concat(frames, ignore_index=True).assign(run=MAJORITY, tasks=1, undefined=0)
    found = pd.concat([found, mean_over_tasks(found)], ignore_index=True)
    return found.assign(method=MAJORITY, seed=0)


def by_protocol(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers under each protocol that they belong to, with the published faults that are on.

    Corrected is every fit without a fault. As published are the fits with faults, under the name of their method, and
    those of methods without known faults; `variant` names one fault, or "all".
    """
    faulty = metrics["method"].isin([name for name, method in METHODS.items() if method.family == FAULTS])
    metrics = metrics.assign(fit=metrics["method"])
    corrected = metrics[~faulty].assign(protocol=CORRECTED, variant="")
    published = metrics[faulty].assign(protocol=PUBLISHED)
    published["variant"] = published["fit"].map(variant_of)
    published["method"] = published["fit"].map(lambda name: METHODS[name].of or name)
    replaced = set(published.loc[published["variant"] == "all", "method"])
    rest = corrected[~corrected["method"].isin(replaced)].assign(protocol=PUBLISHED)
    return pd.concat([corrected, published, rest], ignore_index=True)


def compared(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return all paired differences of a dataset, `reference` saying what the second side is to the first.

    - "like for like": to the single-task networks trained with the same losses, rows and features (corrected);
    - "published": to single-task networks trained on L + F and a fifth of the rows (as published), or all (corrected);
    - "without faults": a fit with one published fault, or all, to the corrected fit of its method;
    - "method": pairs of methods.
    """
    numbers = Numbers.of(metrics)
    fits = [name for name in numbers.fits if name in METHODS]
    replaced = {METHODS[name].of for name in fits if variant_of(name) == "all"}
    pairs = []
    for name in fits:
        method = METHODS[name]
        reference = STL[method.losses]
        if method.family == FAULTS:
            whole = variant_of(name) == "all" and name != UNLIKE
            pairs += [(name, UNLIKE, "published", PUBLISHED)] if whole else []
            pairs += [(name, method.of, "without faults", None)]
            continue
        pairs += [(name, reference, "like for like", CORRECTED)] if name != reference else []
        pairs += [(name, STL[FAIR], "published", CORRECTED)] if name != STL[FAIR] else []
        pairs += [(name, UNLIKE, "published", PUBLISHED)] if name not in replaced else []
        pairs += [(name, method.of, "method", CORRECTED)] if method.of and method.of != name else []
        pairs += [(BRANCHED, name, "method", CORRECTED)] if name != BRANCHED and method.of is None else []
    pairs += [(*pair, "method", CORRECTED) for pair in PAIRS]
    found = []
    for first, second, reference, protocol in dict.fromkeys(pairs):
        if {first, second} <= set(fits):
            variant, method = variant_of(first), METHODS[first].of if variant_of(first) else first
            named = {"reference": reference, "protocol": protocol, "variant": variant, "first": method or first}
            found.append(differences(numbers, first, second).assign(**named))
    columns = [*COLUMNS, "reference", "protocol", "variant"]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def variant_of(name: str) -> str:
    """Return the published fault that a fit has switched on, "all" for all of its method, or ""."""
    if METHODS[name].family != FAULTS:
        return ""
    return "all" if name.endswith(PUBLISHED) else METHODS[name].faults[0]


def summary_of(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over tasks and seeds of every method with its interval, and how many numbers are undefined."""
    single = metrics[(metrics["task"] != MEAN) & (metrics["subgroup"] == "all")]
    keys = ["protocol", "variant", "method", "attribute", "metric"]
    values, fewest = single["value"].to_numpy(float), single["n"].to_numpy()
    rows = []
    for key, own in single.groupby(keys, sort=False).indices.items():
        (seed, seeds), (task, tasks) = (pd.factorize(single[name].to_numpy()[own]) for name in ("seed", "task"))
        matrix = np.full((len(seeds), len(tasks)), np.nan)
        matrix[seed, task] = values[own]
        missing = np.isnan(matrix)
        value = np.nan if missing.all() else float(np.nanmean(matrix))
        low, high = crossed_interval(matrix)
        kind = TASKS_AND_SEEDS if low == low else None
        rows.append((*key, value, low, high, kind, int(missing.sum()), len(matrix), int(fewest[own].min())))
    return pd.DataFrame(rows, columns=[*keys, "value", "ci_low", "ci_high", "interval", "undefined", "seeds", "n"])


def recorded_metrics(runs: pd.DataFrame, curves: pd.DataFrame, alignments: pd.DataFrame) -> pd.DataFrame:
    """Return what trainings recorded as metrics of runs: parameters relative to STL, conflicts of the last epoch."""
    rows = []
    separate = {
        seed: size
        for method, seed, size in zip(runs["method"], runs["seed"], runs["parameters"], strict=True)
        if method == "stl"
    }
    for row in runs.itertuples():
        if row.seed in separate:
            rows.append((row.run, "parameter_fraction", "", row.parameters / separate[row.seed], 1))
    last = curves[curves["quantity"].isin(["pairs", "conflicts"])]
    last = last[last["epoch"] == last.groupby("run")["epoch"].transform("max")]
    for (run, kind), own in last.groupby(["run", "kind"], sort=False):
        sums = own.groupby("quantity")["value"].sum()
        if sums.get("pairs", 0) > 0:
            value = sums["conflicts"] / sums["pairs"]
            rows.append((run, "gradient_conflict_fraction", condition(losses=kind), value, int(sums["pairs"])))
    for run, own in alignments.groupby("run", sort=False):
        for losses in ("accuracy", "fairness"):
            known = own.dropna(subset=["cka", f"cosine_{losses}"])
            if len(known) > 2:
                value = float(known["cka"].rank().corr(known[f"cosine_{losses}"].rank()))
                rows.append((run, "similarity_rank_correlation", condition(losses=losses), value, len(known)))
    return pd.DataFrame(rows, columns=["run", "metric", "condition", "value", "n"])


def facts_of(people: People) -> pd.DataFrame:
    """Return a row per task: rows of each split, positives, and the fewest test rows of a label and group."""
    sizes = [len(people.rows(split)) for split in ("train", "valid", "test")]
    test, rows = people.take(people.rows("test")), []
    for place, task in enumerate(people.tasks):
        y = people.labels[:, place]
        rates = [float(y[people.groups == code].mean()) for code in range(len(people.group_names))]
        counts = np.bincount(2 * test.groups.astype(int) + test.labels[:, place], minlength=2 * len(people.group_names))
        by_group = "; ".join(f"{name} {rate:.3f}" for name, rate in zip(people.group_names, rates, strict=True))
        rows.append((task, *sizes, float(y.mean()), by_group, int(counts.min())))
    names = ["task", "train_rows", "valid_rows", "test_rows", "positives", "positives_by_group", "fewest_test_rows"]
    about = {"title": people.title, "attribute": people.attribute, "groups": "; ".join(people.group_names)}
    return pd.DataFrame(rows, columns=names).assign(**about, features=len(people.feature_names))


def measure_dataset(path: str | Path, parts: Sequence[Mapping[str, str]], dataset: str) -> dict[str, pd.DataFrame]:
    """Return all released frames of one dataset.

    Args:
        path: of the people.
        parts: the output paths of its jobs by kind.
    """
    people = read(path)
    runs, curves, branchings, alignments = (
        pd.concat(filled([parquet.read(part[kind]) for part in parts]), ignore_index=True)
        for kind in ("runs", "curves", "branchings", "alignments")
    )
    found = [metrics_of(part["predictions"], runs, people) for part in parts]
    metrics = by_protocol(pd.concat([*found, majority_metrics(people)], ignore_index=True))
    more = recorded_metrics(runs, curves, alignments).merge(runs[["run", "method", "seed"]], on="run")
    more = by_protocol(more).assign(task=MEAN, attribute=NO_ATTRIBUTE, subgroup="all")
    about = {"study": STUDY, "dataset": people.title, "source": dataset}
    comparisons = compared(metrics).assign(split="test", subgroup="all", condition="", seed=None)
    gaps = comparisons["metric"].isin(["accuracy", "balanced_accuracy"])
    comparisons = comparisons.assign(paired_by="seeds", n=len(people.rows("test")))
    comparisons["attribute"] = np.where(gaps, NO_ATTRIBUTE, people.attribute)
    everything = pd.concat([metrics.assign(condition=""), more], ignore_index=True).assign(split="test")
    tables = {
        "metrics": everything,
        "comparisons": comparisons,
        "summary": summary_of(metrics),
        "curves": curves.merge(runs[["run", "method", "seed"]], on="run"),
        "branchings": branchings.merge(runs[["run", "method", "seed"]], on="run"),
        "alignments": alignments.merge(runs[["run", "method", "seed"]], on="run"),
        "runs": runs,
        "facts": facts_of(people),
    }
    return {name: frame.assign(**about) for name, frame in tables.items()}


def measure_all(
    people: Mapping[str, str], parts: Mapping[str, Sequence[Mapping[str, str]]], output: Mapping[str, str]
) -> None:
    """Write the released frames of all datasets.

    Args:
        people: path by dataset.
        parts: by dataset the output paths of its jobs by kind.
    """
    found = [measure_dataset(path, parts[name], name) for name, path in people.items()]
    schemas = {"metrics": METRICS, "comparisons": COMPARISONS}
    for name, path in output.items():
        frame = pd.concat([own[name] for own in found], ignore_index=True)
        if name not in schemas:
            frame = frame.drop(columns="study")
        if name == "comparisons":
            frame = frame.astype({"seed": "Int64"})
        parquet.write(frame, path, schemas.get(name))
    log.info("%d runs", sum(own["metrics"]["run"].nunique() for own in found))


if "snakemake" in globals():
    with job(snakemake):
        files, chosen = snakemake.input, snakemake.params
        kinds = ("predictions", "runs", "curves", "branchings", "alignments")
        jobs = [dict(zip(kinds, paths, strict=True)) for paths in zip(*(files[kind] for kind in kinds), strict=True)]
        measure_all(
            dict(zip(chosen.datasets, files.people, strict=True)),
            {
                name: [part for part, own in zip(jobs, chosen.jobs, strict=True) if own == name]
                for name in chosen.datasets
            },
            dict(snakemake.output.items()),
        )
