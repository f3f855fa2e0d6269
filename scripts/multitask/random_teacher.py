"""Control for L2T-FMT: actions at random, as often as the learned teacher of the same seed took them."""

from typing import Any

from scripts.multitask.action_choices import evened, fairness_shares
from scripts.multitask.batch import Batch
from scripts.multitask.l2t_fmt import l2t_fmt
from scripts.multitask.training import Fit, Problem


def random_teacher(problem: Problem, sample: Batch | None, learned: Fit, **options: Any) -> Fit:
    """Return a network whose tasks take the fairness loss in a share of the steps, the same in every epoch.

    Args:
        learned: the fit whose shares of each task are matched, over all of its epochs.
        options: of `l2t_fmt`.
    """
    shares = evened(fairness_shares(learned.curve, problem.people.tasks), 0)
    return l2t_fmt(problem, sample, teacher="random", shares=shares, **options)
