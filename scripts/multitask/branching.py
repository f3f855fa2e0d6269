"""FairBranch as one of the methods: network, options, and the rule that picks the epoch."""

from dataclasses import replace
from typing import Any

from scripts.common.errors import UserError
from scripts.multitask.batch import Batch
from scripts.multitask.conflicts import conflict_count
from scripts.multitask.fairbranch import FairBranch, Options
from scripts.multitask.training import Fit, Problem, fit


def train(
    problem: Problem,
    sample: Batch | None,
    select_by_conflicts: bool = False,
    identical_heads: bool = False,
    **options: Any,
) -> Fit:
    """Return the network of FairBranch; with its branchings.

    Args:
        sample: needed to select by conflicts.
        select_by_conflicts: keep the epoch with the fewest conflicts of gradients, as published, in place of the lowest
            validation loss.
        identical_heads: start all heads alike, as published. Their similarity is then close to 1 before anything is
            learned, so tau never decides, and the shared network learns later.
        options: of `fairbranch.Options`.

    Raises:
        UserError: there is no sample to select by.
    """
    if select_by_conflicts and sample is None:
        raise UserError(f"multitask: {problem.dataset}: select_by_conflicts counts conflicts; set sample_rows above 0")
    network = problem.network(same_heads=identical_heads)
    method = FairBranch(network, Options(**options), problem.generator("fairbranch"), problem.people.tasks)
    objective = conflict_count if select_by_conflicts else None
    found = fit(problem, network, method, sample=sample, objective=objective)
    return replace(found, passes=method.passes, branchings=method.branchings)
