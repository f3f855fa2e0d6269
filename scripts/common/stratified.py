"""Splits of a tabular data set that keep the fraction of positives, drawn by names as in datasets.py."""

import numpy as np
from sklearn.model_selection import train_test_split

from scripts.common.errors import UserError
from scripts.common.seeds import seed_from


def stratified_split(y: np.ndarray, name: str, fraction: float, *names: object) -> tuple[np.ndarray, np.ndarray]:
    """Return sorted positions of training and of test rows, with the same fraction of positives in both.

    Args:
        name: of the data set, for the message.
        fraction: of the rows that train.

    Raises:
        UserError: a label has too few rows to stand in both parts.
    """
    try:
        train, test = train_test_split(
            np.arange(len(y)), train_size=fraction, random_state=seed_from(*names), stratify=y
        )
    except ValueError as error:
        raise UserError(f"{name}: {len(y)} rows cannot be split by label ({error}); take more rows") from error
    return np.sort(train), np.sort(test)
