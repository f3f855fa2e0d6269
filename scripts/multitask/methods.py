"""The methods of the study by name: how each is trained, with which losses, and which of them share a job.

A new method is a function `(problem, sample, **options) -> Fit` and one entry here. `sample` are rows on which
conflicts of gradients are counted after every epoch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

ACCURACY, FAIR = "accuracy", "fair"  # losses that a method is trained with: L_t alone, or F_t as well
PLAIN, RIVALS, TEACHING, BRANCHING, FAULTS = "plain", "rivals", "teaching", "branching", "faults"  # methods of one job
FAMILIES = (PLAIN, RIVALS, TEACHING, BRANCHING, FAULTS)
STL = {ACCURACY: "stl", FAIR: "stl_fair"}  # the single-task networks that a method is compared with


@dataclass(frozen=True)
class Method:
    """One method.

    `function` is module:name below scripts/multitask. `after` is a method whose fit of the same seed it is handed as
    `learned`. `faults` are published faults that are switched on; `of` is the method that a variant is compared with.
    """

    title: str
    function: str
    losses: str
    family: str
    options: Mapping[str, Any] = field(default_factory=dict)
    after: str | None = None
    faults: tuple[str, ...] = ()
    of: str | None = None

    def load(self) -> Callable:
        """Return the function; only its own module is imported."""
        module, name = self.function.split(":")
        return getattr(import_module(f"scripts.multitask.{module}"), name)


def _shared(title: str, losses: str, **options: Any) -> Method:
    return Method(title, "shared:train", losses, PLAIN, options)


def _rival(title: str, function: str, losses: str, **options: Any) -> Method:
    weight = {"fair_weight": 1.0 if losses == FAIR else 0.0}
    return Method(title, function, losses, RIVALS, weight | options)


def _branch(title: str, **options: Any) -> Method:
    return Method(title, "branching:train", FAIR, BRANCHING, options, of="fairbranch")


def _teacher(title: str, control: str, after: str | None = None) -> Method:
    return Method(title, "l2t_fmt:train", FAIR, TEACHING, {"control": control}, after=after, of="l2t_fmt")


METHODS: dict[str, Method] = {
    "stl": Method("STL", "shared:train", ACCURACY, PLAIN, {"rule": "vanilla", "separate": True}),
    "stl_fair": Method("STL with F", "shared:train", FAIR, PLAIN, {"rule": "fixed", "weight": 1.0, "separate": True}),
    "vanilla": _shared("vanilla", ACCURACY, rule="vanilla"),
    **{
        f"fixed_{weight:g}": _shared(f"fixed weight {weight:g}", FAIR, rule="fixed", weight=weight)
        for weight in (0.1, 0.3, 1.0, 3.0)
    },
    "class_balanced": _shared("class-balanced", FAIR, rule="class_balanced", weight=1.0),
    "greedy_fmt": _shared("Greedy-FMT", FAIR, rule="greedy"),
}

# Published faults one by one, by name: options of the method that switch it on, or what happens to the people.
FAIRBRANCH_FAULTS: dict[str, dict[str, Any]] = {
    "second_nearest": {"second_nearest": True},
    "mean_threshold": {"mean_threshold": True},
    "sibling_projection": {"projection": "siblings"},
    "late_fairness": {"late_fairness": True},
    "fresh_normalisation": {"fresh_normalisation": True},
    "conflict_selection": {"select_by_conflicts": True},
    "protected_feature": {},
}
L2T_FAULTS: dict[str, dict[str, Any]] = {
    "frozen_trunk": {"frozen_trunk": True},
    "aliased_gradients": {"aliased_gradients": True},
    "star_as_eo": {"star_as_eo": True},
    "batch_evaluation": {"evaluate_in_training_mode": True},
}
PEOPLE_FAULTS = ("protected_feature", "unlike_stl")  # those that change the rows or features


def _with_faults(of: str, function: str, faults: Mapping[str, dict[str, Any]]) -> dict[str, Method]:
    """Return a method with all faults, "X_as_published", and one with each, "X: fault"."""
    every = {key: value for options in faults.values() for key, value in options.items()}
    title = METHODS[of].title
    options = METHODS[of].options
    found = {f"{of}_as_published": Method(title, function, FAIR, FAULTS, {**options, **every}, None, (*faults,), of)}
    for name, own in faults.items():
        found[f"{of}_{name}"] = Method(
            f"{title}, {name}", function, FAIR, FAULTS, {**options, **own}, None, (name,), of
        )
    return found
