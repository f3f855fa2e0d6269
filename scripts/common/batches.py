"""Batches of row numbers."""

from typing import TypeVar

Rows = TypeVar("Rows")  # an array, a tensor or a list of row numbers


def in_batches(order: Rows, size: int, whole_only: bool = False) -> list[Rows]:
    """Return consecutive batches of an order; the last one may be smaller.

    With `whole_only` a smaller last batch is dropped, unless it is the only one.
    """
    if whole_only and len(order) >= size:
        order = order[: len(order) - len(order) % size]
    return [order[start : start + size] for start in range(0, len(order), size)]
