"""The model of the notebook: XGBoost with its defaults."""

import numpy as np
from xgboost import XGBClassifier

MOST = 1e-6  # a probability of a random decision is cut here before its log-odds are taken


def boosted(trees: int = 100) -> XGBClassifier:
    """Return an unfitted XGBoost classifier with default settings (100 trees of depth 6), on one thread.

    Without row or column sampling, as by default, it has no randomness.
    """
    return XGBClassifier(n_estimators=trees, nthread=1)


def fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> XGBClassifier:
    """Return the default model fitted on features [n, d], labels 0/1 [n] and, if given, row weights [n]."""
    return boosted().fit(x, y, sample_weight=weights)


def scores(model: XGBClassifier, x: np.ndarray) -> np.ndarray:
    """Return the log-odds of the positive class, float32 [n]; the prediction is 1 where they are above 0."""
    return model.predict(x, output_margin=True).astype(np.float32)


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Return the log-odds, float32 [n], of probabilities cut at 1e-6."""
    cut = np.clip(probability, MOST, 1 - MOST)
    return np.log(cut / (1 - cut)).astype(np.float32)


def draw(accept: np.ndarray, seed: int) -> np.ndarray:
    """Return one random decision per row, int8 [n], that is 1 with probability `accept`."""
    return (np.random.default_rng(seed).random(len(accept)) < accept).astype(np.int8)
