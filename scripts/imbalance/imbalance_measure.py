"""Rule `imbalance_measure`: metrics of every run, means over splits, paired differences, rows that plans add, facts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import groups_of
from scripts.imbalance import pairing
from scripts.imbalance.generators import GENERATORS
from scripts.imbalance.measures import OF_SPLITS, measure
from scripts.imbalance.names import CORRECTED, MAIN, NO_PLAN, PUBLISHED, REAL, dataset_name
from scripts.imbalance.people import People, people
from scripts.imbalance.plans import PLANS, by_group, rows_to_add
from scripts.imbalance.splits import Splitting, lost_categories, splits

STUDY = "imbalance"
ABOUT_RUN = ["run", "plan", "generator", "method", "dose", "variant", "draw", "split_number", "moved"]


def runs_of(path: str | Path, attribute: str) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Return each run of a predictions file with its columns y_true, y_pred, score and groups.

    Raises:
        UserError: the file is damaged, or a label or prediction is not 0 or 1.
    """
    again = "delete it and run the workflow"
    columns = ["run", "y_true", "y_pred", "score", attribute]
    try:
        table = pq.read_table(path, columns=columns, read_dictionary=["run"], page_checksum_verification=True)
    except parquet.DAMAGE as error:
        raise UserError(f"{path}: cannot be read ({error}); {again}") from error
    if missing := [name for name in columns if name not in table.column_names]:
        raise UserError(f"{path}: the column {missing[0]} is missing; {again}")
    table = table.combine_chunks()
    values = {name: table[name].to_numpy() for name in columns[1:]}
    for name in ("y_true", "y_pred"):
        if not np.isin(np.unique(values[name]), (0, 1)).all():
            raise UserError(f"{path}: {name} holds another value than 0 or 1; {again}")
    runs = table["run"].combine_chunks()
    codes, names = runs.indices.to_numpy(), runs.dictionary.to_pylist()
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))[:-1]
    for name, rows in zip(names, np.split(order, ends), strict=True):
        yield name, {column: value[rows] for column, value in values.items()}


def part_metrics(predictions: str | Path, runs: pd.DataFrame) -> pd.DataFrame:
    """Return all numbers of the runs of a part: `MEASURED` with what the runs are.

    Raises:
        UserError: the file is damaged or lacks a run.
    """
    attribute = runs["attributes"].iloc[0]
    names = groups_of(predictions)[attribute]
    frames = {
        name: measure(own["y_true"], own["y_pred"], own["score"], own[attribute], names, attribute)
        for name, own in runs_of(predictions, attribute)
    }
    if missing := sorted(set(runs["run"]) - set(frames)):
        raise UserError(f"{predictions}: the run {missing[0]} is missing; delete it and run the workflow")
    found = pd.concat([frames[run] for run in runs["run"]], keys=range(len(runs)), names=["place"]).reset_index("place")
    about = runs.reset_index(drop=True)[["dataset", "attributes", *ABOUT_RUN]]
    return found.join(about, on="place").drop(columns="place").assign(condition="").reset_index(drop=True)


def by_protocol(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers under each protocol that they belong to.

    Corrected is every run on declared categories. As published are real rows and the generators' whole plans; where
    codes move in a split, the run on moved codes stands for it, elsewhere both protocols fit the same table.
    """
    corrected = metrics[~metrics["moved"]].assign(protocol=CORRECTED)
    kinds = (metrics["generator"] == REAL) | (metrics["generator"].isin(GENERATORS) & (metrics["plan"] != NO_PLAN))
    possible = metrics[kinds & (metrics["dose"] == 1) & (metrics["variant"] == MAIN)]
    keys = ["method", "draw", "split_number"]
    moved = pd.MultiIndex.from_frame(possible.loc[possible["moved"], keys])
    replaced = ~possible["moved"] & pd.MultiIndex.from_frame(possible[keys]).isin(moved)
    return pd.concat([possible[~replaced].assign(protocol=PUBLISHED), corrected], ignore_index=True)


def counts_of(data: People, drawn: Sequence[tuple[np.ndarray, np.ndarray]], plans: Sequence[str]) -> pd.DataFrame:
    """Return real rows per group and label and those that each plan adds, per split.

    Args:
        plans: those that were run; other plans are counted as well, where they can be computed.

    Returns:
        split, plan ("none": the real rows), group, label, rows (real), added; where a plan fills whole groups the label
        is -1 and the rows are the group's.
    """
    rows = []
    for split, (train, _) in enumerate(drawn):
        counts = data.counts(train)
        for plan in (NO_PLAN, *PLANS):
            filled = plan != NO_PLAN and by_group(plan)
            try:
                added = np.zeros_like(counts) if plan == NO_PLAN else rows_to_add(plan, counts, data.group_names)
            except UserError:
                if plan in plans:
                    raise
                continue
            for group, name in enumerate(data.group_names):
                if filled:
                    rows.append((split, plan, name, -1, int(counts[group].sum()), int(added[group])))
                else:
                    rows += [(split, plan, name, y, int(counts[group, y]), int(added[group, y])) for y in (0, 1)]
    return pd.DataFrame(rows, columns=["split", "plan", "group", "label", "rows", "added"])


def added_of(counts: pd.DataFrame) -> pd.DataFrame:
    """Return how many rows each plan adds, a mean over splits.

    Returns:
        plan, value (rows), fraction (of the training rows), over_fewest (rows more than the plan that adds fewest, of
        the others; NaN with one plan), seeds (splits).
    """
    real = counts.loc[counts["plan"] == NO_PLAN].groupby("split")["rows"].sum().mean()
    sums = counts[counts["plan"] != NO_PLAN].groupby(["plan", "split"], sort=False)["added"].sum()
    value = sums.groupby("plan", sort=False).mean()
    fewest = [value.drop(plan).min() for plan in value.index]
    columns = {"value": value, "fraction": value / real, "over_fewest": value - fewest}
    return pd.DataFrame(columns).reset_index().assign(seeds=counts["split"].nunique())


def facts_of(data: People, drawn: Sequence[tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Return one row on a dataset: sizes, groups, what label 1 means, splits whose test part alone has a category."""
    lost = {split: lost_categories(data.features, train) for split, (train, _) in enumerate(drawn)}
    places = [split for split, columns in lost.items() if columns]
    words = dict.fromkeys(
        f"{word} ({name})" for columns in lost.values() for name, own in columns.items() for word in own
    )
    smallest = min(int(np.bincount(data.cells[test], minlength=2 * len(data.group_names)).min()) for _, test in drawn)
    return pd.DataFrame(
        [
            {
                "table": data.table.name,
                "rows": len(data.y),
                "train_rows": len(drawn[0][0]),
                "test_rows": len(drawn[0][1]),
                "splits": len(drawn),
                "groups": "; ".join(data.group_names),
                "positive": data.table.positive,
                "lost": ", ".join(map(str, places)),
                "lost_categories": "; ".join(words),
                "smallest_cell": smallest,
            }
        ]
    )


def measure_dataset(
    frame: pd.DataFrame, entry: Mapping[str, Any], splitting: Splitting, parts: Sequence[tuple[str, str]]
) -> dict[str, pd.DataFrame]:
    """Return metrics, summary, comparisons, splits, counts, added and facts of one dataset.

    Args:
        frame: its table.
        entry: its entry of the config.
        parts: paths of predictions and runs.
    """
    data = people(frame, entry["table"], entry["attributes"], entry["most_rows"])
    drawn = splits(data, splitting)[: entry["splits"]]
    metrics = pd.concat([part_metrics(path, parquet.read(runs)) for path, runs in parts], ignore_index=True)
    metrics = by_protocol(metrics)
    table, about = pairing.wide(metrics)
    ratio = splitting.test_by_train
    counts = counts_of(data, drawn, entry["plans"])
    found = {
        "metrics": metrics.rename(columns={"split_number": "seed"}).drop(columns="moved").assign(split="test"),
        "summary": pairing.summary(table, about, ratio),
        "comparisons": pairing.comparisons(table, about, ratio).assign(split="test", paired_by="splits", seed=None),
        "splits": pairing.split_values(table, OF_SPLITS),
        "counts": counts,
        "added": added_of(counts),
        "facts": facts_of(data, drawn),
    }
    labels = {"dataset": data.title, "attributes": data.attribute}
    return {name: own.assign(study=STUDY, **labels) for name, own in found.items()}


def measure_all(
    tables: Mapping[str, str],
    entries: Sequence[Mapping[str, Any]],
    splitting: Splitting,
    parts: Mapping[str, Sequence[tuple[str, str]]],
    output: Mapping[str, str],
) -> None:
    """Write the released frames of all datasets.

    Args:
        tables: path by the name of a table.
        parts: by dataset the paths of its predictions and runs.

    Raises:
        UserError: a file is damaged.
    """
    found = [
        measure_dataset(parquet.read(tables[entry["table"]]), entry, splitting, parts[dataset_name(entry)])
        for entry in entries
    ]
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
        pairs = iter(zip(files.predictions, files.runs, strict=True))
        measure_all(
            dict(zip(chosen.tables, files.tables, strict=True)),
            chosen.entries,
            Splitting(**chosen.splitting),
            {dataset: [next(pairs) for _ in parts] for dataset, parts in chosen.parts.items()},
            dict(snakemake.output.items()),
        )
