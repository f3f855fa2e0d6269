"""Released frames of small people, made by the study's own fits and measurement."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import pandas as pd

from scripts.common import parquet
from scripts.multitask import people as files
from scripts.multitask.methods import METHODS
from scripts.multitask.multitask_fit import fit_job
from scripts.multitask.multitask_measure import measure_all
from tests.multitask.small import people

KINDS = ("predictions", "runs", "curves", "branchings", "alignments", "seconds")
RELEASED = ("metrics", "comparisons", "summary", "curves", "branchings", "alignments", "runs", "facts")
ADULT, MANY = "AdultCensus", "many tasks"
SHARED = ("stl", "stl_fair", "vanilla", "fixed_03", "fixed_1", "pcgrad", "recon", "tag", "wb_fair", "l2t_fmt",
          "teacher_random", "fairbranch", "fairbranch_no_projection")  # fmt: skip
FAULTY = ("fairbranch_protected_feature", "fairbranch_second_nearest", "fairbranch_as_published",
          "l2t_fmt_frozen_trunk", "l2t_fmt_as_published", "vanilla_as_published", "stl_as_published")  # fmt: skip
TAUS = ("fairbranch_tau_5", "fairbranch_tau_9")
DATASETS = {  # name: people, methods, seeds; faults and ablations have the first seed alone
    "adult": ({"rows": 240, "tasks": 4, "seed": 1}, (*SHARED, *FAULTY, *TAUS), (1, 2)),
    "many": ({"rows": 240, "tasks": 13, "seed": 2}, ("stl", "stl_fair", "vanilla", "fairbranch"), (1,)),
}


@cache
def frames() -> dict[str, pd.DataFrame]:
    """Return all released frames; tests do not change them."""
    with tempfile.TemporaryDirectory() as name:
        folder, sources, parts = Path(name), {}, {}
        for dataset, (about, methods, seeds) in DATASETS.items():
            title = f"{ADULT if dataset == 'adult' else MANY}, 120 training rows"
            files.write(replace(people(**about), title=title), folder / dataset)
            sources[dataset], parts[dataset] = str(folder / dataset), []
            few = [method for method in methods if method in (*FAULTY, *TAUS)]
            jobs = {"all": ([method for method in methods if method not in few], seeds), "few": (few, seeds[:1])}
            for job, (chosen, own) in jobs.items():
                if chosen:
                    paths = {kind: str(folder / f"{dataset}.{job}.{kind}") for kind in KINDS}
                    fit_job(sources[dataset], settings(dataset, chosen, own), paths)
                    parts[dataset].append(paths)
        paths = {kind: str(folder / f"{kind}.parquet") for kind in RELEASED}
        measure_all(sources, parts, paths)
        return {kind: parquet.read(path) for kind, path in paths.items()}


def settings(dataset: str, methods: list[str], seeds: tuple[int, ...]) -> dict:
    """Return the settings of a job of small fits that branch after every epoch."""
    chosen = {name: asdict(METHODS[name]) for name in methods}
    for entry in chosen.values():
        if entry["function"].startswith("branching"):
            entry["options"] = {**entry["options"], "branch_every": 1}
        if entry["function"].startswith(("l2t", "random")):
            entry["options"] = {**entry["options"], "teacher_widths": (8, 8)}
    training = {"widths": [8, 8, 8], "epochs": 3, "batch_size": 64}
    about = {"seeds": {name: list(seeds) for name in methods}, "training": training, "sample_rows": 60}
    return {"dataset": dataset, "methods": chosen, **about}


def only(held: Mapping[str, pd.DataFrame], *, source: str | None = None, methods: tuple[str, ...] = ()) -> dict:
    """Return frames of one dataset, or without some methods (fits and comparisons with them included)."""
    kept = {}
    for name, frame in held.items():
        rows = frame if source is None else frame[frame["source"] == source]
        for column in {"method", "first", "second", "fit"} & set(rows.columns) if name != "alignments" else {"method"}:
            rows = rows[~rows[column].isin(methods)]
        kept[name] = rows
    return kept
