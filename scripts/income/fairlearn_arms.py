"""Two controls by fairlearn: thresholds per group (Hardt et al. 2016) and exponentiated gradient (Agarwal et al. 2018).

Both decide at random, so each returns the probability to accept.
"""

import numpy as np
from xgboost import Booster

from scripts.common.mitigations import fit_reduction, reduction_probability, threshold_probability
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
    return threshold_probability(Classifier().of(model), "demographic_parity", valid, x, group, prefit=True)


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
    try:
        fitted = fit_reduction(model, "demographic_parity", x_train, y_train, group_train, eps, iterations)
        return reduction_probability(fitted, x)
    finally:
        del Classifier.binned[model.key]
