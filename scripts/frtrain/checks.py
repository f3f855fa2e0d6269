"""What data and settings must be like before anything is fitted: one line for each mistake."""

import numpy as np
from numpy.typing import ArrayLike

from scripts.common.errors import UserError


def signed_labels(labels: ArrayLike, name: str) -> np.ndarray:
    """Return labels of -1/+1 or 0/1 as float32 -1/+1, [n].

    Raises:
        UserError: another value occurs.
    """
    labels = np.asarray(labels, dtype=float)
    good = np.isin(labels, (-1, 1)) if (labels < 0).any() else np.isin(labels, (0, 1))
    if not good.all():
        raise UserError(f"{name}: labels must be -1/+1 or 0/1, found {labels[~good][0]:g}; recode the label column")
    return (np.where(labels > 0, 1, -1)).astype(np.float32)


def check_features(features: ArrayLike, names: list[str], name: str) -> None:
    """Check that every feature [n, d] is a finite number.

    Raises:
        UserError: names the first column with NaN or infinite values and how many there are.
    """
    bad = ~np.isfinite(np.asarray(features, dtype=float))
    if bad.any():
        column = int(bad.any(axis=0).argmax())
        count = int(bad[:, column].sum())
        raise UserError(f"{name}: feature {names[column]} holds {count} NaN or infinite values; drop or fill those rows")


def check_groups(groups: ArrayLike, name: str) -> None:
    """Check that groups [n] are 0 or 1 and that both occur.

    Raises:
        UserError: another value occurs, or a group is empty.
    """
    groups = np.asarray(groups)
    good = np.isin(groups, (0, 1))
    if not good.all():
        raise UserError(f"{name}: groups must be 0 or 1, found {groups[~good][0]:g}; recode the attribute")
    for code in (0, 1):
        if not (groups == code).any():
            raise UserError(f"{name}: group {code} has no rows; take more rows or another attribute")


def check_rate(rate: float) -> None:
    """Check a poisoning rate.

    Raises:
        UserError: it is outside [0, 0.5].
    """
    if not 0 <= rate <= 0.5:
        raise UserError(f"frtrain: a poisoning rate must lie in [0, 0.5], found {rate:g}; mend it in the config")
