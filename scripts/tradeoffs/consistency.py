"""What a schema cannot say of the block `tradeoffs:`: how its values must fit one another."""

from itertools import pairwise, product

from scripts.common.consistency import distinct
from scripts.common.errors import UserError
from scripts.tradeoffs.plan import Plan
from scripts.tradeoffs.runs import run_name

NEEDS = {"apgd": {"iterations"}, "fab": {"iterations"}, "square": {"queries"}}
MAY_HAVE = {"apgd": {"restarts"}, "fab": {"restarts"}, "square": set()}


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: two runs, threats or attacks have one name, an attack lacks its budget, or the radii do not grow.
    """
    for protocol, own in study["protocols"].items():
        for (arm, strengths), network in product(own["arms"].items(), study["networks"]):
            pairs = product(strengths.get("eps", [0.0]), strengths.get("weight", [0.0]))
            names = [run_name(protocol, network, arm, study["seeds"][0], *pair) for pair in pairs]
            distinct(names, f"tradeoffs.protocols.{protocol}.arms.{arm}", "strengths give a run")
    robustness = study["robustness"]
    distinct(Plan(study).threats, "tradeoffs.robustness.threats", "entries are the threat")
    distinct([entry["attack"] for entry in robustness["attacks"]], "tradeoffs.robustness.attacks", "entries are")
    for place, entry in enumerate(robustness["attacks"]):
        where, attack = f"config: tradeoffs.robustness.attacks.{place}", entry["attack"]
        if missing := sorted(NEEDS[attack] - entry.keys()):
            raise UserError(f"{where}: {attack} needs {missing[0]}: how much it may spend; add it")
        if unknown := sorted(entry.keys() - NEEDS[attack] - MAY_HAVE[attack] - {"attack"}):
            raise UserError(f"{where}: {attack} has no {unknown[0]}; remove it")
    radii = [*robustness["check_eps"], robustness["check_large_eps"]]
    if any(low >= high for low, high in pairwise(radii)):
        raise UserError(f"config: tradeoffs.robustness.check_eps: {radii} must grow, up to check_large_eps; sort them")
