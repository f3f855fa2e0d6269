"""Peers by well-kept libraries: scikit-learn's AdaBoost, and fairlearn's two methods around logistic regression.

Agarwal et al. 2018 (exponentiated gradient) and Hardt et al. 2016 (thresholds per group) decide at random, so both
return the chance of being accepted. Thresholds need the group of whoever is decided on.
"""

import warnings

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import EqualizedOdds, ExponentiatedGradient
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from scripts.common.logs import log

Part = tuple[np.ndarray, np.ndarray, np.ndarray]  # features [n, d], labels [n], joint group [n]


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
    mitigator = ExponentiatedGradient(logistic(), EqualizedOdds(), eps=eps, max_iter=iterations)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mitigator.fit(train[0], train[1], sensitive_features=train[2])
        chances = mitigator._pmf_predict(x)[:, 1].clip(0, 1)  # rounding
    tell(caught)
    return chances


def threshold_chances(train: Part, x: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the chance of being accepted, float64 [n], of thresholds per group that equalise TPR and FPR."""
    optimizer = ThresholdOptimizer(
        estimator=logistic(),
        constraints="equalized_odds",
        objective="balanced_accuracy_score",
        predict_method="predict_proba",
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer.fit(train[0], train[1], sensitive_features=train[2])
        chances = optimizer._pmf_predict(x, sensitive_features=group)[:, 1].clip(0, 1)
    tell(caught)
    return chances


def log_odds(chances: np.ndarray) -> np.ndarray:
    """Return log-odds, float32 [n], of probabilities; 0 and 1 become the smallest and largest finite ones."""
    chances = np.clip(chances, 1e-7, 1 - 1e-7)
    return np.log(chances / (1 - chances)).astype(np.float32)


def tell(caught: list[warnings.WarningMessage]) -> None:
    """Write the first line of each different warning to the log."""
    for message in sorted({str(warning.message).splitlines()[0] for warning in caught}):
        log.info("fairlearn: %s", message)
