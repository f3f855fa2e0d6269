"""Rows from a Gaussian copula: each column keeps its distribution, and normal scores carry how columns go together.

A number becomes the normal score of its rank, equal numbers in random order. A category becomes an interval of [0, 1]
as long as its frequency, the most frequent first, and a value uniform inside it becomes a normal score. New rows are
normal with the correlations of the scores, taken back by the same intervals and by the empirical quantiles, so every
value was observed. The package SDV instead fits a beta distribution to each numeric column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from scripts.common.mixed_table import MixedSchema, MixedTable

LEAST_EIGENVALUE = 1e-6  # of a correlation matrix after shrinkage


@dataclass(frozen=True)
class Categories:
    """The categories of a column, the most frequent first, and where the interval of each ends."""

    codes: np.ndarray  # int [K], those that occur
    ends: np.ndarray  # float64 [K], the last is 1

    @classmethod
    def of(cls, column: np.ndarray) -> "Categories":
        """Return the categories of a column of codes; of equally frequent ones the smallest code comes first."""
        codes, counts = np.unique(column, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return cls(codes[order], np.cumsum(counts[order]) / len(column))

    def uniforms(self, column: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a random value inside the interval of each code."""
        place = np.empty(self.codes.max() + 1, int)
        place[self.codes] = np.arange(len(self.codes))
        starts = np.append(0.0, self.ends[:-1])
        return starts[place[column]] + (self.ends - starts)[place[column]] * rng.random(len(column))

    def at(self, uniforms: np.ndarray) -> np.ndarray:
        """Return the code whose interval holds each value."""
        return self.codes[np.searchsorted(self.ends[:-1], uniforms, side="right")]


@dataclass(frozen=True)
class Part:
    """What is learnt of a part."""

    values: np.ndarray  # numbers, each column sorted, float64 [n, p]
    categories: list[Categories]
    factor: np.ndarray  # lower triangle whose product with its transpose is the correlation, [p + q, p + q]

    @classmethod
    def of(cls, numeric: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> "Part":
        """Return the marginal distributions of a part's columns and the factor of the correlation of their scores."""
        categories = [Categories.of(column) for column in codes.T]
        uniforms = [ranks(column, rng) for column in numeric.T]
        uniforms += [each.uniforms(column, rng) for each, column in zip(categories, codes.T, strict=True)]
        scores = ndtri(np.clip(np.array(uniforms), np.finfo(float).tiny, 1 - np.finfo(float).epsneg))
        return cls(np.sort(numeric, axis=0), categories, np.linalg.cholesky(positive(correlation(scores))))


@dataclass(frozen=True)
class Copula:
    """The copula of each part."""

    schema: MixedSchema
    parts: dict[int, Part]

    def sample(self, part: int, rows: int, rng: np.random.Generator) -> MixedTable:
        """Return rows whose columns have the part's distributions and whose scores have its correlations."""
        learnt = self.parts[part]
        size, columns = learnt.values.shape
        uniforms = ndtr(learnt.factor @ rng.standard_normal((len(learnt.factor), rows)))
        rank = np.minimum(uniforms[:columns] * size, size - 1).astype(int)
        numeric = np.take_along_axis(learnt.values, rank.T, axis=0)
        codes = np.empty((rows, len(learnt.categories)), np.int32)
        for place, categories in enumerate(learnt.categories):
            codes[:, place] = categories.at(uniforms[columns + place])
        return MixedTable(self.schema, numeric, codes)


def fit(
    table: MixedTable, part: np.ndarray, parts: list[int], settings: Mapping[str, Any], rng: np.random.Generator
) -> Copula:
    """Return the copula of each part, which does not depend on what other parts are learnt; there are no settings."""
    base = int(rng.integers(2**31))
    learnt = {}
    for key in parts:
        rows = table.take(np.flatnonzero(part == key))
        learnt[key] = Part.of(rows.numeric, rows.codes, np.random.default_rng([base, key]))
    return Copula(table.schema, learnt)


def ranks(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rank of each value as a fraction between 0 and 1, equal values in random order, float64 [n]."""
    result = np.empty(len(values))
    result[np.lexsort((rng.random(len(values)), values))] = (np.arange(len(values)) + 0.5) / len(values)
    return result


def correlation(scores: np.ndarray) -> np.ndarray:
    """Return the correlation matrix of scores [d, n]; that of a single row is the identity."""
    if scores.shape[1] == 1:
        return np.eye(len(scores))
    return np.corrcoef(scores).reshape(len(scores), len(scores))


def positive(matrix: np.ndarray) -> np.ndarray:
    """Return a correlation matrix mixed with as little of the identity as makes its eigenvalues positive."""
    least = np.linalg.eigvalsh(matrix)[0]
    weight = max(0.0, (LEAST_EIGENVALUE - least) / (1 - least)) if least < 1 else 0.0  # of the identity all are 1
    return (1 - weight) * matrix + weight * np.eye(len(matrix))
