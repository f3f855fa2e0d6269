"""A model that draws its label anew at every query, asked several times about each person."""

from collections.abc import Sequence

import numpy as np

from scripts.common.leakage.audit_run import Halves
from scripts.common.leakage.bounds import normal_half_width


def laws_of_ones(probability: np.ndarray, groups: np.ndarray, k: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Return P(number of ones | person), float64 [n, queries + 1], and its mean per group, [queries + 1, k].

    The draws are independent given the person, so the number of ones tells all that the draws do.
    """
    from scipy import stats  # 0.4 s to import, which jobs that only read the rows of queries do not need

    person = stats.binom.pmf(np.arange(queries + 1), queries, probability[:, None])
    return person, np.stack([person[groups == g].mean(0) for g in range(k)], axis=1)


def right_after(probability: np.ndarray, groups: np.ndarray, k: int, halves: Halves, queries: int) -> np.ndarray:
    """Return with which probability an attack from the other half is right about each judging person, float64 [n]."""
    _, known = laws_of_ones(probability[halves.train], groups[halves.train], k, queries)
    person, _ = laws_of_ones(probability[halves.judge], groups[halves.judge], k, queries)
    told = known.argmax(1)  # [queries + 1]
    return (person * (told == groups[halves.judge][:, None])).sum(1)


def query_rows(
    probability: np.ndarray, groups: np.ndarray, k: int, halves: Halves, queries: Sequence[int]
) -> list[dict]:
    """Return one row per number of queries: the best accuracy on the judging rows, and an attack from the other half.

    Args:
        probability: P(label 1) of every row of a run, [n].

    The attack's accuracy is its expectation over the draws, so nothing is simulated; its 95 % interval is the normal
    one of the groups' means. `best` is plug-in, so biased upwards where queries are many and rows few.
    """
    rows = []
    group = groups[halves.judge]
    for count in queries:
        _, law = laws_of_ones(probability[halves.judge], group, k, count)
        right = right_after(probability, groups, k, halves, count)
        parts = [right[group == g] for g in range(k)]
        value = float(np.mean([part.mean() for part in parts]))
        half = normal_half_width(parts)
        rows.append(
            {
                "queries": count,
                "best": float(law.max(1).sum() / k),
                "attack_ba": value,
                "ba_lo": value - half,
                "ba_hi": value + half,
                "n": len(group),
            }
        )
    return rows
