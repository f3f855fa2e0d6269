"""All small tables of counts, and every attack on them, in exact integer arithmetic.

A table N[y][g] counts how often a model gives output y to a person of group g. Its conditional probabilities are
N[y][g] / c[g] with c the column sums; all of them have the common denominator C = c[0] c[1] ... c[k-1]. So whatever is
linear in them (balanced accuracies) or compares them (parity, independence) is decided on whole numbers, for all tables
at once: exact as fractions are, and a thousand times faster. The numbers stay below 2**40 for the totals used here.
"""

from functools import cache
from itertools import product

import numpy as np


@cache
def compositions(total: int, parts: int) -> np.ndarray:
    """Return all ways to write `total` as an ordered sum of `parts` numbers from 0, int64 [ways, parts]."""
    if parts == 1:
        return np.array([[total]])
    blocks = []
    for first in range(total + 1):
        rest = compositions(total - first, parts - 1)
        blocks.append(np.column_stack([np.full(len(rest), first), rest]))
    return np.concatenate(blocks)


def all_tables(outputs: int, groups: int, total: int) -> np.ndarray:
    """Return every table of counts that sums to `total` and has no empty group, int64 [tables, outputs, groups]."""
    tables = compositions(total, outputs * groups).reshape(-1, outputs, groups)
    return tables[(tables.sum(1) > 0).all(-1)]


@cache
def all_attacks(outputs: int, groups: int) -> np.ndarray:
    """Return every map from outputs to groups, int64 [groups**outputs, outputs]."""
    return np.array(list(product(range(groups), repeat=outputs)))


def numerators(tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the conditional probabilities P(y|g) over their common denominator.

    Args:
        tables: [n, m, k], no empty group.

    Returns:
        int64 numerators [n, m, k] and denominators [n].
    """
    columns = tables.sum(1)
    denominators = columns.prod(-1)
    return tables * (denominators[:, None] // columns)[:, None, :], denominators


def attack_sums(tables: np.ndarray) -> np.ndarray:
    """Return k times the balanced accuracy of every attack, over `numerators`' denominator; int64 [n, attacks]."""
    over, _ = numerators(tables)
    _, m, k = tables.shape
    return sum(over[:, y, :][:, all_attacks(m, k)[:, y]] for y in range(m))


def independent(tables: np.ndarray) -> np.ndarray:
    """Return whether output and group are independent, bool [n]: N[y][g] times the total is row times column."""
    total = tables.sum((1, 2))[:, None, None]
    return (tables * total == tables.sum(2, keepdims=True) * tables.sum(1, keepdims=True)).all((1, 2))


def coarsen(tables: np.ndarray, mapping: np.ndarray, values: int) -> np.ndarray:
    """Return the tables of f(output), int64 [n, values, k], for a map f given as [m]."""
    return np.stack([tables[:, mapping == value, :].sum(1) for value in range(values)], axis=1)


def random_choice_attacks(tables: np.ndarray) -> np.ndarray:
    """Return which attacks are independent of the group ("CCA" in the source), bool [n, attacks]."""
    _, m, k = tables.shape
    return np.stack([independent(coarsen(tables, attack, k)) for attack in all_attacks(m, k)], axis=1)
