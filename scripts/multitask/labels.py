"""Titles, colours and selections that figures, tables and the explorer share; imports no matplotlib."""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from scripts.common import colours
from scripts.common.interval_kinds import in_words
from scripts.common.points import points
from scripts.multitask.methods import ACCURACY, FAULTS, METHODS, PLAIN, TEACHING

PUBLISHED_NUMBERS = Path(__file__).with_name("published.yaml")
CORRECTED, PUBLISHED = "corrected", "as_published"
LIKE, UNLIKE, WITHOUT, BETWEEN = "like for like", "published", "without faults", "method"  # of comparisons: reference
MEAN, ALL, MAJORITY = "mean", "all", "majority"  # task; variant with all faults; method
FAIRBRANCH, TEACHER, STL, STL_FAIR = "fairbranch", "l2t_fmt", "stl", "stl_fair"
ODDS, OPPORTUNITY, SELECTED = "equalized_odds_sum", "equal_opportunity_difference", "selection_rate"
METRICS = {  # metric: title
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    OPPORTUNITY: "equal opportunity difference",
    ODDS: "equalized odds, sum",
    "equalized_odds_difference": "equalized odds, max",
    "demographic_parity_difference": "demographic parity difference",
    SELECTED: "selection rate",
}
FAULT_TITLES = {
    ALL: "all faults at once",
    "second_nearest": "second nearest tasks merged",
    "mean_threshold": "tau is the mean similarity",
    "sibling_projection": "FBGrad between siblings",
    "late_fairness": "fairness loss late and one step behind",
    "fresh_normalisation": "untrained BatchNorm after branching",
    "conflict_selection": "epoch chosen by conflicts",
    "protected_feature": "sensitive attribute is a feature",
    "identical_heads": "all heads start alike",
    "frozen_trunk": "trunk never trained",
    "aliased_gradients": "gradients of the teacher aliased",
    "star_as_eo": "best fairness starts as EO",
    "batch_evaluation": "evaluated with batch statistics",
    "unlike_stl": "STL sees a fifth of the rows",
}
KINDS = {  # kind of a method: its title and colour
    "single": ("single-task networks", colours.BLACK),
    "sums": ("one network, sum of losses", colours.GREY),
    "rivals": ("other rivals", colours.BLUE),
    "teaching": ("L2T-FMT and its controls", colours.ORANGE),
    "branching": ("FairBranch and its variants", colours.VERMILION),
}
PUBLISHED_DATASETS = {  # name in the config: group of published.yaml that its numbers stand beside
    "adult": "acs_18_19",
    "acs": "acs_18_19",
    "folktables": "acs_18_19",
    "celeba_gen": "celeba_gen",
    "celeba_age": "celeba_age",
    "faces": "celeba_gen",
}
ROWS = re.compile(r", [\d,]+ training rows$")  # the end of a dataset's title


def method_title(method: str) -> str:
    """Return the words for a method; an unknown one keeps its name."""
    known = {MAJORITY: "majority class"} | {name: entry.title for name, entry in METHODS.items()}
    return known.get(method, method)


def fault_title(variant: str) -> str:
    """Return the words for a published fault; an unknown one keeps its name."""
    return FAULT_TITLES.get(variant, variant.replace("_", " "))


def task_title(task: str) -> str:
    """Return a task's name as people write it: "long hours"."""
    return task.replace("_", " ")


def kind_of(method: str) -> str:
    """Return the kind of a method, a key of KINDS."""
    entry = METHODS.get(method)
    if method in (STL, STL_FAIR) or entry is None:
        return "single"
    if method.startswith(FAIRBRANCH):
        return "branching"
    return {PLAIN: "sums", TEACHING: "teaching", FAULTS: "sums"}.get(entry.family, "rivals")


def colour_of(method: str) -> str:
    """Return the colour of a method's kind."""
    return KINDS[kind_of(method)][1]


def accuracy_alone(method: str) -> bool:
    """Return whether a method is trained without any fairness loss."""
    entry = METHODS.get(method)
    return entry is not None and entry.losses == ACCURACY


def is_variant(method: str) -> bool:
    """Return whether a method is a variant of another one: an ablation, a control, a fit with faults."""
    entry = METHODS.get(method)
    return entry is not None and (entry.of is not None or entry.family == FAULTS)


def in_order(methods: Iterable[str]) -> list[str]:
    """Return methods, each once: single-task networks, the two papers' methods, sums, rivals; variants after theirs."""
    order = [STL, STL_FAIR, FAIRBRANCH, TEACHER, *METHODS]
    kinds = ["single", "branching", "teaching", "sums", "rivals"]
    found = dict.fromkeys(methods)
    return sorted(found, key=lambda name: (kinds.index(kind_of(name)), order.index(name) if name in order else 99))


def datasets(frame: pd.DataFrame) -> list[str]:
    """Return the names of the datasets in the order of the frame."""
    return list(dict.fromkeys(frame["source"]))


def at(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the rows of one dataset."""
    return frame[frame["source"] == source]


def dataset_title(frame: pd.DataFrame, source: str) -> str:
    """Return the title of a dataset without the number of its rows, which footers name."""
    return ROWS.sub("", str(at(frame, source)["dataset"].iloc[0]))


def compared(
    comparisons: pd.DataFrame,
    metrics: Iterable[str],
    reference: str,
    protocol: str | None = CORRECTED,
    mean: bool = True,
) -> pd.DataFrame:
    """Return paired differences of everyone: the means over tasks, or the single tasks.

    Args:
        protocol: None for differences between the protocols.
    """
    rows = comparisons[comparisons["metric"].isin(list(metrics)) & (comparisons["reference"] == reference)]
    rows = rows[rows["protocol"].isna() if protocol is None else rows["protocol"] == protocol]
    return rows[((rows["task"] == MEAN) == mean) & rows["value"].notna()]


def single_values(metrics: pd.DataFrame, wanted: Iterable[str], protocol: str = CORRECTED) -> pd.DataFrame:
    """Return everyone's numbers of single tasks by run, of fits without published faults."""
    rows = metrics[metrics["metric"].isin(list(wanted)) & (metrics["subgroup"] == "all") & (metrics["task"] != MEAN)]
    return rows[(rows["protocol"] == protocol) & (rows["variant"] == "") & (rows["condition"] == "")]


def signed(value: float, digits: int = 1) -> str:
    """Return a difference in points with its sign."""
    return points(value, digits, signed=True)


def between(low: float, high: float) -> str:
    """Return "(−1.2 to +3.4)" for the ends of an interval; "" where it has none."""
    return f" ({signed(low)} to {signed(high)})" if low == low and high == high else ""


def chance(low: float, high: float) -> str:
    """Return " (may be chance)" where an interval has 0 in it, " (no interval)" where there is none."""
    if low != low or high != high:
        return " (no interval)"
    return "" if low > 0 or high < 0 else " (may be chance)"


def data_note(facts: pd.DataFrame, shown: Iterable[str], rows: pd.DataFrame) -> str:
    """Return what a figure's numbers rest on: datasets with rows and tasks, seeds, kind of interval.

    Args:
        rows: what is drawn, with `interval` and `seeds` where it has them.
    """
    parts = []
    for source in shown:
        own = at(facts, source)
        if len(own):
            row = own.iloc[0]
            held = f"{len(own)} tasks, {row.train_rows:,} training and {row.test_rows:,} test rows"
            parts.append(f"{dataset_title(facts, source)}: {held}")
    if "seeds" in rows and len(rows):
        low, high = int(rows["seeds"].min()), int(rows["seeds"].max())
        number = str(low) if low == high else f"{low} to {high}"
        parts.append(f"{number} seed{'s' if high > 1 else ''}")
    if "interval" in rows:
        parts.append(in_words(rows["interval"]))
    return "; ".join(parts) + "."
