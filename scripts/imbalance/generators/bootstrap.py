"""Copies of real rows, drawn with replacement: the control that every other generator has to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.common.mixed_table import MixedTable


@dataclass(frozen=True)
class Bootstrap:
    """The rows of each part."""

    table: MixedTable
    rows_of: dict[int, np.ndarray]

    def sample(self, part: int, rows: int, rng: np.random.Generator) -> MixedTable:
        """Return copies of a part's rows."""
        own = self.rows_of[part]
        return self.table.take(own[rng.integers(len(own), size=rows)])


def fit(
    table: MixedTable, part: np.ndarray, parts: list[int], settings: Mapping[str, Any], rng: np.random.Generator
) -> Bootstrap:
    """Return the rows of each part, from which `sample` draws; nothing is learnt."""
    return Bootstrap(table, {key: np.flatnonzero(part == key) for key in parts})
