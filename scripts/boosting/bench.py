"""Rule `bench_boosting`: CPU seconds of AdaFair against a plain loop, and of fair gradient boosting against xgboost."""

from dataclasses import dataclass

import numpy as np
import xgboost

from scripts.boosting import fair, gradient
from scripts.boosting.fair import Rows, Settings
from scripts.boosting.gradient import Trees
from scripts.boosting.people import hold_out, people, split
from scripts.boosting.plain import adafair
from scripts.common import parquet
from scripts.common.logs import job
from scripts.common.tables import save_table
from scripts.common.timing import compare, frame_of, interleave


@dataclass(frozen=True)
class Size:
    """How much is timed: rows at most, rounds, trees, repeats, and fits at once of ours, which are short."""

    most_rows: int | None = None
    rounds: int = 100
    trees: int = 100
    depth: int = 6
    repeats: int = 3
    at_once: int = 5


def bench(table: str, output: str, shown: str, size: Size = Size()) -> None:
    """Time all pairs in turns and write the rows of the benchmark."""
    data = people(parquet.read(table), "adult", ["sex"], size.most_rows)
    train, _ = split(data.y, "adult", 0.5, 0)
    columns = data.columns(train)
    rows, (dense, sparse, _) = data.rows(columns, train), data.features(train)
    settings = Settings("DM", size.rounds, csb=2)
    x, y, group = dense[train], data.y[train], data.groups[train, 0]

    def ours() -> int:
        for _ in range(size.at_once):
            found = fair.chosen_round(fair.fit(columns, rows, settings))
        return found

    def plain() -> int:
        return adafair(x, y, group, "DM", size.rounds)[2]

    thetas = (ours(), plain())
    costs = interleave({"ours": ours, "plain": plain}, size.repeats, warm_up=False)
    single = [type(cost)(cost.wall / size.at_once, cost.cpu / size.at_once) for cost in costs["ours"]]
    what = f"AdaFair, {size.rounds} rounds, {len(y):,} rows"
    remark = f"theta {thetas[0]} and {thetas[1]}; a cost below 1/25 = 0.04 is 25 times faster"
    found = [compare(f"{what}, against a plain loop", single, costs["plain"], "cpu", at_most=1 / 25, remark=remark)]
    kept, held = hold_out(data.y, train, 0.2, "bench")  # as in the study

    def part(at: np.ndarray) -> tuple[xgboost.DMatrix, Rows]:
        return xgboost.DMatrix(sparse[at], data.y[at], nthread=1), Rows(sparse, data.y[at], data.groups[at])

    fitted, valid = part(kept), part(held)
    trees = Trees(size.trees, size.depth, 0.1, weight=0.1)
    told, penalty = gradient.parameters(trees), gradient.Penalty(fitted[1].y, fitted[1].groups, trees.notion)
    own = gradient.objective(fitted[1].y, penalty, trees.weight)
    works = {
        "fair": lambda: xgboost.train(told, fitted[0], trees.rounds, obj=own),
        "plain": lambda: xgboost.train(told, fitted[0], trees.rounds),
        "fair, chosen": lambda: gradient.fit(fitted, valid, trees),
        "plain, watched": lambda: xgboost.train(
            told | {"eval_metric": ["error", "logloss"]},
            fitted[0],
            trees.rounds,
            evals=[(valid[0], "held")],
            verbose_eval=False,
        ),
    }
    costs = interleave(works, size.repeats + 4)
    what = f"fair gradient boosting over xgboost, {size.trees} trees of depth {size.depth}, {len(kept):,} rows"
    found.append(compare(what, costs["fair"], costs["plain"], "cpu", at_most=1.5, remark="the trees alone"))
    remark = (
        f"ours counts groups at every stage on {len(held):,} held-out rows and chooses one; xgboost watches its error"
    )
    what = f"{what}, with held-out rows"
    found.append(compare(what, costs["fair, chosen"], costs["plain, watched"], "cpu", at_most=1.5, remark=remark))
    result = frame_of(found)
    parquet.write(result, output)
    columns_shown = ["what", "unit", "ours", "reference", "ratio", "goal", "met", "remark"]
    save_table(result[columns_shown], shown, "CPU seconds per fit, one thread: ours beside the reference")


if "snakemake" in globals():
    with job(snakemake):
        bench(snakemake.input.table, snakemake.output.parquet, snakemake.output.table[0].removesuffix(".csv"))
