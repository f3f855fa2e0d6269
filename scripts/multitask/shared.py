"""Networks trained on a sum of losses: one shared network, or a network per task stacked into one."""

from collections.abc import Callable

from scripts.multitask.batch import Batch
from scripts.multitask.simple import (
    FrozenTrunk,
    SummedLosses,
    class_balanced,
    fairness_only,
    fixed_weight,
    greedy,
    vanilla,
)
from scripts.multitask.training import Fit, Problem, fit

RULES: dict[str, Callable[..., SummedLosses]] = {
    "vanilla": vanilla,
    "fixed": fixed_weight,
    "class_balanced": class_balanced,
    "greedy": greedy,
    "fairness_only": fairness_only,
}


def train(
    problem: Problem,
    sample: Batch | None,
    rule: str,
    weight: float | None = None,
    separate: bool = False,
    frozen_trunk: bool = False,
) -> Fit:
    """Return the trained network of a rule.

    Args:
        rule: one of RULES.
        weight: of F_t, for rules that have one.
        separate: a network per task (STL) in place of a shared one.
        frozen_trunk: a published fault, see `simple.FrozenTrunk`.
    """
    method = RULES[rule]() if weight is None else RULES[rule](weight)
    network = problem.network(problem.separate() if separate else None)
    return fit(problem, network, FrozenTrunk(method) if frozen_trunk else method, sample=sample)
