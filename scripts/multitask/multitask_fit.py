"""Rule `multitask_fit`: all fits of a job, as predictions of the test rows and records of the trainings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from scripts.common import parquet
from scripts.common.files import atomic_path
from scripts.common.logs import job, log, progress
from scripts.common.schemas.predictions import write_predictions
from scripts.common.seeds import shuffled
from scripts.multitask.alignment import alignment
from scripts.multitask.batch import Batch
from scripts.multitask.frames import filled
from scripts.multitask.methods import CONFLICTS_OF, Method
from scripts.multitask.people import People, read
from scripts.multitask.training import Fit, Problem, Settings

UNLIKE_ROWS = 0.2  # of the training rows: about one state of 27, in which more people live than in the others


def run_name(dataset: str, method: str, seed: int) -> str:
    """Return the name of a run."""
    return f"{dataset}.{method}.seed{seed}"


def with_group(people: People) -> People:
    """Return the people with the sensitive group as features: a published fault."""
    shown = people.groups[:, None] == np.arange(1, len(people.group_names))
    names = tuple(f"{people.attribute}={name}" for name in people.group_names[1:])
    features = np.column_stack([people.features, shown]).astype(np.float32)
    return replace(people, features=features, feature_names=(*people.feature_names, *names))


def problem_of(people: People, method: Method, settings: Settings, dataset: str, seed: int) -> Problem:
    """Return what a method is trained on; two published faults change it.

    With `unlike_stl` single-task networks see a fifth of the training rows, five times as often (the published ones see
    one state of 27).
    """
    if "protected_feature" in method.faults:
        people = with_group(people)
    if "unlike_stl" in method.faults:
        train = people.rows("train")
        kept = train[shuffled(len(train), "multitask", dataset, "unlike")[: round(UNLIKE_ROWS * len(train))]]
        rows = np.sort(np.concatenate([kept, people.rows("valid"), people.rows("test")]))
        people, settings = people.take(rows), replace(settings, epochs=round(settings.epochs / UNLIKE_ROWS))
    return Problem(people, settings, dataset, seed)


def sample_of(problem: Problem, rows: int) -> Batch | None:
    """Return the training rows on which conflicts are counted; none for 0."""
    order = shuffled(len(problem.train), "multitask", problem.dataset, "sample")[:rows]
    return problem.train.take(torch.from_numpy(np.sort(order))) if rows else None


def predictions_of(fit: Fit, people: People, run: str) -> pd.DataFrame:
    """Return the predictions of the test rows, a row per person and task (schema PREDICTIONS with task and group)."""
    test = people.take(people.rows("test"))
    log_odds = fit.log_odds(Batch.of(test))
    frames = [
        pd.DataFrame(
            {
                "run": run,
                "row_id": test.row_ids,
                "split": "test",
                "y_true": test.labels[:, place],
                "y_pred": (log_odds[:, place] > 0).astype(np.int8),
                "score": log_odds[:, place],
                "task": task,
                people.attribute: test.groups,
            }
        )
        for place, task in enumerate(people.tasks)
    ]
    return pd.concat(frames, ignore_index=True)


def fit_all(
    people: People,
    dataset: str,
    methods: Mapping[str, Method],
    seeds: Mapping[str, Sequence[int]],
    settings: Settings,
    sample_rows: int,
) -> dict[str, pd.DataFrame]:
    """Return predictions, runs, curves, branchings, alignments and seconds of some methods, each with its seeds."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for seed in progress([*dict.fromkeys(chain.from_iterable(seeds.values()))], f"{dataset}: seeds"):
        fits: dict[str, Fit] = {}
        for name in (name for name in methods if seed in seeds[name]):
            method = methods[name]
            run = run_name(dataset, name, seed)
            problem = problem_of(people, method, settings, dataset, seed)
            counted = name in CONFLICTS_OF or method.options.get("select_by_conflicts")
            sample = sample_of(problem, sample_rows) if counted else None
            handed = {"learned": fits[method.after]} if method.after else {}
            fit = fits[name] = method.load()(problem, sample, **method.options, **handed)
            about = {
                "run": run,
                "method": name,
                "seed": seed,
                "parameters": fit.network.size(),
                "steps": fit.steps,
                "passes": fit.passes,
                "best_epoch": fit.best_epoch,
            }
            found = {
                "predictions": predictions_of(fit, problem.people, run),
                "runs": pd.DataFrame([about]),
                "curves": curve_rows(fit, run),
                "branchings": branching_rows(fit, problem.people.tasks, run),
                "seconds": pd.DataFrame([{"run": run, "seconds": fit.seconds}]),
            }
            if name in ("vanilla", "fixed_1") and sample is not None:
                found["alignments"] = pd.DataFrame(alignment(fit.network, sample, people.tasks)).assign(run=run)
            for kind, frame in found.items():
                parts.setdefault(kind, []).append(frame)
            log.info("%s: %.1f s, best epoch %d", run, fit.seconds, fit.best_epoch)
    return {kind: pd.concat(filled(frames), ignore_index=True) for kind, frames in parts.items()}


def curve_rows(fit: Fit, run: str) -> pd.DataFrame:
    """Return the records of a training: run, epoch, quantity, value; layer, kind, task, other where they have one."""
    columns = ["run", "epoch", "quantity", "value", "layer", "kind", "task", "other"]
    frame = pd.DataFrame(fit.curve).assign(run=run).reindex(columns=columns)
    texts = dict.fromkeys(("kind", "task", "other"), pd.StringDtype())
    return frame.astype({"epoch": int, "value": float, "layer": "Int64", **texts})


def branching_rows(fit: Fit, tasks: Sequence[str], run: str) -> pd.DataFrame:
    """Return a row per branch that a branching made: run, epoch, layer, branch, tasks, similarity of what merged.

    The similarity is that of the pair, NaN for a group that stays single.
    """
    rows = []
    for branching in fit.branchings:
        places = {tuple(group): place for place, group in enumerate(map(tuple, branching["of"]))}
        for branch, group in enumerate(branching["groups"]):
            merged = [place for own, place in places.items() if set(own) <= set(group)]
            value = branching["similarity"][merged[0], merged[1]] if len(merged) == 2 else np.nan
            rows.append(
                {
                    "run": run,
                    "epoch": branching["epoch"],
                    "layer": branching["layer"],
                    "branch": branch,
                    "tasks": "; ".join(tasks[task] for task in group),
                    "similarity": value,
                }
            )
    return pd.DataFrame(rows, columns=["run", "epoch", "layer", "branch", "tasks", "similarity"])


def fit_job(path: str | Path, settings: Mapping[str, Any], output: Mapping[str, str]) -> None:
    """Write the results of a job.

    Args:
        path: of the people.
        settings: dataset, methods, seeds, training, sample_rows (`Plan.settings`).
        output: paths by kind; that of the CPU seconds of every run is JSON, all others are Parquet.
    """
    torch.set_num_threads(1)
    people = read(path)
    methods = {name: Method(**entry) for name, entry in settings["methods"].items()}
    training = Settings.of(settings["training"])
    found = fit_all(people, settings["dataset"], methods, settings["seeds"], training, settings["sample_rows"])
    if "alignments" not in found:
        columns = ["first", "second", "cka", "cosine_accuracy", "cosine_fairness", "run"]
        found["alignments"] = pd.DataFrame(columns=columns)
    predictions = found.pop("predictions").astype({"run": "category", people.attribute: np.int8})
    seconds = found.pop("seconds").set_index("run")["seconds"].round(3).to_dict()
    with atomic_path(output["seconds"]) as temporary:  # no Parquet, whose bytes are the same in every run
        temporary.write_text(json.dumps(seconds, indent=1), encoding="utf-8")
    write_predictions(predictions, output["predictions"], {people.attribute: people.group_names})
    for kind, frame in found.items():
        parquet.write(frame.assign(dataset=settings["dataset"]), output[kind])


if "snakemake" in globals():
    with job(snakemake):
        fit_job(snakemake.input.people, snakemake.params.settings, dict(snakemake.output.items()))
