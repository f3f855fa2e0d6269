"""Two controls by fairlearn: thresholds per group (Hardt et al. 2016) and exponentiated gradient (Agarwal et al. 2018).

Both decide at random, so each returns the probability to accept.
"""

import warnings

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, ExponentiatedGradient
from xgboost import Booster

from scripts.common.logs import log
from scripts.income.model import Binned, Classifier


def threshold_probabilities(
    model: Booster,
    valid: tuple[np.ndarray, np.ndarray, np.ndarray],
    x: np.ndarray,
    group: np.ndarray,
) -> np.ndarray:
    """Return the probability to accept, float64 [n], under thresholds per group that equalise acceptance rates.

    Args:
        model: fitted; its probabilities are cut.
        valid: features [m, d], labels [m] and groups [m] on which the thresholds are chosen.
        x, group: the rows to decide, [n, d] and [n]. The group is needed to decide.
    """
    x_valid, y_valid, group_valid = valid
    optimizer = ThresholdOptimizer(
        estimator=Classifier().of(model),
        constraints="demographic_parity",
        objective="accuracy_score",
        prefit=True,
        predict_method="predict_proba",
    )
    with warnings.catch_warnings(record=True) as caught:  # of its libraries; they go to the log
        warnings.simplefilter("always")
        optimizer.fit(x_valid, y_valid, sensitive_features=group_valid)
        accept = optimizer._pmf_predict(x, sensitive_features=group)[:, 1]
    tell(caught)
    return accept


def gradient_probabilities(
    train: tuple[np.ndarray, np.ndarray, np.ndarray],
    x: np.ndarray,
    eps: float,
    iterations: int,
    trees: int,
    binned: Binned | None = None,
) -> np.ndarray:
    """Return the probability to accept, float64 [n], of exponentiated gradient under demographic parity.

    Args:
        train: features [m, d], labels [m] and groups [m].
        x: the rows to decide, [n, d]; their group is not needed.
        eps: allowed violation of the constraint.
        iterations: rounds at most; each fits one to a few models of `trees` trees.
        binned: the training features, if they are binned already.
    """
    x_train, y_train, group_train = train
    model = Classifier(id(x_train), trees)
    Classifier.binned[model.key] = binned or Binned(x_train)
    mitigator = ExponentiatedGradient(model, DemographicParity(), eps=eps, max_iter=iterations)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mitigator.fit(x_train, y_train, sensitive_features=group_train)
        accept = mitigator._pmf_predict(x)[:, 1]
    del Classifier.binned[model.key]
    tell(caught)
    return accept


def tell(caught: list[warnings.WarningMessage]) -> None:
    """Write the first line of each different warning to the log."""
    for message in sorted({str(warning.message).splitlines()[0] for warning in caught}):
        log.info("fairlearn: %s", message)
