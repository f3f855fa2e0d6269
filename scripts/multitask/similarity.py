"""Similarity of blocks of parameters: linear centred kernel alignment (CKA), and how groups of tasks merge by it."""

from collections.abc import Sequence

import numpy as np


def cka(first: np.ndarray, second: np.ndarray) -> float:
    """Return the linear CKA of two matrices with the same number of rows, between 0 and 1; NaN if one is constant.

    With K = theta theta^T and centring I: tr(I K_a I K_b) / sqrt(tr((I K_a I)^2) tr((I K_b I)^2)). The smaller of the
    two equal forms is computed (Kornblith et al. 2019, equation 5): |A^T B|^2 / (|A^T A| |B^T B|) of centred columns.
    It sees squares, so it is 1 for theta and -theta as well.
    """
    a, b = (np.asarray(values, float) - np.mean(values, axis=0, dtype=float) for values in (first, second))
    scale = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.linalg.norm(a.T @ b) ** 2 / scale) if scale > 0 else float("nan")


def similarities(parameters: Sequence[np.ndarray], measure=cka) -> np.ndarray:
    """Return the similarity of every pair of groups [G, G]; the diagonal is NaN.

    Args:
        parameters: one matrix [rows, columns] per group; groups of several blocks have them side by side in columns.
        measure: of two matrices.
    """
    found = np.full((len(parameters), len(parameters)), np.nan)
    for a in range(len(parameters)):
        for b in range(a + 1, len(parameters)):
            found[a, b] = found[b, a] = measure(parameters[a], parameters[b])
    return found


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Return the cosine of two blocks of parameters as vectors, -1 to 1; NaN if one is 0."""
    a, b = np.ravel(first).astype(float), np.ravel(second).astype(float)
    scale = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / scale) if scale > 0 else float("nan")


def greedy_pairs(similarity: np.ndarray, threshold: float) -> list[list[int]]:
    """Return groups of one or two: repeatedly the most similar pair left, as long as it reaches the threshold.

    Args:
        similarity: [G, G], symmetric; NaN pairs are never merged.
        threshold: tau, the smallest similarity of a pair.
    """
    left, groups = set(range(len(similarity))), []
    pairs = [
        (-similarity[a, b], a, b) for a in left for b in left if a < b and similarity[a, b] >= threshold
    ]  # NaN compares false
    for _, a, b in sorted(pairs):
        if {a, b} <= left:
            groups.append([a, b])
            left -= {a, b}
    return sorted([*groups, *([single] for single in left)])


def second_nearest_pairs(similarity: np.ndarray) -> list[list[int]]:
    """Return the pairs that the published code merges: tasks that are each other's second most similar.

    It sorts every row, whose diagonal is 0, in descending order and takes entry 1 for the nearest, whatever the
    similarity is; with two groups there is no second one but the diagonal, so nothing is merged.
    """
    filled = np.where(np.isnan(similarity), 0.0, similarity)
    np.fill_diagonal(filled, 0.0)
    nearest = np.argsort(-filled, axis=1, kind="stable")[:, 1] if len(filled) > 1 else np.zeros(1, int)
    groups, left = [], set(range(len(filled)))
    for a in range(len(filled)):
        b = int(nearest[a])
        if a < b and nearest[b] == a and {a, b} <= left:
            groups.append([a, b])
            left -= {a, b}
    return sorted([*groups, *([single] for single in left)])
