"""Generators of synthetic rows. A new one is a file here and an entry in `GENERATORS`.

The file has a function

    fit(table: MixedTable, part: int [n], parts: list[int], settings: dict, rng: Generator) -> Fitted

that learns, from the training rows of a split, the rows of some parts (a part is a cell of group and label, or a whole
group), and an object with

    sample(part: int, rows: int, rng: Generator) -> MixedTable

Every draw comes from the given random generator, so the same seed gives the same rows. `table` has neither the label
nor the sensitive columns; where a plan fills whole groups, the label is its last categorical column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from scripts.common.mixed_table import MixedTable


class Fitted(Protocol):
    """A fitted generator."""

    def sample(self, part: int, rows: int, rng: np.random.Generator) -> MixedTable:
        """Return synthetic rows of a part."""


@dataclass(frozen=True)
class Entry:
    """What the study knows of a generator without importing it."""

    title: str
    needs_numbers: bool = False  # whether it needs a numeric column
    fewest: str = ""  # the setting s that makes it need s + 1 rows of a part
    rows: int = 1  # those it needs otherwise


BOOTSTRAP = "bootstrap"
GENERATORS = {
    BOOTSTRAP: Entry("bootstrap"),
    "copula": Entry("Gaussian copula"),
    "cart": Entry("CART", rows=2),
    "smote_nc": Entry("SMOTE-NC", needs_numbers=True, fewest="neighbours"),
    "vae": Entry("VAE"),
}


def fit(
    name: str,
    table: MixedTable,
    part: np.ndarray,
    parts: list[int],
    settings: Mapping[str, Any],
    rng: np.random.Generator,
) -> Fitted:
    """Return a generator fitted on the rows of some parts; only its own file is imported."""
    return import_module(f"{__name__}.{name}").fit(table, part, parts, settings, rng)


def fewest_rows(name: str, settings: Mapping[str, Any]) -> int:
    """Return how many rows of a part a generator needs."""
    entry = GENERATORS[name]
    return int(settings[entry.fewest]) + 1 if entry.fewest else entry.rows
