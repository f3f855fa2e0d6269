"""The model of the notebook: XGBoost with its defaults, on features that are binned once for all fits on the same rows.

Binning and copying the rows takes half the time of a fit of 100 trees and most of one of 20 trees. The arms of a split
differ in labels or weights alone, so they share the bins. Without weights the trees are those of `XGBClassifier` to the
bit; weights would move its bin edges a little, and here they do not.
"""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from xgboost import Booster, QuantileDMatrix, train

MOST = 1e-6  # a probability of a random decision is cut here before its log-odds are taken
TREES = 100
SETTINGS = {"objective": "binary:logistic", "nthread": 1}  # all else by default; nothing in it is random


class Binned:
    """Rows whose features are binned once, to be fitted many times."""

    def __init__(self, x: np.ndarray) -> None:
        """Bin the features [n, d]."""
        self.rows = QuantileDMatrix(x, nthread=1)

    def fit(self, y: np.ndarray, weights: np.ndarray | None = None, trees: int = TREES) -> Booster:
        """Return the default model (trees of depth 6) fitted on labels 0/1 [n] and, if given, row weights [n]."""
        self.rows.set_label(y)
        self.rows.set_weight(np.ones(len(y), np.float32) if weights is None else weights)
        return train(SETTINGS, self.rows, trees)


def fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> Booster:
    """Return the default model fitted once on features [n, d], labels 0/1 [n] and, if given, row weights [n]."""
    return Binned(x).fit(y, weights)


def scores(model: Booster, x: np.ndarray) -> np.ndarray:
    """Return the log-odds of the positive class, float32 [n]; the prediction is 1 where they are above 0."""
    return model.inplace_predict(np.asarray(x), predict_type="margin").astype(np.float32)


class Classifier(ClassifierMixin, BaseEstimator):
    """A model as fairlearn wants it: an estimator that is fitted on rows binned before, or was fitted.

    fairlearn pickles its estimator before each of its fits. A copy finds the rows by their key, so they are neither
    copied nor binned again.
    """

    binned: ClassVar[dict[int, Binned]] = {}

    def __init__(self, key: int = 0, trees: int = TREES) -> None:
        self.key = key
        self.trees = trees

    def fit(self, X, y, sample_weight=None) -> "Classifier":
        """Fit on the rows of the key, whose features `X` is taken to hold."""
        return self.of(self.binned[self.key].fit(np.asarray(y), sample_weight, self.trees))

    def of(self, model: Booster) -> "Classifier":
        """Take a fitted model over, and return self."""
        self.model_, self.classes_ = model, np.array([0, 1])
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Return the probabilities of both classes, [n, 2]."""
        positive = self.model_.inplace_predict(np.asarray(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X) -> np.ndarray:
        """Return 1 where the log-odds are above 0, [n]."""
        return (scores(self.model_, X) > 0).astype(np.int64)


def draw(accept: np.ndarray, seed: int) -> np.ndarray:
    """Return one random decision per row, int8 [n], that is 1 with probability `accept`."""
    return (np.random.default_rng(seed).random(len(accept)) < accept).astype(np.int8)
