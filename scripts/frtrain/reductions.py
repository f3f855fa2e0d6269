"""The outside reference: fairlearn's ExponentiatedGradient (Agarwal et al., ICML 2018) over logistic regressions."""

import warnings

import numpy as np
import pandas as pd
from fairlearn.reductions import DemographicParity, EqualizedOdds, ExponentiatedGradient
from sklearn.linear_model import LogisticRegression

from scripts.common.logs import log


def fit_reductions(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, every_x: np.ndarray, eps: float, odds: bool, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return log-odds float32 [n] and decisions bool [n] for all rows of `every_x` [n, d].

    The classifier is a random mixture, so a decision is a draw (with `seed`); the score is the log-odds of the
    mixture's probability to accept, cut at 1e-6.

    Args:
        x, y, z: training rows [m, d], labels -1/+1 and groups [m].
        eps: allowed violation of the constraint, the knob.
    """
    constraint = EqualizedOdds() if odds else DemographicParity()
    mitigator = ExponentiatedGradient(LogisticRegression(), constraint, eps=eps)
    with warnings.catch_warnings(record=True) as caught:  # of its libraries; they go to the log
        warnings.simplefilter("always")
        mitigator.fit(pd.DataFrame(x), pd.Series((y > 0).astype(int)), sensitive_features=pd.Series(z.astype(int)))
        accept = np.clip(mitigator._pmf_predict(pd.DataFrame(every_x))[:, 1], 1e-6, 1 - 1e-6)
        decisions = mitigator.predict(pd.DataFrame(every_x), random_state=seed) > 0
    for message in {str(warning.message).splitlines()[0] for warning in caught}:
        log.info("fairlearn: %s", message)
    return np.log(accept / (1 - accept)).astype(np.float32), np.asarray(decisions, dtype=bool)
