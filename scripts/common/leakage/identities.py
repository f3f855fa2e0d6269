"""Identities that hold on every sample: a row of the audit that breaks one is a fault of ours, and fails the rule."""

from itertools import product

import numpy as np

from scripts.common.leakage.attacks import balanced
from scripts.common.leakage.bounds import best_accuracy, parity_gap

EXACT = 1e-12
MOST_MAPS = 4096


def table(outputs: np.ndarray, groups: np.ndarray, k: int) -> np.ndarray:
    """Return the counts [m, k] of outputs 0 .. m - 1 (at least two) and groups."""
    m = max(2, int(outputs.max(initial=0)) + 1)
    return np.bincount(outputs * k + groups, minlength=m * k).reshape(m, k)


def best_map_by_trying(outputs: np.ndarray, groups: np.ndarray, k: int) -> float:
    """Return the best balanced accuracy over all k**m maps, each judged person by person; nan if they are too many."""
    m = max(2, int(outputs.max(initial=0)) + 1)
    if k**m > MOST_MAPS:
        return float("nan")
    return max(balanced(np.array(attack)[outputs], groups, k) for attack in product(range(k), repeat=m))


def broken(outputs: np.ndarray, groups: np.ndarray, k: int, attack_accuracy: float) -> list[str]:
    """Return which identities a label row breaks, in words; all groups must have rows.

    Args:
        outputs, groups: label and group of the rows that judge the attack.
        attack_accuracy: balanced accuracy on them of a label attack that was fitted on other rows.
    """
    counts, found = table(outputs, groups, k), []
    best, tried = best_accuracy(counts), best_map_by_trying(outputs, groups, k)
    if abs(best - tried) > EXACT:  # false for nan: too many maps to try
        found.append(f"the best of all maps has {tried!r}, the formula says {best!r}")
    if attack_accuracy > best + EXACT:
        found.append(f"an attack has {attack_accuracy!r}, more than the possible {best!r}")
    if len(counts) == 2:
        gap = parity_gap(counts)
        if abs(best - (1 + gap) / k) > EXACT:
            found.append(f"the best accuracy {best!r} is not (1 + gap)/k = {(1 + gap) / k!r}")
        allowed = ((1 + gap) / 2, (1 - gap) / 2, 0.5)
        if k == 2 and min(abs(attack_accuracy - value) for value in allowed) > EXACT:
            found.append(f"a label attack has {attack_accuracy!r}, none of {allowed}")
    return found
