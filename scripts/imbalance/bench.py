"""Rule `imbalance_bench`: CPU seconds of SMOTE-NC against imbalanced-learn, and of the generators against xgboost."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job
from scripts.common.mixed_table import MixedTable
from scripts.common.tables import save_table
from scripts.common.timing import compare, frame_of, interleave
from scripts.imbalance.augmentation import augment, wanted_rows
from scripts.imbalance.classifier import boosted_log_odds
from scripts.imbalance.generators import smote_nc
from scripts.imbalance.people import people
from scripts.imbalance.plans import CLASS, SAME_CLASS
from scripts.imbalance.splits import Splitting, splits

SETTINGS = {"copula": {}, "cart": {"leaf": 5}, "bootstrap": {}}
CLASSIFIER = {"rounds": 100, "depth": 6, "learning_rate": 0.3}
NEIGHBOURS = 3


@dataclass(frozen=True)
class Size:
    """How much is timed: rows at most, rounds of all works in turns, and SMOTE-NC of ours at once, which is short."""

    most_rows: int | None = None
    repeats: int = 5
    at_once: int = 3


def bench(table: str, output: str, shown: str, size: Size = Size()) -> None:
    """Time all pairs in turns and write the rows of the benchmark.

    Raises:
        UserError: imbalanced-learn is not installed.
    """
    data = people(parquet.read(table), "adult", ["sex"], size.most_rows)
    train = splits(data, Splitting())[0][0]
    features, y = data.features.take(train), data.y[train]
    works: dict[str, Callable[[], object]] = {
        "xgboost": lambda: boosted_log_odds(features, y, features.take(np.arange(1)), CLASSIFIER)
    }
    for name in SETTINGS:
        works[name] = lambda name=name: augment(data, data.features, train, 0, [CLASS], [name], SETTINGS, 0)
    pairs = {}
    for plan, group in ((SAME_CLASS, "women"), (CLASS, "men")):
        cell = 2 * data.group_names.index(group) + 1
        rows, some = wanted_rows(data, train, plan)[cell], features.take(data.cells[train] == cell)
        pairs[group] = f"SMOTE-NC, k = {NEIGHBOURS}, {rows:,} rows from {len(some):,} ({group}, high income)"
        works[f"ours, {group}"] = lambda some=some, rows=rows: [ours(some, rows) for _ in range(size.at_once)]
        works[f"theirs, {group}"] = imbalanced_learn(some, rows)
    costs = interleave(works, size.repeats)
    result = []
    for group, what in pairs.items():
        single = [type(cost)(cost.wall / size.at_once, cost.cpu / size.at_once) for cost in costs[f"ours, {group}"]]
        remark = "against imbalanced-learn; a cost of 1/8 = 0.125 is 8 times faster; ours orders ties exactly"
        result.append(compare(what, single, costs[f"theirs, {group}"], "cpu", at_most=1 / 8, remark=remark))
    added = sum(wanted_rows(data, train, CLASS).values())
    for name in SETTINGS:
        what = f"{name}, fit and {added:,} rows of plan class"
        remark = f"beside xgboost on the {len(train):,} real training rows; the goal for cart is 0.3 CPU s"
        result.append(compare(what, costs[name], costs["xgboost"], "cpu", at_most=1, remark=remark))
    frame = frame_of(result)
    parquet.write(frame, output)
    columns = ["what", "unit", "ours", "reference", "ratio", "goal", "met", "remark"]
    save_table(frame[columns], shown, "CPU seconds per augmentation, one thread: ours beside the reference")


def ours(table: MixedTable, rows: int) -> MixedTable:
    """Return rows by SMOTE-NC from a table, fitted anew."""
    rng = np.random.default_rng(0)
    return smote_nc.fit(table, np.zeros(len(table), int), [0], {"neighbours": NEIGHBOURS}, rng).sample(0, rows, rng)


def imbalanced_learn(table: MixedTable, rows: int) -> Callable[[], object]:
    """Return the work of imbalanced-learn for the same rows: the table is one class, a single row is the other."""
    try:  # by its name, since no environment of the workflow has it
        module = import_module("imblearn.over_sampling")
    except ImportError as error:
        raise UserError("the benchmark of SMOTE-NC needs imbalanced-learn; run it without --use-conda") from error
    numeric, codes = table.numeric, table.codes
    x = np.hstack([numeric, codes])
    x, y = np.vstack([x, x[:1]]), np.append(np.ones(len(x), int), 0)
    sampler = module.SMOTENC(
        [*range(numeric.shape[1], x.shape[1])],
        k_neighbors=NEIGHBOURS,
        random_state=0,
        sampling_strategy={1: len(table) + rows},
    )

    def work() -> np.ndarray:
        with warnings.catch_warnings():  # that the larger class grows
            warnings.simplefilter("ignore", UserWarning)
            return sampler.fit_resample(x, y)[0]

    return work


if "snakemake" in globals():
    with job(snakemake):
        bench(snakemake.input.table, snakemake.output.parquet, snakemake.output.table[0].removesuffix(".csv"))
