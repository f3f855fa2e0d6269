"""Peers by well-kept libraries: scikit-learn's AdaBoost, and fairlearn's two methods around logistic regression.

Agarwal et al. 2018 (exponentiated gradient) and Hardt et al. 2016 (thresholds per group) decide at random, so both
return the chance of being accepted. Thresholds need the group of whoever is decided on.
"""

import numpy as np
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from scripts.common.mitigations import fit_reduction, reduction_probability, threshold_probability

Part = tuple[np.ndarray, np.ndarray, np.ndarray]  # features [n, d], labels [n], joint group [n]
MARGIN = 1e-7  # the score of a certain decision is the log-odds of this


def logistic() -> LogisticRegression:
    """Return the model that both fairlearn methods build on."""
    return LogisticRegression(C=1.0, max_iter=60, tol=1e-3)


def adaboost_scores(train: Part, x: np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """Return the log-odds, float64 [n], of scikit-learn's AdaBoost of stumps."""
    stump = DecisionTreeClassifier(max_depth=1)
    model = AdaBoostClassifier(stump, n_estimators=rounds, random_state=seed).fit(train[0], train[1])
    # its decision function is the mean vote; the sum is on the scale of our own booster
    return model.decision_function(x) * model.estimator_weights_.sum()


def gradient_chances(train: Part, x: np.ndarray, eps: float, iterations: int) -> np.ndarray:
    """Return the chance of being accepted, float64 [n], of exponentiated gradient under equalized odds."""
    return reduction_probability(fit_reduction(logistic(), "equalized_odds", *train, eps, iterations), x)


def threshold_chances(train: Part, x: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the chance of being accepted, float64 [n], of thresholds per group that equalise TPR and FPR."""
    return threshold_probability(logistic(), "equalized_odds", train, x, group, "balanced_accuracy_score")
