"""Massaging (Kamiran and Calders 2009): swap the training labels that the base model is least sure of.

In the group that is accepted more often some positives are demoted, in the other one as many negatives are promoted.
In Adult that is the demotion of men and the promotion of women.
"""

from typing import NamedTuple

import numpy as np


class Swaps(NamedTuple):
    """Positions of the rows to swap, the surest choice first: as many demoted as promoted."""

    demoted: np.ndarray
    promoted: np.ndarray


def swap_count(group: np.ndarray, accepted: np.ndarray) -> float:
    """Return n = (N_0 pos_1 - N_1 pos_0) / (N_0 + N_1), before rounding; negative if group 0 is accepted more often.

    N are the rows of a group and pos those that are accepted. Lowering pos_1 by n and raising pos_0 by n
    makes both groups' shares equal.
    """
    n_1 = int((group == 1).sum())
    n_0 = len(group) - n_1
    pos_1, pos_0 = int(accepted[group == 1].sum()), int(accepted[group == 0].sum())
    return (n_0 * pos_1 - n_1 * pos_0) / (n_0 + n_1)


def candidates(y: np.ndarray, group: np.ndarray, score: np.ndarray, demote: int) -> Swaps:
    """Return all rows that may be swapped, in order of choice; ties keep the order of the rows.

    Args:
        y, group: labels and groups, 0 or 1, [n].
        score: grows with the chance of the positive class, [n].
        demote: the group whose positives are demoted, lowest score first; of the other group negatives are promoted,
            highest score first.
    """
    down, up = (np.flatnonzero((group == own) & (y == label)) for own, label in ((demote, 1), (1 - demote, 0)))
    return Swaps(down[np.argsort(score[down], kind="stable")], up[np.argsort(-score[up], kind="stable")])


def chosen_swaps(
    y: np.ndarray, group: np.ndarray, score: np.ndarray, share: float = 1.0, count_labels: bool = False
) -> Swaps:
    """Return the rows to swap by the formula; n is rounded and cannot exceed the rows that there are.

    Args:
        score: log-odds of the base model; it accepts where they are above 0.
        share: multiple of the formula's n.
        count_labels: count positive labels in the formula, as Kamiran and Calders do, in place of accepted rows.
    """
    n = swap_count(group, y > 0 if count_labels else score > 0)
    every = candidates(y, group, score, demote=int(n > 0))
    count = min(round(share * abs(n)), len(every.demoted), len(every.promoted))
    return Swaps(every.demoted[:count], every.promoted[:count])


def swapped(y: np.ndarray, swaps: Swaps) -> np.ndarray:
    """Return a copy of the labels with the chosen ones turned over."""
    y = y.copy()
    y[swaps.demoted], y[swaps.promoted] = 0, 1
    return y
