"""Knowledge gain and discrimination gain: paired differences to single-task networks, over tasks and seeds.

KG(t) = accuracy(method) - accuracy(STL_t), DG(t) = violation(method) - violation(STL_t), on the same people and seed.
"""

from functools import cache

import numpy as np
import pandas as pd

from scripts.common.aggregate import mean_interval
from scripts.common.interval_kinds import STUDENT, TASKS_AND_SEEDS
from scripts.common.intervals import percentile_interval
from scripts.common.seeds import seed_from
from scripts.multitask.measures import COMPARED, MEAN

DRAWS = 4000


@cache
def crossed_draws(seeds: int, tasks: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each seed [draws, S] and each task [draws, T] occurs in every resample."""
    random = np.random.default_rng(seed_from("multitask", "transfer", seeds, tasks))
    return tuple(random.multinomial(n, [1 / n] * n, DRAWS).astype(float) for n in (seeds, tasks))


def crossed_interval(differences: np.ndarray) -> tuple[float, float]:
    """Return the percentile interval of the mean of differences [S, T] when seeds and tasks are both drawn anew.

    Seeds and tasks are resampled independently of each other, with replacement (Owen, The pigeonhole bootstrap, Annals
    of Applied Statistics 1, 2007), so it covers the choice of both. NaN differences are left out; with fewer than two
    tasks it is undefined. With one seed only tasks are drawn. Few seeds make such an interval too narrow.
    """
    seeds, tasks = differences.shape
    if tasks < 2 or np.isnan(differences).all():
        return np.nan, np.nan
    by_seed, by_task = crossed_draws(seeds, tasks)
    known = ~np.isnan(differences)
    totals = ((by_seed @ np.where(known, differences, 0.0)) * by_task).sum(1)
    counts = ((by_seed @ known.astype(float)) * by_task).sum(1)
    low, high = percentile_interval(np.divide(totals, counts, out=np.full(DRAWS, np.nan), where=counts > 0))
    return float(low), float(high)


def wide(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return everyone's numbers by (method, metric), a row per (seed, task).

    Args:
        metrics: of one dataset: method, seed, task, subgroup, metric, value; single tasks alone.
    """
    kept = metrics[(metrics["subgroup"] == "all") & metrics["metric"].isin(COMPARED) & (metrics["task"] != MEAN)]
    return kept.pivot_table(
        index=["seed", "task"], columns=["method", "metric"], values="value", dropna=False, sort=False
    )


def differences(table: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return first minus second for every metric: of each task over seeds, and the mean over tasks, with intervals.

    Args:
        table: as `wide` returns it.

    Returns:
        task, metric, first, second, value, ci_low, ci_high, interval, seeds (that both were fitted with), undefined
        (differences of these seeds without a value).
    """
    both = (table[first].notna().any(axis=1) & table[second].notna().any(axis=1)).groupby("seed", sort=False).any()
    table, rows = table[table.index.get_level_values("seed").isin(both[both].index)], []
    for metric in COMPARED:
        values = (table[first, metric] - table[second, metric]).unstack("task", sort=False)
        matrix = values.to_numpy(float)
        undefined = int(np.isnan(matrix).sum())
        mean = float(np.nanmean(matrix)) if undefined < matrix.size else np.nan
        low, high = crossed_interval(matrix)
        kind = TASKS_AND_SEEDS if low == low else None
        rows.append((MEAN, metric, mean, low, high, kind, undefined))
        for place, task in enumerate(values.columns):
            own = matrix[:, place]
            known = own[~np.isnan(own)]
            value = float(known.mean()) if len(known) else np.nan
            low, high = mean_interval(known) if len(known) > 1 else (np.nan, np.nan)
            kind = STUDENT if low == low else None
            rows.append((task, metric, value, low, high, kind, int(np.isnan(own).sum())))
    names = ["task", "metric", "value", "ci_low", "ci_high", "interval", "undefined"]
    return pd.DataFrame(rows, columns=names).assign(first=first, second=second, seeds=table.index.unique("seed").size)
