"""Multi-fairness boosting post Pareto (Roy, Iosifidis, Ntoutsi, Discovery Science 2022): the choice of its round.

The booster is `fair.fit` with several attributes, the cost of a mistake being the largest one over the attributes and
the exponent times the stump's confidence. What follows picks a round by error, balance and fairness at once.
"""

from collections.abc import Sequence

import numpy as np

from scripts.boosting.fair import History, signed_gaps
from scripts.boosting.preferences import chosen
from scripts.boosting.stage_rates import RATES, by_attribute

OBJECTIVES = ("error", "balance", "MMM")


def objectives(counts: np.ndarray) -> np.ndarray:
    """Return error, |TPR - TNR| and MMM, float64 [T, 3], of counts [T, 2, ..., 2, 2, 2], an axis per attribute.

    MMM is the largest |TPR difference| or |TNR difference| of any attribute. The published balance is |TPR - TNR|, not
    the balanced error.
    """
    attributes = counts.ndim - 3
    everyone = by_attribute(counts, attributes, [])[:, 0]
    worst = []
    for k in range(attributes):
        gaps = signed_gaps(counts, attributes, k)
        worst += [np.abs(gaps["true_positive_rate"]), np.abs(gaps["true_negative_rate"])]
    balance = np.abs(RATES["true_positive_rate"](everyone) - RATES["true_negative_rate"](everyone))
    return np.stack([RATES["zero_one_loss"](everyone), balance, np.max(worst, axis=0)], axis=-1)


def not_constant(counts: np.ndarray) -> np.ndarray:
    """Return bool [T]: whether somebody is accepted and somebody is not; a constant classifier has no gap at all."""
    rate = RATES["selection_rate"](counts.reshape(len(counts), -1, 2, 2).sum(1))
    return (rate > 0) & (rate < 1)


def chosen_round(history: History, preference: Sequence[float] | None = None, guard: bool = True) -> int:
    """Return theta, how many stumps are kept: a Pareto-efficient round by the preference over `OBJECTIVES`.

    Args:
        guard: leave out rounds that accept everybody or nobody, which the released code does not.
    """
    counts = history.together
    return chosen(objectives(counts), preference, not_constant(counts) if guard else None) + 1
