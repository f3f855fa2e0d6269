"""Classifiers of the study: gradient boosting by xgboost with categories, and logistic regression as a second one."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scripts.common.mixed_table import MixedTable


def matrix(table: MixedTable) -> tuple[np.ndarray, list[str]]:
    """Return the features, float32 [n, p + q], and the type of each for xgboost: "q" a number, "c" a category.

    xgboost reads the codes as they are, so a category has the same code in every subset of the rows, also one that no
    training row has: data frames would be coded anew by some versions and refused by others.
    """
    types = ["q"] * table.numeric.shape[1] + ["c"] * table.codes.shape[1]
    return np.concatenate([table.numeric, table.codes], axis=1, dtype=np.float32, casting="same_kind"), types


def boosted_log_odds(
    train: MixedTable, y: np.ndarray, test: MixedTable, settings: Mapping[str, Any], weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the log-odds of label 1 of the test rows, float32 [m], by a booster fitted on the training rows.

    Args:
        y: labels of the training rows, 0 or 1 [n].
        settings: rounds, depth, learning_rate; all else is xgboost's default for histograms.
        weight: of the training rows, positive [n]; 1 by default.
    """
    import xgboost

    features, types = matrix(train)
    data = xgboost.QuantileDMatrix(
        features,
        y.astype(np.float32),
        weight=weight,
        feature_types=types,
        enable_categorical=True,
        nthread=1,
        max_bin=256,
    )
    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": settings["depth"],
        "learning_rate": settings["learning_rate"],
        "nthread": 1,
    }
    booster = xgboost.train(parameters, data, settings["rounds"])
    given = xgboost.DMatrix(matrix(test)[0], feature_types=types, enable_categorical=True, nthread=1)
    return booster.predict(given, output_margin=True).astype(np.float32)


def logistic_log_odds(
    train: MixedTable, y: np.ndarray, test: MixedTable, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the log-odds of label 1 of the test rows, float32 [m], by logistic regression.

    Numbers are standardised by the training rows, categories are one-hot over their full range.
    """
    from sklearn.linear_model import LogisticRegression

    mean, spread = train.numeric.mean(0), train.numeric.std(0)
    spread = np.where(spread > 0, spread, np.inf)
    encoded = [_one_hot(table, mean, spread) for table in (train, test)]
    model = LogisticRegression(max_iter=300).fit(encoded[0], y, sample_weight=weight)
    return model.decision_function(encoded[1]).astype(np.float32)


def _one_hot(table: MixedTable, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    columns = [(table.numeric - mean) / spread]
    for place, size in enumerate(table.schema.sizes):
        columns.append(table.codes[:, [place]] == np.arange(size))
    return np.concatenate(columns, axis=1, dtype=np.float64)


def probability(log_odds: np.ndarray) -> np.ndarray:
    """Return the probability of label 1, float64 [n]."""
    return 1 / (1 + np.exp(-log_odds.astype(np.float64)))
