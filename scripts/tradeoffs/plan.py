"""What the rules of the study ask of the config: the input functions and parameters of rules/tradeoffs.smk."""

import re

from scripts.common.errors import UserError
from scripts.tradeoffs.runs import ARMS, CONSTANTS, grid, method_label

RESULTS = "results/tradeoffs"
EVALUATED = {"as_published": ["test"], "corrected": ["valid", "test"]}  # as published there is no validation part


class Plan:
    """The runs of a config, and for each what its rules need. Wildcards have `run` or `protocol`."""

    def __init__(self, study: dict) -> None:
        self.runs = grid(study)
        self.protocols = list(study["protocols"])
        self.constants = [f"{protocol}.{constant}" for protocol in self.protocols for constant in CONSTANTS]
        self.threats = ["{norm}_{eps:g}".format(**threat) for threat in study["robustness"]["threats"]]

    @property
    def trained(self) -> str:
        """Return the regular expression of the names of trained runs.

        It describes their shape: a list of ten thousand names, which Snakemake would walk through for every file of
        every job, takes minutes to plan.
        """
        parts = [self.protocols, {run["network"] for run in self.runs.values()}, ARMS]
        names = [f"(?:{'|'.join(map(re.escape, sorted(part)))})" for part in parts]
        return rf"{'[.]'.join(names)}(?:[.]eps[^/]+?)?(?:[.]weight[^/]+?)?[.]seed[0-9]+"

    @property
    def pattern(self) -> str:
        """Return the regular expression of all names, trained runs and constants."""
        return "|".join([self.trained, *map(re.escape, self.constants)])

    def settings(self, wildcards) -> dict:
        """Return all settings of a trained run."""
        return self.runs[wildcards.run]

    def splits(self, wildcards) -> str:
        """Return the labelled split of a run's protocol.

        Raises:
            UserError: the config asks for no such run.
        """
        if wildcards.run not in self.runs:
            raise UserError(f"tradeoffs: the config has no run {wildcards.run!r}; see its seeds, networks and arms")
        return f"{RESULTS}/splits/{wildcards.run.split('.')[0]}.parquet"

    def parts(self, wildcards) -> list[str]:
        """Return the parts on which a run is evaluated."""
        return EVALUATED[wildcards.run.split(".")[0]]

    def identity(self, wildcards) -> dict:
        """Return what every line of a metrics table says of its run."""
        if wildcards.run in self.runs:
            return {key: self.runs[wildcards.run][key] for key in ("run", "protocol", "seed", "method")}
        protocol, constant = wildcards.run.split(".")
        return {"run": wildcards.run, "protocol": protocol, "seed": 0, "method": method_label(constant)}

    def template(self, wildcards) -> dict[str, str]:
        """Return the files of some trained run of a protocol: constants are evaluated on the same images."""
        run = next(name for name, own in self.runs.items() if own["protocol"] == wildcards.protocol)
        return {name: f"{RESULTS}/{name}/{run}.parquet" for name in ("predictions", "attacks")}


def budget_words(robustness: dict) -> str:
    """Return what the attacks of the evaluation could spend, in the words of a figure's footer."""
    words = []
    for entry in robustness["attacks"]:
        spent = f"{entry['queries']} queries" if "queries" in entry else f"{entry.get('iterations', '?')} iterations"
        name = {"apgd": "APGD", "fab": "FAB", "square": "Square"}[entry["attack"]]
        words.append(f"{name} {spent}")
    return f"attacks: {', '.join(words)}; published measure: APGD-CE {robustness['published_iterations']} iterations"
