"""All group metrics of one file of predictions: of everyone, of each attribute and of their combinations."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from scripts.common import metrics
from scripts.common.group_metrics import group_metrics, group_rates
from scripts.common.intervals import MEASURED

MOST_COMBINATIONS = 400
BY = " x "  # joins attributes, and the names of a combination's groups


def combinations_of(attributes: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the sets of attributes whose groups are compared: each alone, all pairs, and all together."""
    pairs = list(combinations(attributes, 2))
    together = [tuple(attributes)] if len(attributes) > 2 else []
    return [*((name,) for name in attributes), *pairs, *together]


def joint_groups(
    codes: Mapping[str, np.ndarray], groups: Mapping[str, Sequence[str]], names: Sequence[str]
) -> tuple[np.ndarray, list[str]]:
    """Return the code of every row, int64 [n], and the names of the combinations of groups that have rows."""
    joint = np.zeros(len(codes[names[0]]), np.int64)
    for name in names:
        joint = joint * len(groups[name]) + codes[name]
    present, codes_of_rows = np.unique(joint, return_inverse=True)
    shape = [len(groups[name]) for name in names]
    parts = zip(*np.unravel_index(present, shape), strict=True)
    return codes_of_rows, [
        BY.join(groups[name][place] for name, place in zip(names, places, strict=True)) for places in parts
    ]


def measure(y_true: np.ndarray, y_pred: np.ndarray, codes: Mapping, groups: Mapping) -> tuple[pd.DataFrame, list[str]]:
    """Return one row (`MEASURED`) per number, and warnings.

    Args:
        y_true, y_pred: 0 or 1, [n].
        codes, groups: attribute -> group of every row, and names of the groups.
    """
    everyone = metrics.count_table(y_true, y_pred)
    rows, warnings = group_rates(everyone[None], ["all"], "none"), []
    for names in combinations_of(list(codes)):
        joint, subgroups = joint_groups(codes, groups, names)
        attribute = BY.join(names)
        if len(names) > 1 and len(subgroups) > MOST_COMBINATIONS:
            warnings.append(f"{attribute}: {len(subgroups):,} combinations of groups, too many to compare; left out.")
            continue
        table = metrics.count_table(y_true, y_pred, joint, sizes=[len(subgroups)])
        rows += group_metrics(table, subgroups, attribute)
    return pd.DataFrame(rows, columns=MEASURED), warnings
