"""FairBranch's loss on branches that are known: a control for data whose clusters of tasks are given."""

from dataclasses import replace
from typing import Any

from scripts.common.errors import UserError
from scripts.multitask.batch import Batch
from scripts.multitask.fairbranch import FairBranch, Options
from scripts.multitask.training import Fit, Problem, fit


def train(problem: Problem, sample: Batch | None, **options: Any) -> Fit:
    """Return a network whose layers above the first have a branch per cluster from the start, and keep them.

    Raises:
        UserError: the clusters of the tasks are not known.
    """
    clusters = problem.people.clusters
    if not clusters:
        raise UserError(f"multitask: {problem.dataset}: no clusters of tasks are known; leave fairbranch_oracle out")
    layers, tasks = len(problem.settings.widths), range(problem.tasks)
    known = [[task for task in tasks if clusters[task] == cluster] for cluster in sorted(set(clusters))]
    network = problem.network([[tasks], *[known] * (layers - 1)])
    never = problem.settings.epochs + 1
    chosen = Options(**{"branch_every": never, **options})
    method = FairBranch(network, chosen, problem.generator("fairbranch"), problem.people.tasks)
    method.depth = 0
    found = fit(problem, network, method, sample=sample)
    return replace(found, passes=method.passes)
