"""WB-fair: scores mapped to the Wasserstein barycentre of the groups' distributions, after training.

Hu, Ratz, Charpentier, "Fairness in Multi-Task Learning via Wasserstein Barycenters", ECML PKDD 2023: a score p of group
s becomes the sum over groups g of their fraction times Q_g(F_s(p)), so that all groups have one distribution of scores:
demographic parity, not equal odds. The group must be known at test time, and is an input of the map.

Ours: scores are probabilities of label 1; F and Q are lines through the sorted scores of the validation rows (or
training rows) and their middle ranks, with (0, 0) and (1, 1) as ends, in place of steps with jitter. The map so rises
strictly within a group, and changes nothing where there is one group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scripts.common.errors import UserError
from scripts.common.log_odds import log_odds
from scripts.multitask.batch import Batch
from scripts.multitask.simple import fixed_weight
from scripts.multitask.training import Fit, Problem, fit

MARGIN = 1e-12  # distance of probabilities from 0 and 1


def probability(values: np.ndarray) -> np.ndarray:
    """Return the probability of log-odds, float64, kept off 0 and 1."""
    return np.clip(1 / (1 + np.exp(-np.asarray(values, float))), MARGIN, 1 - MARGIN)


class Barycentre:
    """The map of one task.

    Args:
        scores: probabilities [n].
        groups: codes [n], below `group_count`; each must occur.
        group_count: number of groups.
    """

    def __init__(self, scores: np.ndarray, groups: np.ndarray, group_count: int) -> None:
        self.fractions = np.bincount(groups, minlength=group_count) / len(groups)
        self.lines = [_line(scores[groups == group]) for group in range(group_count)]

    def __call__(self, scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Return the mapped probabilities [n] of rows of known groups."""
        ranks = np.empty(len(scores))
        for group, (values, places) in enumerate(self.lines):
            rows = groups == group
            ranks[rows] = np.interp(scores[rows], values, places)
        quantiles = [np.interp(ranks, places, values) for values, places in self.lines]
        return self.fractions @ np.stack(quantiles)


def _line(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct scores with their middle ranks in (0, 1), and the two ends."""
    values, counts = np.unique(scores, return_counts=True)
    places = (np.cumsum(counts) - counts / 2) / len(scores)
    return np.r_[0.0, values, 1.0], np.r_[0.0, places, 1.0]


@dataclass
class GroupwiseFit(Fit):
    """A trained network whose log-odds are mapped by group, with a map per task."""

    maps: Sequence[Barycentre] = ()

    def log_odds(self, rows: Batch) -> np.ndarray:
        """Return the mapped log-odds of some rows and all tasks, float32 [n, T]; the rows' groups are read."""
        scores, groups = probability(super().log_odds(rows)), rows.groups.numpy()
        columns = [one(scores[:, task], groups) for task, one in enumerate(self.maps)]
        return log_odds(np.stack(columns, axis=1), MARGIN).astype(np.float32)


def post_process(found: Fit, rows: Batch) -> GroupwiseFit:
    """Return a fit whose scores are mapped to the barycentres of some rows.

    Raises:
        UserError: a group has no row.
    """
    scores, groups = probability(found.log_odds(rows)), rows.groups.numpy()
    absent = np.flatnonzero(np.bincount(groups, minlength=rows.group_count) == 0)
    if len(absent):
        raise UserError(f"multitask: group {absent[0]} has no row to map scores by; give it rows or leave WB-fair out")
    maps = [Barycentre(scores[:, task], groups, rows.group_count) for task in range(scores.shape[1])]
    return GroupwiseFit(**vars(found), maps=maps)


def wb_fair(
    problem: Problem,
    sample: Batch | None = None,
    *,
    rows: str = "valid",
    fair_weight: float = 0.0,
    learned: Fit | None = None,
) -> GroupwiseFit:
    """Return a plainly trained network with its scores mapped to the barycentre of the groups.

    Args:
        problem: what is learned.
        sample: as in `training.fit`.
        rows: "valid" or "train", those whose scores define the map.
        fair_weight: w of L_t + w F_t; 0 is the published form.
        learned: a fit to map in place of a new one; the weight is then that of its training.
    """
    if learned is None:
        learned = fit(problem, problem.network(), fixed_weight(fair_weight), sample=sample)
    return post_process(learned, {"valid": problem.valid, "train": problem.train}[rows])
