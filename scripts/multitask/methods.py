"""The methods of the study by name: how each is trained, with which losses, and which of them share a job.

A new method is a function `(problem, sample, **options) -> Fit` and one entry here. `sample` are rows on which
conflicts of gradients are counted after every epoch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

ACCURACY, FAIR = "accuracy", "fair"  # losses that a method is trained with: L_t alone, or F_t as well
# Methods of one job:
PLAIN, RIVALS, TEACHING, BRANCHING, ABLATIONS, FAULTS = (
    "plain",
    "rivals",
    "teaching",
    "branching",
    "ablations",
    "faults",
)
FAMILIES = (TEACHING, RIVALS, BRANCHING, PLAIN, FAULTS, ABLATIONS)
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


def _rivals(title: str, name: str) -> dict[str, Method]:
    """Return a rival trained for accuracy alone, as published, and with the fairness loss."""
    return {
        name: Method(title, f"{name}:{name}", ACCURACY, RIVALS, {"fair_weight": 0.0}),
        f"{name}_fair": Method(f"{title} with F", f"{name}:{name}", FAIR, RIVALS, {"fair_weight": 1.0}),
    }


def _variant(of: str, title: str, function: str, family: str, after: str | None = None, **options: Any) -> Method:
    return Method(title, function, FAIR, family, options, after, of=of)


BRANCH, TEACH = "branching:train", "l2t_fmt:l2t_fmt"
METHODS: dict[str, Method] = {
    "stl": _shared("STL", ACCURACY, rule="vanilla", separate=True),
    "stl_fair": _shared("STL with F", FAIR, rule="fixed", weight=1.0, separate=True),
    "vanilla": _shared("vanilla", ACCURACY, rule="vanilla"),
    **{
        f"fixed_{weight:g}".replace(".", ""): _shared(f"fixed weight {weight:g}", FAIR, rule="fixed", weight=weight)
        for weight in (0.1, 0.3, 1.0, 3.0)
    },
    "class_balanced": _shared("class-balanced", FAIR, rule="class_balanced", weight=1.0),
    "greedy_fmt": _shared("Greedy-FMT", FAIR, rule="greedy"),
    **_rivals("PCGrad", "pcgrad"),
    **_rivals("Recon", "recon"),
    **_rivals("TAG", "tag"),
    **_rivals("FAFS", "fafs"),
    "wb_fair": Method("WB-fair", "wb_fair:wb_fair", ACCURACY, RIVALS),
    "mta_f": Method("MTA-F", "mta_f:mta_f", FAIR, RIVALS),
    "l2t_fmt": Method("L2T-FMT", TEACH, FAIR, TEACHING),
    "l2t_fixed_weights": _variant("l2t_fmt", "L2T-FMT, weights fixed", TEACH, ABLATIONS, weights="fixed"),
    "teacher_random": _variant("l2t_fmt", "random teacher", "random_teacher:random_teacher", TEACHING, "l2t_fmt"),
    "teacher_swapped": _variant("l2t_fmt", "swapped teacher", TEACH, TEACHING, teacher="swapped"),
    "always_accuracy": _variant("l2t_fmt", "always accuracy", TEACH, TEACHING, teacher="accuracy"),
    "always_fairness": _variant("l2t_fmt", "always fairness", TEACH, TEACHING, teacher="fairness"),
    "fairbranch": Method("FairBranch", BRANCH, FAIR, BRANCHING),
    **{
        f"fairbranch_{name}": _variant("fairbranch", f"FairBranch, {title}", BRANCH, BRANCHING, **options)
        for name, title, options in (
            ("no_projection", "without FBGrad", {"projection": "off"}),
            ("all_layers", "FBGrad in all layers", {"projection": "all_layers"}),
        )
    },
    **{
        f"fairbranch_{name}": _variant("fairbranch", f"FairBranch, {title}", BRANCH, ABLATIONS, **options)
        for name, title, options in (
            ("no_fairness", "without F", {"weights": "zero"}),
            ("always_fair", "F always", {"weights": "one"}),
            ("all_parameters", "F by all parameters", {"weights": "all"}),
            ("tau_5", "tau .5", {"tau": 0.5}),
            ("tau_9", "tau .9", {"tau": 0.9}),
            ("tau_99", "tau .99", {"tau": 0.99}),
            ("cosine", "cosine for CKA", {"similarity": "cosine"}),
            ("random_pairs", "random pairs", {"similarity": "random"}),
        )
    },
    "fairbranch_oracle": _variant("fairbranch", "FairBranch, clusters known", "oracle:train", BRANCHING),
}
# Names that the config's `options` may set, by module; kept here so that a config is checked without importing torch.
_FAIRBRANCH = ("tau", "branch_every", "weights", "projection", "similarity", "second_nearest", "mean_threshold",
               "late_fairness", "fresh_normalisation")  # fmt: skip
_TEACHER = ("weights", "teacher_widths", "frozen_trunk", "aliased_gradients", "star_as_eo", "evaluate_in_training_mode")
OPTIONS: dict[str, tuple[str, ...]] = {
    "shared": ("weight",),  # of methods that have one; the others are what a method is
    "pcgrad": ("fair_weight",),
    "recon": ("threshold", "layers", "fraction", "fair_weight"),
    "tag": ("groups", "rate", "every", "fraction", "fair_weight"),
    "fafs": ("thin", "split_every", "branch_cost", "fair_weight"),
    "wb_fair": ("rows", "fair_weight"),
    "mta_f": ("fair_weight", "trunk_fraction"),
    "l2t_fmt": ("teacher", "shares", *_TEACHER),
    "random_teacher": _TEACHER,
    "branching": ("select_by_conflicts", "identical_heads", *_FAIRBRANCH),
    "oracle": _FAIRBRANCH,
}


def options_of(name: str) -> list[str]:
    """Return the options of a method that a config may set."""
    method = METHODS[name]
    module = method.function.split(":")[0]
    return [option for option in OPTIONS[module] if module != "shared" or option in method.options]


# Methods whose conflicts of gradients are counted: it costs as much as the training of a plain network.
CONFLICTS_OF = ("vanilla", "fixed_1", "pcgrad", "pcgrad_fair", "l2t_fmt", "fairbranch", "fairbranch_no_projection",
                "fairbranch_all_layers", "fairbranch_conflict_selection", "fairbranch_as_published")  # fmt: skip
NEEDS_CLUSTERS = ("fairbranch_oracle",)  # methods for data whose clusters of tasks are known

# Published faults one by one, by name: options of the method that switch it on, or what happens to the people.
FAIRBRANCH_FAULTS: dict[str, dict[str, Any]] = {
    "second_nearest": {"second_nearest": True},
    "mean_threshold": {"mean_threshold": True},
    "sibling_projection": {"projection": "siblings"},
    "late_fairness": {"late_fairness": True},
    "fresh_normalisation": {"fresh_normalisation": True},
    "conflict_selection": {"select_by_conflicts": True},
    "protected_feature": {},
    "identical_heads": {"identical_heads": True},
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


METHODS |= _with_faults("fairbranch", BRANCH, FAIRBRANCH_FAULTS)
METHODS |= _with_faults("l2t_fmt", TEACH, L2T_FAULTS)
METHODS |= {
    f"{name}_as_published": Method(
        METHODS[name].title,
        "shared:train",
        METHODS[name].losses,
        FAULTS,
        {**METHODS[name].options, "frozen_trunk": True},
        faults=("frozen_trunk",),
        of=name,
    )
    for name in ("vanilla", "greedy_fmt")
}
METHODS["stl_as_published"] = Method(
    "STL with F", "shared:train", FAIR, FAULTS, METHODS["stl_fair"].options, None, (*PEOPLE_FAULTS,), "stl_fair"
)
