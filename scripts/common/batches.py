"""Batches of row numbers, in an order that is seeded by names and never by the order of execution."""

from typing import TypeVar

import numpy as np

from scripts.common.seeds import seed_from

Rows = TypeVar("Rows")  # an array, a tensor or a list of row numbers


def shuffled(rows: int, *names: object) -> np.ndarray:
    """Return the numbers 0 to `rows` - 1 in the order that the names give, int64 [rows]."""
    return np.random.default_rng(seed_from(*names)).permutation(rows)


def in_batches(order: Rows, size: int, whole_only: bool = False) -> list[Rows]:
    """Return consecutive batches of an order; the last one may be smaller.

    With `whole_only` a smaller last batch is dropped, unless it is the only one.
    """
    if whole_only and len(order) >= size:
        order = order[: len(order) - len(order) % size]
    return [order[start : start + size] for start in range(0, len(order), size)]
