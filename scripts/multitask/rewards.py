"""Rewards of L2T-FMT's teacher: how accurate and how fair a copy of the student is, against the best values so far."""

import torch
from torch import Tensor

from scripts.multitask.losses import subgroup_means


def accuracies(margins: Tensor, labels: Tensor) -> Tensor:
    """Return the fraction of right predictions [K] of K classifiers, from log-odds [K, n] and labels [n, K]."""
    return _right(margins, labels).mean(1)


def equalized_odds(margins: Tensor, labels: Tensor, groups: Tensor, group_count: int) -> Tensor:
    """Return EO = |TPR gap| + |TNR gap| of K classifiers [K], 0 to 2; a gap is the largest rate minus the smallest.

    A group without rows of a label has no rate there. A label with fewer than two rates has no gap and adds nothing;
    without any gap EO is NaN.

    Args:
        margins: log-odds of label 1 [K, n].
        labels: [n, K], 0 or 1.
        groups: codes [n] below `group_count`.
    """
    rates, counts = subgroup_means(_right(margins, labels), labels, groups, group_count)  # TNR and TPR [K, 2, G]
    present = counts > 0
    infinite = rates.new_tensor(float("inf"))
    gaps = torch.where(present, rates, -infinite).amax(2) - torch.where(present, rates, infinite).amin(2)
    defined = present.sum(2) > 1
    total = torch.where(defined, gaps, torch.zeros_like(gaps)).sum(1)
    return torch.where(defined.any(1), total, torch.full_like(total, float("nan")))


def _right(margins: Tensor, labels: Tensor) -> Tensor:
    return ((margins > 0) == (labels.T > 0)).float()


def rewards(accuracy: Tensor, fairness: Tensor, best_accuracy: Tensor, best_fairness: Tensor) -> Tensor:
    """Return min((acc - acc*) / acc*, (f - f*) / f*) with fairness f = 1 - EO, in the shape of the first two.

    A part whose best value is not above 0, or which is not defined (NaN), is left out; without both parts it is NaN.
    """
    return torch.fmin(_gain(accuracy, best_accuracy), _gain(fairness, best_fairness))


def _gain(value: Tensor, best: Tensor) -> Tensor:
    return torch.where(best > 0, (value - best) / best, torch.full_like(value, float("nan")))


class Best:
    """The best accuracy and the best fairness 1 - EO of every task on the validation rows so far, each [T].

    Args:
        star_as_eo: a published fault: the first best fairness is EO, and values of 1 - EO take its place later.
    """

    def __init__(self, tasks: int, star_as_eo: bool = False) -> None:
        self.accuracy, self.fairness = torch.full((2, tasks), float("nan"))
        self.star_as_eo, self.seen = star_as_eo, False

    def see(self, accuracy: Tensor, odds: Tensor) -> None:
        """Take in the accuracy and EO [T] of an epoch."""
        fairness = odds if self.star_as_eo and not self.seen else 1 - odds
        self.accuracy = torch.fmax(self.accuracy, accuracy)
        self.fairness = torch.fmax(self.fairness, fairness)
        self.seen = True
