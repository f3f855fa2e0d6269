"""What a schema cannot say of the block `multitask:`: how its values must fit one another."""

from collections.abc import Mapping, Sequence

from scripts.common.consistency import distinct
from scripts.common.errors import UserError
from scripts.common.own_tables import check_names
from scripts.common.tabular import TABLES
from scripts.multitask.methods import METHODS, NEEDS_CLUSTERS, STL, options_of
from scripts.multitask.plan import Plan

NEEDED = {  # keys of a dataset that its source needs
    "table": ("table", "attribute"),
    "celeba": ("attribute",),
    "acs": ("attribute",),
    "faces": ("attribute",),
    "folktables": ("attribute", "train_year", "test_year"),
    "generated": ("attribute", "rows", "tasks"),
}


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: a dataset stands twice, lacks what its source needs, names a table, attribute or method that there is
            not, lacks the methods that others are compared with, none is left without the user's files, or an option
            is none of its method's.
    """
    distinct([entry["name"] for entry in study["datasets"]], "multitask.datasets", "are called")
    for entry in study["datasets"]:
        _check_entry(entry)
    _check_options(study["options"])
    plan = Plan(study)
    for entry in study["datasets"]:
        _check_methods(entry, plan.methods(entry), study)
    if not plan.datasets:
        raise UserError("config: multitask.datasets: only datasets without files are left; name their files")


def _check_entry(entry: dict) -> None:
    where = f"config: multitask.datasets: {entry['name']}"
    for key in NEEDED[entry["source"]]:
        if key not in entry:
            raise UserError(f"{where}: {key} is missing; source {entry['source']} needs it")
    if entry["source"] == "table":
        check_names({f"multitask.datasets.{entry['name']}.table": entry["table"]})
        table = TABLES[entry["table"]]
        if entry["attribute"] not in table.attributes:
            known = ", ".join(table.attributes)
            raise UserError(f"{where}: {table.name} has no attribute {entry['attribute']!r}; there are {known}")
    if isinstance(entry.get("tasks"), (dict, list)) and len(entry["tasks"]) < 2:
        raise UserError(f"{where}: tasks: one task alone shares nothing; name at least two")
    for name in entry.get("methods", []):
        if name not in METHODS:
            raise UserError(f"{where}: methods: no method {name!r}; there are {', '.join(METHODS)}")
        if name in NEEDS_CLUSTERS and entry["source"] != "generated":
            raise UserError(
                f"{where}: methods: {name} needs clusters of tasks that are known; only generated data have"
            )
    unknown = set(entry.get("few_seeds", [])) - set(entry["seeds"])
    if unknown:
        raise UserError(f"{where}: few_seeds: {min(unknown)} is none of its seeds; take some of them")


def _check_options(options: Mapping[str, Mapping]) -> None:
    for name, own in options.items():
        if name not in METHODS:
            raise UserError(f"config: multitask.options: no method {name!r}; there are {', '.join(METHODS)}")
        for option in own:
            if option not in options_of(name):
                known = ", ".join(options_of(name))
                there = f"there are {known}" if known else "it has none"
                raise UserError(f"config: multitask.options.{name}: no option {option!r}; {there}")
        tau = own.get("tau", 1)
        if isinstance(tau, bool) or not isinstance(tau, (int, float)) or not 0 < tau <= 1:
            raise UserError(f"config: multitask.options.{name}.tau: {tau}, but a similarity is above 0 and at most 1")


def _check_methods(entry: dict, methods: Sequence[str], study: dict) -> None:
    """Check the methods of a dataset, those with published faults too."""
    where = f"config: multitask.datasets: {entry['name']}"
    for name in methods:
        by_conflicts = {**METHODS[name].options, **study["options"].get(name, {})}.get("select_by_conflicts")
        if by_conflicts and not study["sample_rows"]:
            raise UserError(f"{where}: methods: {name} counts conflicts; set sample_rows above 0")
    losses = {METHODS[name].losses for name in methods}
    for kind, reference in STL.items():
        if kind in losses and reference not in methods:
            raise UserError(f"{where}: methods: {reference} is missing; the others are compared with it")
