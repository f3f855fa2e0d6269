"""Knowledge gain and discrimination gain: paired differences to single-task networks, over tasks and seeds.

KG(t) = accuracy(method) - accuracy(STL_t), DG(t) = violation(method) - violation(STL_t), on the same people and seed.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from scripts.common.aggregate import mean_interval
from scripts.common.interval_kinds import STUDENT, TASKS_AND_SEEDS
from scripts.common.intervals import percentile_interval
from scripts.common.seeds import seed_from
from scripts.multitask.measures import COMPARED, MEAN

DRAWS = 4000
COLUMNS = ["task", "metric", "value", "ci_low", "ci_high", "interval", "undefined", "first", "second", "seeds"]


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
    low, high = crossed_intervals(differences[None])
    return float(low[0]), float(high[0])


def crossed_intervals(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends [K] of `crossed_interval` of K sets of differences [K, S, T], from the same resamples."""
    sets, seeds, tasks = differences.shape
    low, high = np.full((2, sets), np.nan)
    known = ~np.isnan(differences)
    defined = known.any((1, 2))
    if tasks < 2 or not defined.any():
        return low, high
    known, values = known[defined], np.nan_to_num(differences[defined], nan=0.0)
    by_seed, by_task = crossed_draws(seeds, tasks)
    totals = np.einsum("kdt,dt->dk", by_seed @ values, by_task)
    counts = np.einsum("kdt,dt->dk", by_seed @ known.astype(float), by_task)
    means = np.divide(totals, counts, out=np.full(totals.shape, np.nan), where=counts > 0)
    low[defined], high[defined] = percentile_interval(means)
    return low, high


@dataclass(frozen=True)
class Numbers:
    """Everyone's numbers of single tasks: `values` [F, M, S, T] of fits, COMPARED, seeds, tasks; NaN is undefined.

    `fitted` [F, S] says which seeds a method has: an ablation may have fewer than others.
    """

    fits: tuple[str, ...]
    seeds: tuple[int, ...]
    tasks: tuple[str, ...]
    values: np.ndarray
    fitted: np.ndarray

    @classmethod
    def of(cls, metrics: pd.DataFrame) -> "Numbers":
        """Return the numbers of a frame of one dataset: fit, seed, task, subgroup, metric, value."""
        kept = metrics[(metrics["subgroup"] == "all") & metrics["metric"].isin(COMPARED) & (metrics["task"] != MEAN)]
        (fit, fits), (seed, seeds), (task, tasks) = (pd.factorize(kept[name]) for name in ("fit", "seed", "task"))
        values = np.full((len(fits), len(COMPARED), len(seeds), len(tasks)), np.nan)
        fitted = np.zeros((len(fits), len(seeds)), bool)
        values[fit, kept["metric"].map(COMPARED.index).to_numpy(int), seed, task] = kept["value"]
        fitted[fit, seed] = True
        return cls(tuple(fits), tuple(seeds), tuple(tasks), values, fitted)


def differences(numbers: Numbers, first: str, second: str) -> pd.DataFrame:
    """Return first minus second for every metric: of each task over seeds, and the mean over tasks, with intervals.

    Only seeds that both have are compared.

    Returns:
        COLUMNS; `undefined` counts differences of fitted runs without a value.
    """
    one, other = numbers.fits.index(first), numbers.fits.index(second)
    shared = numbers.fitted[one] & numbers.fitted[other]
    gaps = (numbers.values[one] - numbers.values[other])[:, shared]
    lows, highs = crossed_intervals(gaps)
    rows = []
    for metric, matrix, low, high in zip(COMPARED, gaps, lows, highs, strict=True):
        for task, own in [(MEAN, matrix.ravel()), *zip(numbers.tasks, matrix.T, strict=True)]:
            known = own[~np.isnan(own)]
            value = float(known.mean()) if len(known) else np.nan
            ends, kind = (float(low), float(high)), TASKS_AND_SEEDS
            if task != MEAN:
                ends, kind = mean_interval(known) if len(known) > 1 else (np.nan, np.nan), STUDENT
            rows.append((task, metric, value, *ends, kind if ends[0] == ends[0] else None, len(own) - len(known)))
    about = {"first": first, "second": second, "seeds": int(shared.sum())}
    return pd.DataFrame(rows, columns=COLUMNS[:7]).assign(**about)
