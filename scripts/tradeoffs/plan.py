"""What the rules of the study ask of the config: the input functions and parameters of rules/tradeoffs.smk."""

import re
from collections.abc import Callable

from scripts.common.errors import UserError
from scripts.tradeoffs.runs import ARMS, CONSTANTS, grid, jobs_of, method_label

RESULTS = "results/tradeoffs"
EVALUATED = {"as_published": ["test"], "corrected": ["valid", "test"]}  # as published there is no validation part


class Plan:
    """The runs of a config, the jobs that they share, and what the rules of each need (wildcards: job, protocol)."""

    def __init__(self, study: dict) -> None:
        self.runs = grid(study)
        self.jobs = jobs_of(self.runs, study)
        self.protocols = list(study["protocols"])
        self.constants = {
            f"{protocol}.constants": [f"{protocol}.{constant}" for constant in CONSTANTS] for protocol in self.protocols
        }
        self.threats = ["{norm}_{eps:g}".format(**threat) for threat in study["robustness"]["threats"]]

    @property
    def trained(self) -> str:
        """Return the regular expression of the names of jobs: of single runs, and of several.

        It describes their shape: a list of ten thousand names, which Snakemake would walk through for every file of
        every job, takes minutes to plan.
        """
        parts = [self.protocols, {run["network"] for run in self.runs.values()}, ARMS]
        protocol, network, arm = (f"(?:{'|'.join(map(re.escape, sorted(part)))})" for part in parts)
        single = rf"{arm}(?:[.]eps[^/]+?)?(?:[.]weight[^/]+?)?[.]seed[0-9]+"
        return rf"{protocol}[.]{network}[.](?:{single}|job[0-9]+)"

    @property
    def pattern(self) -> str:
        """Return the regular expression of all names, of jobs and of the constants of a protocol."""
        return "|".join([self.trained, *map(re.escape, self.constants)])

    def settings(self, wildcards) -> list[dict]:
        """Return all settings of each run of a job."""
        return [self.runs[run] for run in self.jobs[wildcards.job]]

    def splits(self, wildcards) -> str:
        """Return the labelled split of a job's protocol.

        Raises:
            UserError: the config asks for no such job.
        """
        if wildcards.job not in self.jobs:
            raise UserError(
                f"tradeoffs: the config has no run {wildcards.job!r}; see its seeds, networks, arms and runs_per_job"
            )
        return f"{RESULTS}/splits/{wildcards.job.split('.')[0]}.parquet"

    def parts(self, wildcards) -> list[str]:
        """Return the parts on which the runs of a job are evaluated."""
        return EVALUATED[wildcards.job.split(".")[0]]

    def identities(self, wildcards) -> list[dict]:
        """Return what every line of a metrics table says of its run, for each run of a job or each constant."""
        if wildcards.job in self.jobs:
            keys = ("run", "protocol", "seed", "method")
            return [{key: self.runs[run][key] for key in keys} for run in self.jobs[wildcards.job]]
        parts = [(run, *run.split(".")) for run in self.constants[wildcards.job]]
        return [
            {"run": run, "protocol": protocol, "seed": 0, "method": method_label(constant)}
            for run, protocol, constant in parts
        ]

    def files(self, kind: str) -> Callable[..., list[str]]:
        """Return an input function: the predictions or attacks of a job, or of the constants of a protocol."""
        return lambda wildcards: [
            f"{RESULTS}/{kind}/{name}.parquet" for name in self.constants.get(wildcards.job, [wildcards.job])
        ]

    def template(self, wildcards) -> dict[str, str]:
        """Return the files of some trained runs of a protocol: constants are evaluated on the same images."""
        job = next(name for name in self.jobs if name.split(".")[0] == wildcards.protocol)
        return {name: f"{RESULTS}/{name}/{job}.parquet" for name in ("predictions", "attacks")}


def budget_words(robustness: dict) -> str:
    """Return what the attacks of the evaluation could spend, in the words of a figure's footer."""
    words = []
    for entry in robustness["attacks"]:
        spent = f"{entry['queries']} queries" if "queries" in entry else f"{entry.get('iterations', '?')} iterations"
        name = {"apgd": "APGD", "fab": "FAB", "square": "Square"}[entry["attack"]]
        words.append(f"{name} {spent}")
    return f"attacks: {', '.join(words)}; published measure: APGD-CE {robustness['published_iterations']} iterations"
