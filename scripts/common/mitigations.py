"""Mitigations by fairlearn, behind one interface: exponentiated gradient (reductions) and thresholds per group.

Agarwal et al. 2018, "A reductions approach to fair classification"; Hardt et al. 2016, "Equality of opportunity in
supervised learning". Both decide at random, so each returns the probability of label 1. Attributes may have any number
of groups. fairlearn costs a second to import, so it is imported when a model is fitted.
"""

import contextlib
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from scripts.common.logs import log

if TYPE_CHECKING:
    from fairlearn.reductions import ExponentiatedGradient

CONSTRAINTS = {  # fairlearn's moment of the constraint, by its name in scripts/common/metrics.yaml
    "demographic_parity": "DemographicParity",
    "equalized_odds": "EqualizedOdds",
    "true_positive_rate_parity": "TruePositiveRateParity",
    "false_positive_rate_parity": "FalsePositiveRateParity",
}


@contextlib.contextmanager
def warnings_to_log() -> Iterator[None]:
    """Write the first line of each different warning of the libraries below to the log, once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for message in sorted({str(warning.message).splitlines()[0] for warning in caught}):
        log.info("fairlearn: %s", message)


def fit_reduction(
    estimator: Any,
    constraint: str,
    x: Any,
    y: Any,
    groups: Any,
    eps: float,
    iterations: int = 50,
    difference_bound: float | None = None,
) -> "ExponentiatedGradient":
    """Return fairlearn's exponentiated gradient, fitted: a random mixture of fits of the estimator.

    Args:
        estimator: unfitted; its `fit` takes `sample_weight`.
        constraint: one of `CONSTRAINTS`.
        x, y, groups: training rows [n, d], labels 0/1 and groups [n], as the estimator wants them.
        eps: allowed violation of the constraint.
        iterations: rounds at most; each fits one to a few models.
        difference_bound: of the constraint itself; fairlearn's default unless given.

    Raises:
        ValueError: the constraint is unknown.
    """
    if constraint not in CONSTRAINTS:
        raise ValueError(f"unknown constraint {constraint!r}; choose one of {', '.join(CONSTRAINTS)}")
    from fairlearn import reductions

    bound = {} if difference_bound is None else {"difference_bound": difference_bound}
    moment = getattr(reductions, CONSTRAINTS[constraint])(**bound)
    model = reductions.ExponentiatedGradient(estimator, moment, eps=eps, max_iter=iterations)
    with warnings_to_log():
        model.fit(x, y, sensitive_features=groups)
    return model


def reduction_probability(model: "ExponentiatedGradient", x: Any) -> np.ndarray:
    """Return the probability of label 1, float64 [n] in [0, 1], of a fitted exponentiated gradient."""
    with warnings_to_log():
        return np.clip(np.asarray(model._pmf_predict(x))[:, 1], 0, 1)  # no public name; beyond 0 and 1 by rounding


def reduction_labels(model: "ExponentiatedGradient", x: Any, seed: int) -> np.ndarray:
    """Return labels [n] drawn by a fitted exponentiated gradient with `seed`."""
    with warnings_to_log():
        return np.asarray(model.predict(x, random_state=seed))


def threshold_probability(
    estimator: Any,
    constraint: str,
    fitted_on: tuple[Any, Any, Any],
    x: Any,
    groups: Any,
    objective: str = "accuracy_score",
    prefit: bool = False,
) -> np.ndarray:
    """Return the probability of label 1, float64 [n] in [0, 1], under thresholds per group.

    Args:
        estimator: its probabilities are cut; it is fitted here unless `prefit`.
        constraint: that of fairlearn's ThresholdOptimizer, such as demographic_parity or equalized_odds.
        fitted_on: features [m, d], labels [m] and groups [m] on which the thresholds are chosen.
        x, groups: the rows to decide, [n, d] and [n]. The group is needed to decide.
        objective: what the thresholds maximise under the constraint.
    """
    from fairlearn.postprocessing import ThresholdOptimizer

    features, labels, sides = fitted_on
    model = ThresholdOptimizer(
        estimator=estimator,
        constraints=constraint,
        objective=objective,
        prefit=prefit,
        predict_method="predict_proba",
    )
    with warnings_to_log():
        model.fit(features, labels, sensitive_features=sides)
        return np.clip(np.asarray(model._pmf_predict(x, sensitive_features=groups))[:, 1], 0, 1)
