"""All tables: gains beside the paper, faults one by one, ablations, the teacher and its controls, every task."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from scripts.common.interval_kinds import in_words
from scripts.common.published import values as published_values
from scripts.common.tables import UNDEFINED, format_interval, format_number, save_table
from scripts.multitask.labels import (
    ALL,
    BETWEEN,
    CORRECTED,
    FAIRBRANCH,
    LIKE,
    MAJORITY,
    MEAN,
    METRICS,
    ODDS,
    OPPORTUNITY,
    PUBLISHED,
    PUBLISHED_DATASETS,
    PUBLISHED_NUMBERS,
    SELECTED,
    STL,
    STL_FAIR,
    TEACHER,
    UNLIKE,
    WITHOUT,
    at,
    compared,
    dataset_title,
    datasets,
    fault_title,
    in_order,
    is_variant,
    method_title,
    single_values,
    task_title,
)
from scripts.multitask.methods import METHODS

PROTOCOLS = {PUBLISHED: "as published", CORRECTED: "corrected"}
GAINS = {"accuracy": "KG", OPPORTUNITY: "DG EP", ODDS: "DG EO"}  # metric: title of its difference
LIKE_GAINS = {"accuracy": "KG, like for like", ODDS: "DG EO, like for like"}
PAPER_TITLES = {  # group of published.yaml: title
    "acs_18_19": "ACS 2018 to 2019",
    "acs_19_21": "ACS 2019 to 2021",
    "celeba_gen": "CelebA faces, gen",
    "celeba_age": "CelebA faces, age",
}
LEVELS = ("accuracy", ODDS, SELECTED)
BOUNDS = ["value", "ci_low", "ci_high"]
TASKS_OF = (STL, STL_FAIR, "vanilla", FAIRBRANCH)


def frame_of(rows: Iterable[dict], columns: list[str]) -> pd.DataFrame:
    """Return rows as a table with these columns; missing values are dashes."""
    return pd.DataFrame(list(rows), columns=columns).fillna(UNDEFINED)


def intervals(rows: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, str]:
    """Return numbers with their intervals by title, of the metrics that the rows have."""
    found = rows.drop_duplicates("metric").set_index("metric")[BOUNDS]
    return {title: format_interval(*found.loc[name]) for name, title in titles.items() if name in found.index}


def levels(summary: pd.DataFrame, method: str, protocol: str = CORRECTED, variant: str = "") -> dict[str, str]:
    """Return accuracy, equalized odds and selection rate of a method, means over tasks and seeds, and its seeds."""
    own = summary[(summary["method"] == method) & (summary["protocol"] == protocol) & (summary["variant"] == variant)]
    found = intervals(own, {name: METRICS[name] for name in LEVELS})
    return found | ({"seeds": str(int(own["seeds"].max()))} if len(own) and method != MAJORITY else {})


def transfer_table(summary: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return per method the paper's gains, ours as published and ours corrected, with levels; majority class first."""
    gained = pd.concat([compared(comparisons, GAINS, UNLIKE, protocol) for protocol in PROTOCOLS])
    like, rows = compared(comparisons, LIKE_GAINS, LIKE), []
    for source in datasets(summary):
        own, title = at(summary, source), dataset_title(summary, source)
        group = PUBLISHED_DATASETS.get(source)
        paper = published_values(PUBLISHED_NUMBERS, "table_2")[group] if group else {}
        named = [name for name in own["method"].unique() if not is_variant(name)]
        for method in [MAJORITY, *(name for name in in_order(named) if name != MAJORITY)]:
            if method in paper:
                numbers = zip(GAINS.values(), ("kg", "dg_ep", "dg_eo"), strict=True)
                row = {"data": title, "method": method_title(method), "numbers": f"paper, {PAPER_TITLES[group]}"}
                rows.append(row | {column: format_number(paper[method][name]) for column, name in numbers})
            for protocol, words in PROTOCOLS.items():
                mine = at(gained, source)
                mine = mine[(mine["first"] == method) & (mine["protocol"] == protocol)]
                variant = next((name for name in (ALL, "") if len(_levels_of(own, method, protocol, name))), "")
                found = levels(own, method, protocol, variant)
                if not found or (protocol == PUBLISHED and mine.empty):
                    continue
                words = "constant" if method == MAJORITY else words
                row = {"data": title, "method": method_title(method), "numbers": words} | found
                row |= intervals(mine, GAINS) | ({"seeds of gains": str(int(mine["seeds"].max()))} if len(mine) else {})
                if protocol == CORRECTED:
                    alike = at(like, source)
                    row |= intervals(alike[alike["first"] == method], LIKE_GAINS)
                rows.append(row)
    columns = ["data", "method", "numbers", "seeds", *(METRICS[name] for name in LEVELS)]
    return frame_of(rows, [*columns, "seeds of gains", *GAINS.values(), *LIKE_GAINS.values()])


def _levels_of(summary: pd.DataFrame, method: str, protocol: str, variant: str) -> pd.DataFrame:
    same = (summary["method"] == method) & (summary["protocol"] == protocol)
    return summary[same & (summary["variant"] == variant)]


def faults_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return what each published fault changes of the corrected method, one by one and all at once."""
    titles = {name: f"change of {METRICS[name]}" for name in ("accuracy", OPPORTUNITY, ODDS)}
    changed, rows = compared(comparisons, titles, WITHOUT, protocol=None), []
    for source in datasets(changed):
        own = at(changed, source)
        for method in in_order(own["first"]):
            mine = own[own["first"] == method]
            for variant in sorted(mine["variant"].unique(), key=lambda name: name == ALL):
                found = mine[mine["variant"] == variant]
                row = {
                    "data": dataset_title(own, source),
                    "method": method_title(method),
                    "fault": fault_title(variant),
                }
                row["seeds"] = str(int(found["seeds"].max()))
                rows.append(row | intervals(found, titles))
    return frame_of(rows, ["data", "method", "fault", "seeds", *titles.values()])


def variants_table(frames: Mapping[str, pd.DataFrame], method: str, more: Mapping[str, Mapping]) -> pd.DataFrame:
    """Return a method and its variants: levels, and what each changes of the method with the same seeds.

    Args:
        more: further columns, each by (dataset, method).
    """
    summary, titles = frames["summary"], {name: f"change of {METRICS[name]}" for name in ("accuracy", ODDS)}
    changed, rows = compared(frames["comparisons"], titles, BETWEEN), []
    changed = changed[changed["second"] == method]
    for source in datasets(summary):
        own, mine = at(summary, source), at(changed, source)
        there = set(own.loc[own["protocol"] == CORRECTED, "method"])
        variants = [name for name, entry in METHODS.items() if entry.of == method and name in there]
        for name in [method, *variants] if method in there and variants else []:
            row = {"data": dataset_title(own, source), "variant": method_title(name)} | levels(own, name)
            row |= {title: found.get((source, name), UNDEFINED) for title, found in more.items()}
            rows.append(row | (intervals(mine[mine["first"] == name], titles) if name != method else {}))
    columns = ["data", "variant", "seeds", *(METRICS[name] for name in LEVELS), *titles.values(), *more]
    return frame_of(rows, columns)


def mean_texts(rows: pd.DataFrame, digits: int = 2) -> dict[tuple[str, str], str]:
    """Return the mean of `value` as text by dataset and method."""
    means = rows.groupby(["source", "method"], sort=False)["value"].mean()
    return {key: format_number(value, digits) for key, value in means.items()}


def ablations_table(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return FairBranch and its ablations, with the size of the network and the smallest CKA that was merged."""
    metrics, branchings = frames["metrics"], frames["branchings"]
    sizes = metrics[(metrics["metric"] == "parameter_fraction") & (metrics["protocol"] == CORRECTED)]
    merged = branchings[branchings["similarity"].notna()].groupby(["source", "method"], sort=False)["similarity"].min()
    smallest = {key: format_number(value) for key, value in merged.items()}
    more = {"parameters, of T networks": mean_texts(sizes), "smallest similarity merged": smallest}
    return variants_table(frames, FAIRBRANCH, more)


def teacher_table(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return L2T-FMT and its controls, with the fraction of steps on the fairness loss."""
    shares = frames["curves"][frames["curves"]["quantity"] == "fairness_share"]
    return variants_table(frames, TEACHER, {"steps on F, fraction": mean_texts(shares)})


def tasks_table(metrics: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Return per task majority class, base rates, and of four methods accuracy, equalized odds, selection rate.

    Undefined counts runs of these methods whose equalized odds has an empty (label, group).
    """
    rows, found = single_values(metrics, LEVELS), []
    for source in datasets(facts):
        own = at(rows, source)
        means = own.groupby(["method", "task", "metric"], sort=False)["value"].mean()
        undefined = own[(own["metric"] == ODDS) & own["method"].isin(TASKS_OF) & own["value"].isna()]
        for fact in at(facts, source).itertuples():
            row = {"data": dataset_title(facts, source), "task": task_title(fact.task)}
            row |= {"label 1": format_number(fact.positives), "label 1 by group": fact.positives_by_group}
            row["majority class"] = format_number(means.get((MAJORITY, fact.task, "accuracy")))
            for metric in LEVELS:
                numbers = [means.get((method, fact.task, metric)) for method in TASKS_OF]
                if any(number is not None for number in numbers):
                    row[_column(metric)] = " / ".join(map(format_number, numbers))
            row["undefined"] = str(int((undefined["task"] == fact.task).sum()))
            row["fewest test rows"] = f"{fact.fewest_test_rows:,}"
            found.append(row)
    columns = ["data", "task", "label 1", "label 1 by group", "majority class", *map(_column, LEVELS)]
    return frame_of(found, [*columns, "undefined", "fewest test rows"])


def _column(metric: str) -> str:
    return f"{METRICS[metric]}: {' / '.join(map(method_title, TASKS_OF))}"


def write_tables(data: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write all tables (each csv, md, tex) into `folder`."""
    comparisons = data["comparisons"]
    kinds = in_words(comparisons.loc[comparisons["task"] == MEAN, "interval"])
    ends = f"Means over tasks with {kinds}; with one seed they cover the choice of tasks alone."
    said = "Gains against single-task networks trained with F; like for like: trained with the same losses."
    said += " Equalized odds is the sum of both gaps. As published: those networks see a fifth of the rows."
    save_table(transfer_table(data["summary"], comparisons), folder / "transfer", f"{said} {ends}")
    said = "What each fault of the published code changes of the corrected method."
    save_table(faults_table(comparisons), folder / "faults", f"{said} {ends}")
    said = "FairBranch and its ablations; changes are to FairBranch with the same seeds."
    save_table(ablations_table(data), folder / "ablations", f"{said} {ends}")
    said = "L2T-FMT and what stands in its teacher's place; changes are to L2T-FMT with the same seeds."
    save_table(teacher_table(data), folder / "teacher", f"{said} {ends}")
    said = "Every task: means over seeds, no intervals. Undefined: runs with an empty label and group."
    save_table(tasks_table(data["metrics"], data["facts"]), folder / "tasks", said)
