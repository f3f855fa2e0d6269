"""Label poisoning: which training labels are flipped.

targeted: of one group, the rows that a logistic regression on the clean labels is most certain of and right about,
so that each flip costs the most (the published flips, recovered row for row). both: the same over all rows.
random: any rows.
"""

import numpy as np

from scripts.common.errors import UserError
from scripts.frtrain.checks import check_groups, check_rate
from scripts.frtrain.logistic import fit_logistic, with_constant

RULES = ("targeted", "both", "random")


def flipped_rows(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, rate: float, rule: str = "targeted", group: int = 1, seed: int = 0
) -> np.ndarray:
    """Return the rows whose labels are flipped, int64 [round(rate * n)], sorted.

    Args:
        x: features [n, d], those the victim sees.
        y: clean labels -1/+1 [n].
        z: groups 0/1 [n].
        rate: share of all n rows.
        group: the group under attack (rule "targeted").
        seed: of rule "random".

    Raises:
        UserError: rate or rule is unknown, a group is empty, or the group has fewer rows than are to be flipped.
    """
    check_rate(rate)
    check_groups(z, "poisoning")
    if rule not in RULES:
        raise UserError(f"frtrain: no poisoning rule {rule!r}; there are {', '.join(RULES)}")
    count = round(rate * len(y))
    if rule == "random":
        return np.sort(np.random.default_rng(seed).permutation(len(y))[:count])
    features = with_constant(x)
    margin = y * (features @ fit_logistic(features, y))
    if rule == "targeted":
        if (z == group).sum() < count:
            raise UserError(
                f"frtrain: {count} labels of group {group} are to be flipped, which has {int((z == group).sum())} rows; "
                "lower the poisoning rate or target the other group"
            )
        margin = np.where(z == group, margin, -np.inf)
    return np.sort(np.argsort(-margin, kind="stable")[:count])


def poison(x: np.ndarray, y: np.ndarray, z: np.ndarray, rate: float, **rule) -> np.ndarray:
    """Return the labels [n] with the rows of `flipped_rows` negated."""
    poisoned = y.copy()
    poisoned[flipped_rows(x, y, z, rate, **rule)] *= -1
    return poisoned
