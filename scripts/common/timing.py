"""Benchmarks: two implementations of the same work timed in turns on one machine, and the ratio of their costs."""

import resource
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd

from scripts.common.logs import log

COLUMNS = ["what", "unit", "ours", "reference", "ratio", "ratio_low", "ratio_high", "goal", "met", "repeats"]
COLUMNS += ["ours_cpu_s", "ours_wall_s", "reference_cpu_s", "reference_wall_s", "remark"]


class Seconds(NamedTuple):
    """Wall-clock time of a piece of work, and CPU time of this process and its children, in seconds."""

    wall: float
    cpu: float


def measure(work: Callable[[], object]) -> Seconds:
    """Run `work` and return its cost. Child processes count once they have ended and been waited for."""

    def cpu_seconds() -> float:
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))

    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return Seconds(time.perf_counter() - wall, cpu_seconds() - cpu)


def interleave(
    works: Mapping[str, Callable[[], object]], repeats: int, warm_up: bool = True
) -> dict[str, list[Seconds]]:
    """Return the costs of each work over `repeats` rounds A B C A B C...

    A temporary slowdown of the machine then affects all of them; `warm_up` runs each once untimed.
    """
    if warm_up:
        for work in works.values():
            work()
    costs: dict[str, list[Seconds]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            costs[name].append(measure(work))
    return costs


def without(costs: list[Seconds], fixed: list[Seconds]) -> list[Seconds]:
    """Return the costs minus the median of a fixed cost, such as that of starting workers."""
    wall, cpu = (statistics.median(cost[kind] for cost in fixed) for kind in (0, 1))
    return [Seconds(cost.wall - wall, cost.cpu - cpu) for cost in costs]


def compare(
    what: str,
    ours: list[Seconds],
    reference: list[Seconds],
    clock: str,
    items: int | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    remark: str = "",
) -> dict:
    """Return one row of the benchmark: the median ratio over the rounds, with the lowest and the highest.

    Args:
        clock: "wall" or "cpu", the kind of seconds to compare.
        items: images per round; the row then shows images per second and our speed-up. Without it, it
            shows seconds and our cost as a multiple of the reference's.
        at_least, at_most: the goal for the ratio, if there is one.
    """
    times = [[getattr(cost, clock) for cost in costs] for costs in (ours, reference)]
    ratios = [theirs / mine if items else mine / theirs for mine, theirs in zip(*times, strict=True)]
    shown = [items / statistics.median(s) if items else statistics.median(s) for s in times]
    second = {"wall": "s", "cpu": "CPU s"}[clock]
    costs = {
        f"{side}_{kind}_s": statistics.median(getattr(cost, kind) for cost in series)
        for side, series in (("ours", ours), ("reference", reference))
        for kind in ("cpu", "wall")
    }
    return row(what, f"images/{second}" if items else second, *shown, ratios, at_least, at_most, remark, **costs)


def row(
    what: str,
    unit: str,
    ours: float,
    reference: float,
    ratios: list[float],
    at_least: float | None = None,
    at_most: float | None = None,
    remark: str = "",
    **costs: float,
) -> dict:
    """Return a row of the benchmark from the ratios of its rounds; `met` is None where there is no goal."""
    ratio, goal, met = statistics.median(ratios), "", None
    if at_least is not None:
        goal, met = f"≥ {at_least:g}", ratio >= at_least
    if at_most is not None:
        goal, met = f"≤ {at_most:g}", ratio <= at_most
    log.info("%s: %.4g against %.4g %s, ratio %.2f (%.2f to %.2f) %s", what, ours, reference, unit, ratio,
             min(ratios), max(ratios), goal)  # fmt: skip
    result = {"what": what, "unit": unit, "ours": ours, "reference": reference, "goal": goal, "met": met}
    result |= {"ratio": ratio, "ratio_low": min(ratios), "ratio_high": max(ratios), "repeats": len(ratios)}
    return result | costs | {"remark": remark}


def frame_of(rows: list[dict]) -> pd.DataFrame:
    """Return the rows as a frame with the columns of the benchmark, in their order."""
    frame = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return frame.astype({"met": "boolean"})
