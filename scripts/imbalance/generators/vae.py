"""A conditional variational autoencoder: one fit on all rows of a split, conditioned on the part of a row.

Unlike the published setting, a generator per cell, what all parts have in common is learnt from all rows, and a rare
part needs only what differs. The settings are those of `VaeSettings`, and `frequent` of `TableEncoding.fit`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.common.mixed_table import MixedTable, concatenate
from scripts.common.table_encoding import FREQUENT, TableEncoding
from scripts.common.table_vae import TableVae, VaeSettings
from scripts.common.table_vae import fit as fit_vae
from scripts.common.table_vae import sample as sample_vae

ROWS_AT_ONCE = 50_000  # that are drawn as one matrix, which has a float32 per category


@dataclass(frozen=True)
class Vae:
    """The encoding of the rows, the model, and the parts by their condition."""

    encoding: TableEncoding
    model: TableVae
    parts: list[int]

    def sample(self, part: int, rows: int, rng: np.random.Generator) -> MixedTable:
        """Return synthetic rows of a part."""
        condition = self.parts.index(part)
        tables = []
        for start in range(0, max(rows, 1), ROWS_AT_ONCE):
            conditions = np.full(min(rows - start, ROWS_AT_ONCE), condition)
            tables.append(self.encoding.decode(sample_vae(self.model, conditions, _seed(rng)), rng))
        return concatenate(tables)


def fit(
    table: MixedTable, part: np.ndarray, parts: list[int], settings: Mapping[str, Any], rng: np.random.Generator
) -> Vae:
    """Return a model of the rows of every part that occurs, wanted or not: each is a condition."""
    own = dict(settings)
    encoding = TableEncoding.fit(table, own.pop("frequent", FREQUENT))
    occurring, condition = np.unique(part, return_inverse=True)
    matrix, settings = encoding.encode(table), VaeSettings(**own)
    model = fit_vae(matrix, encoding.layout, condition, len(occurring), settings, _seed(rng))
    return Vae(encoding, model, occurring.tolist())


def _seed(rng: np.random.Generator) -> int:
    """Return a seed for torch's generator, drawn from numpy's."""
    return int(rng.integers(2**63))
