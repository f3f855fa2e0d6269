"""The explorer: a page on which a reader chooses data and two methods, and sees every task and who shares with whom.

All numbers and sentences are computed here, but differences of two chosen methods, which the page takes by seed.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.common import html
from scripts.common.points import points
from scripts.multitask.labels import (
    ALL,
    CORRECTED,
    FAIRBRANCH,
    LIKE,
    MAJORITY,
    METRICS,
    ODDS,
    PUBLISHED,
    SELECTED,
    at,
    compared,
    data_note,
    dataset_title,
    datasets,
    fault_title,
    in_order,
    method_title,
    signed,
    task_title,
)
from scripts.multitask.methods import FAULTS, METHODS, NEEDS_CLUSTERS, STL

SHOWN = ("accuracy", ODDS, SELECTED)
PAGES = Path(__file__).parent / "html"
NEAR = 0.01  # of the majority's accuracy


def fit_title(fit: str) -> str:
    """Return the words for a fit: a method, or one with published faults."""
    entry = METHODS.get(fit)
    if entry is None or entry.family != FAULTS:
        return method_title(fit)
    fault = ALL if fit.endswith(PUBLISHED) else entry.faults[0]
    return f"{method_title(entry.of or fit)}: {fault_title(fault)}"


def _number(value: float | None) -> float | None:
    """Return a number for JSON, rounded to what the page shows; None where it is undefined."""
    return None if value is None or not math.isfinite(value) else round(float(value), 5)


def fit_values(metrics: pd.DataFrame, tasks: list[str]) -> dict[str, tuple[list[int], list]]:
    """Return by fit its seeds and its values [metric][task][seed] of one dataset, None where undefined."""
    rows = metrics[metrics["metric"].isin(SHOWN) & (metrics["subgroup"] == "all") & metrics["task"].isin(tasks)]
    rows = rows[(rows["condition"] == "") & (rows["fit"] != MAJORITY)]
    rows = rows.drop_duplicates(
        ["fit", "seed", "task", "metric"]
    )  # a fit stands under each protocol that it belongs to
    found = {}
    for fit, own in rows.groupby("fit", sort=False):
        seeds = sorted(own["seed"].unique().tolist())
        wide = own.pivot_table(index=["metric", "task"], columns="seed", values="value").reindex(columns=seeds)
        every = pd.MultiIndex.from_product([SHOWN, tasks])
        wide = wide.reindex(every)
        values = [[[_number(value) for value in wide.loc[(metric, task)]] for task in tasks] for metric in SHOWN]
        found[str(fit)] = (seeds, values)
    return found


def sharing(fit: str, branchings: pd.DataFrame, curves: pd.DataFrame, runs: pd.DataFrame) -> dict:
    """Return who shares weights with whom in the kept network of a fit's first seed: words, and groups by layer."""
    entry = METHODS.get(fit)
    if entry is not None and entry.options.get("separate"):
        return {"says": "Every task has a network of its own.", "layers": []}
    if fit in NEEDS_CLUSTERS:
        return {"says": "Tasks of a known cluster share a branch from the second layer on.", "layers": []}
    mine = runs[runs["method"] == fit].sort_values("seed").head(1)
    kept, seed = (int(mine["best_epoch"].iloc[0]), int(mine["seed"].iloc[0])) if len(mine) else (0, 0)
    own = branchings[(branchings["method"] == fit) & (branchings["seed"] == seed) & (branchings["epoch"] <= kept)]
    if len(own):
        layers = []
        for layer, rows in own.groupby("layer"):
            groups = [[task_title(task) for task in names.split("; ")] for names in rows["tasks"]]
            layers.append({"layer": int(layer), "groups": groups})
        whole = (own["epoch"] == 0).all()
        text = "Each group of tasks has a network" if whole else "Tasks of a branch share its weights"
        text += "" if whole else "; layers that are not listed are shared by all"
        return {"says": f"{text} (seed {seed}).", "layers": layers[::-1]}
    rows = curves[(curves["method"] == fit) & (curves["quantity"] == "task_specific")]
    if len(rows):
        rows = rows[rows["seed"] == rows["seed"].min()]
        names = [f"{layer:g}" for layer in rows[rows["value"] > 0]["layer"]]
        text = f"A copy per task of layer {' and '.join(names)}" if names else "No layer is copied"
        return {"says": f"{text}; all other layers are shared (seed {int(rows['seed'].iloc[0])}).", "layers": []}
    return {"says": "All tasks share one network; each has a head.", "layers": []}


def sentence(fit: str, values: list, constant: dict[str, float], like: pd.DataFrame) -> str:
    """Return what a fit does in plain words: accuracy beside the majority class, bias, gains against like networks.

    Args:
        values: as `fit_values` returns them.
        constant: accuracy of the majority class by task, in the order of the tasks.
        like: differences to single-task networks trained alike, of all methods of the dataset.
    """
    means = [[_mean(seeds) for seeds in tasks] for tasks in values]
    accuracy, odds, selected = (_mean(tasks) for tasks in means)
    majority = _mean(list(constant.values()))
    text = f"{fit_title(fit)}: accuracy {_text(accuracy)} % (majority class {_text(majority)} %), equalized odds "
    text += f"{_text(odds)} points, {_text(selected)} % get label 1. "
    both = [(mean, known) for mean, known in zip(means[0], constant.values(), strict=True) if mean is not None]
    near = sum(mean < known + NEAR for mean, known in both)
    text += f"Within a point of the majority class: {near} of {len(both)} tasks."
    own = like[like["first"] == fit].set_index("metric")
    if fit in METHODS and {"accuracy", ODDS} <= set(own.index):
        parts = []
        for metric, words in (("accuracy", "of accuracy"), (ODDS, "of bias")):
            row = own.loc[metric]
            ends = f" ({signed(row['ci_low'])} to {signed(row['ci_high'])})" if row["ci_low"] == row["ci_low"] else ""
            parts.append(f"{signed(row['value'])} points {words}{ends}")
        text += f" Against {method_title(own['second'].iloc[0])}, trained with the same losses: {', '.join(parts)}."
    return text


def _mean(values: list) -> float | None:
    """Return the mean of the numbers that are defined, None if none is."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return sum(known) / len(known) if known else None


def _text(value: float | None) -> str:
    return "–" if value is None else points(value)


def place_content(frames: Mapping[str, pd.DataFrame], source: str) -> dict | None:
    """Return what the page holds of one dataset; None without fits."""
    metrics, facts = at(frames["metrics"], source), at(frames["facts"], source)
    tasks = list(facts["task"])
    found = fit_values(metrics, tasks)
    if not found or facts.empty:
        return None
    constant = metrics[(metrics["method"] == MAJORITY) & metrics["task"].isin(tasks)]
    constant = constant[constant["subgroup"] == "all"].drop_duplicates(["task", "metric"])
    rates = constant.set_index(["metric", "task"])["value"]
    known = {task: float(rates.get(("accuracy", task), float("nan"))) for task in tasks}
    like = compared(at(frames["comparisons"], source), ["accuracy", ODDS], LIKE, CORRECTED)
    whole = [name for name in found if name not in METHODS or METHODS[name].family != FAULTS]
    fits = []
    for fit in [*in_order(whole), *(name for name in found if name not in whole)]:
        seeds, values = found[fit]
        entry = METHODS.get(fit)
        against = STL[entry.losses] if entry else ""
        against = "" if against == fit else against
        if entry and entry.family == FAULTS and entry.of in found:
            against = entry.of
        fits.append(
            {
                "key": fit,
                "name": fit_title(fit),
                "seeds": seeds,
                "values": values,
                "against": against if against in found else "",
                "says": sentence(fit, values, known, like),
                "shares": sharing(fit, *(at(frames[kind], source) for kind in ("branchings", "curves", "runs"))),
            }
        )
    return {
        "name": dataset_title(facts, source),
        "about": data_note(facts, [source], pd.DataFrame()),
        "tasks": [task_title(task) for task in tasks],
        "majority": [_number(known[task]) for task in tasks],
        "rates": [_number(rates.get(("prevalence", task))) for task in tasks],
        "groups": list(facts["positives_by_group"]),
        "fits": fits,
    }


def content(frames: Mapping[str, pd.DataFrame]) -> dict:
    """Return what the page holds: every dataset with its tasks and fits, and the titles of the measures."""
    held = [place_content(frames, source) for source in datasets(frames["facts"])]
    return {
        "places": [place for place in held if place],
        "metrics": [{"name": METRICS[metric], "lower": metric == ODDS} for metric in SHOWN],
        "first": FAIRBRANCH,
    }


def write_explorer(frames: Mapping[str, pd.DataFrame], path: str | Path) -> None:
    """Write the page, whole or not at all; it needs no network."""
    html.write_explorer(PAGES, "What sharing a network does to every task", content(frames), path)
