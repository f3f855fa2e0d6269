"""Reweighing (Kamiran and Calders 2012): weights that make label and group independent in the training rows."""

import numpy as np


def weights(y: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the weight of every row, float64 [n]: P(group) P(label) / P(group, label).

    A row of a combination that is rarer than independence would have it weighs more than 1.
    """
    result = np.empty(len(y))
    for own in np.unique(group):
        for label in (0, 1):
            cell = (group == own) & (y == label)
            expected = (group == own).mean() * (y == label).mean()
            result[cell] = expected / max(cell.mean(), 1 / len(y))
    return result
