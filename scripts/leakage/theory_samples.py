"""Statements on samples of people instead of tables, and on a model that is asked again and again."""

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np

from scripts.leakage.theory_tables import all_attacks


def all_samples(people: int) -> np.ndarray:
    """Return every sample with both groups as (group, output) per person, int64 [4**people or fewer, people, 2]."""
    samples = np.array(list(product(range(4), repeat=people)))
    samples = np.stack([samples // 2, samples % 2], axis=2)
    return samples[(samples[:, :, 0].max(1) == 1) & (samples[:, :, 0].min(1) == 0)]


def sample_identity(samples: np.ndarray) -> np.ndarray:
    """X7: on any sample the best of the four attacks has (1 + |share accepted in 1 - share accepted in 0|)/2.

    Hits are counted person by person, so nothing here rests on the tables. bool [n]
    """
    group, output = samples[:, :, 0], samples[:, :, 1]
    sizes = np.stack([(group == g).sum(1) for g in (0, 1)], axis=1)
    hits = [[((attack[output] == group) & (group == g)).sum(1) for g in (0, 1)] for attack in all_attacks(2, 2)]
    best = np.max([first * sizes[:, 1] + second * sizes[:, 0] for first, second in hits], axis=0)
    accepted = [((output == 1) & (group == g)).sum(1) for g in (0, 1)]
    gap = abs(accepted[0] * sizes[:, 1] - accepted[1] * sizes[:, 0])
    return best == sizes.prod(1) + gap  # both are twice the accuracy over the product of the sizes


def repeated_best(laws: list[list[tuple[Fraction, Fraction]]], queries: int) -> Fraction:
    """Return the best balanced accuracy against a model that draws a fresh label at each of some queries.

    Args:
        laws: per group the (share of people, their probability of label 1); shares sum to 1.

    The number of ones is sufficient, so the exposed output has queries + 1 values and X1 gives the best attack.
    """
    total = Fraction(0)
    for ones in range(queries + 1):
        total += max(
            sum(share * comb(queries, ones) * p**ones * (1 - p) ** (queries - ones) for share, p in law) for law in laws
        )
    return total / len(laws)


# X9: the same mean in both groups, so no gap for one query.
HALVES = [
    [(Fraction(1, 2), Fraction(1, 5)), (Fraction(1, 2), Fraction(3, 5))],
    [(Fraction(1), Fraction(2, 5))],
]
