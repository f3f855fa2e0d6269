"""Sampling plans: how many synthetic rows each cell (group, label) or each group of the training rows gets.

Source: section 2 of the study's reference; Panagiotou, Roy and Ntoutsi 2024. Real rows are always kept.
"""

from collections.abc import Sequence

import numpy as np

from scripts.common.errors import UserError

CLASS, CLASS_PROTECTED, PROTECTED, SAME_CLASS = "class", "class_protected", "protected", "same_class"
PLANS = (CLASS, CLASS_PROTECTED, PROTECTED, SAME_CLASS)
TITLES = {
    CLASS: "class",
    CLASS_PROTECTED: "class and group",
    PROTECTED: "group",
    SAME_CLASS: "class ratio",
}


def by_group(plan: str) -> bool:
    """Return whether a plan fills whole groups, with the label as one more column, instead of cells."""
    return plan == PROTECTED


def rows_to_add(plan: str, counts: np.ndarray, groups: Sequence[str] = ()) -> np.ndarray:
    """Return the number of rows that a plan adds: int64 [G, 2] per group and label, or [G] for `protected`.

    With c(g, y) the counts, N_g the size of group g, G the largest group (the first on a tie) and y* its majority label
    (0 on a tie):

        class            max_y' c(g, y') - c(g, y)
        class_protected  c(G, y*) - c(g, y), or 0 where a smaller group has more rows than that
        protected        N_G - N_g
        same_class       floor((p_y N_g - c(g, y)) / (1 - p_y)) where positive, p_y = c(G, y) / N_G, of each other group

    Args:
        counts: training rows per group and label, int [G, 2].
        groups: names of the groups, for messages.

    Raises:
        UserError: the plan is unknown, or the largest group has one label only and the plan is same_class.
    """
    counts = np.asarray(counts, np.int64)
    sizes = counts.sum(1)
    largest = int(sizes.argmax())
    if plan == CLASS:
        return counts.max(1, keepdims=True) - counts
    if plan == CLASS_PROTECTED:
        return np.maximum(counts[largest].max() - counts, 0)
    if plan == PROTECTED:
        return sizes[largest] - sizes
    if plan != SAME_CLASS:
        raise UserError(f"no sampling plan {plan!r}; there are {', '.join(PLANS)}")
    if (counts[largest] == 0).any():
        name = groups[largest] if len(groups) else f"group {largest}"
        raise UserError(
            f"plan same_class: the largest group, {name}, has one label only in its {sizes[largest]:,} training rows, "
            "so there is no ratio to copy; take another plan"
        )
    # In integers: p N - c over 1 - p is (c_G N - c N_G) / (N_G - c_G), exact where floating point may fall below.
    surplus = counts[largest] * sizes[:, None] - counts * sizes[largest]
    added = np.maximum(surplus // (sizes[largest] - counts[largest]), 0)
    added[largest] = 0
    return added


def weights_of(counts: np.ndarray, added: np.ndarray) -> np.ndarray:
    """Return the weight of a row per group and label, float64 [G, 2], that stands for the added rows: (c + n) / c.

    It is the expectation of drawing copies. A plan over whole groups draws labels as they occur there. A cell without
    rows has weight 1.
    """
    if added.ndim == 1:
        sizes = counts.sum(1)
        return np.repeat(((sizes + added) / np.maximum(sizes, 1))[:, None], 2, axis=1)
    return np.where(counts > 0, (counts + added) / np.maximum(counts, 1), 1.0)


def reweighing(counts: np.ndarray) -> np.ndarray:
    """Return P(g) P(y) / P(g, y) per group and label, float64 [G, 2] (Kamiran and Calders 2012); 1 without rows."""
    counts = np.asarray(counts, float)
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / counts.sum()
    return np.where(counts > 0, expected / np.maximum(counts, 1), 1.0)


def at_dose(added: np.ndarray, dose: float) -> np.ndarray:
    """Return how many rows are added when a plan is carried out to a fraction of its rows, rounded down."""
    return np.floor(added * dose + 1e-9).astype(np.int64)
