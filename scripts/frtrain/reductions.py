"""The outside reference: fairlearn's ExponentiatedGradient (Agarwal et al., ICML 2018) over logistic regressions."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from scripts.common.log_odds import log_odds
from scripts.common.mitigations import fit_reduction, reduction_labels, reduction_probability

MARGIN = 1e-6  # the score of a certain decision is the log-odds of this


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
    constraint = "equalized_odds" if odds else "demographic_parity"
    rows, labels, groups = pd.DataFrame(x), pd.Series((y > 0).astype(int)), pd.Series(z.astype(int))
    model, seen = fit_reduction(LogisticRegression(), constraint, rows, labels, groups, eps), pd.DataFrame(every_x)
    score = log_odds(reduction_probability(model, seen), MARGIN).astype(np.float32)
    return score, reduction_labels(model, seen, seed) > 0
