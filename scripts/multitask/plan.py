"""What the study runs on: the datasets of the config, the jobs of each, and the runs of a job."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scripts.multitask.inputs import inputs, is_given, places, users_files
from scripts.multitask.methods import ABLATIONS, FAMILIES, FAULTS, METHODS, NEEDS_CLUSTERS, TEACHING

CORRECTED, PUBLISHED = "corrected", "as_published"
FEW = (ABLATIONS, FAULTS)  # families of methods that may have fewer seeds
OF_FITS = (
    "name",
    "seeds",
    "few_seeds",
    "methods",
    "faults",
    "training",
)  # keys of a dataset that do not bear on its people
TRAINING = ("widths", "epochs", "batch_size", "learning_rate", "weight_decay")


@dataclass(frozen=True)
class Job:
    """Methods of one family, or of all, on one dataset, all seeds of each."""

    dataset: str
    family: str
    methods: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name of the job's files."""
        return f"{self.dataset}.{self.family}"


def _families(entry: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the families of methods that share a job, by its name."""
    return {"all": FAMILIES} if entry.get("one_job") else {family: (family,) for family in FAMILIES}


def seeds_of(method: str, entry: Mapping[str, Any]) -> list[int]:
    """Return the seeds of a method on the dataset of an entry."""
    return entry.get("few_seeds", entry["seeds"]) if METHODS[method].family in FEW else entry["seeds"]


class Plan:
    """Datasets that take part: all of the config but those whose files the user did not supply."""

    def __init__(self, study: Mapping[str, Any]) -> None:
        self.study = study
        self.datasets = {entry["name"]: entry for entry in study["datasets"] if is_given(entry, study)}
        self.jobs: dict[str, Job] = {}
        for name, entry in self.datasets.items():
            for family, members in _families(entry).items():
                own = tuple(method for method in self.methods(entry) if METHODS[method].family in members)
                if own:
                    job = Job(name, family, own)
                    self.jobs[job.name] = job

    def methods(self, entry: Mapping[str, Any]) -> list[str]:
        """Return the methods of a dataset's entry, those that others are handed before them."""
        named = entry.get("methods") or [name for name, method in METHODS.items() if method.family != FAULTS]
        named = [*named, *(name for name, method in METHODS.items() if method.family == FAULTS and entry.get("faults"))]
        if entry["source"] != "generated":
            named = [name for name in named if name not in NEEDS_CLUSTERS]
        wanted = {needed for name in named for needed in (METHODS[name].after,) if needed}
        return [name for name in METHODS if name in wanted or name in named]

    def training(self, dataset: str) -> dict:
        """Return the settings of the trainings of a dataset."""
        both = self.study["training"] | self.datasets[dataset].get("training", {})
        return {name: both[name] for name in TRAINING if name in both}

    def settings(self, wildcards) -> dict:
        """Return what bears on the fits of a job: methods with their options, seeds, training."""
        job = self.jobs[wildcards.job]
        entry = self.datasets[job.dataset]
        options = self.study.get("options", {})
        return {
            "dataset": job.dataset,
            "methods": {
                name: asdict(METHODS[name]) | {"options": {**METHODS[name].options, **options.get(name, {})}}
                for name in job.methods
            },
            "seeds": {name: seeds_of(name, entry) for name in job.methods},
            "training": self.training(job.dataset),
            "sample_rows": self.study["sample_rows"],
        }

    def priority(self, wildcards) -> int:
        """Return how much work a job is, roughly: the longest begin first, so that cores end together."""
        job = self.jobs[wildcards.job]
        entry = self.datasets[job.dataset]
        slow = {name: 3 if METHODS[name].family == TEACHING else 1 for name in job.methods}
        return 100 + sum(weight * len(seeds_of(name, entry)) for name, weight in slow.items())

    def people(self, wildcards) -> str:
        """Return the file of the people of a job."""
        return f"results/multitask/data/{self.jobs[wildcards.job].dataset}.parquet"

    def source_files(self, wildcards) -> list[str]:
        """Return the files that the people of a dataset are read from."""
        return inputs(self.datasets[wildcards.dataset], self.study)

    def source_settings(self, wildcards) -> dict:
        """Return the entry of a dataset as far as it bears on its people, and the places of its files."""
        entry = self.datasets[wildcards.dataset]
        kept = {key: value for key, value in entry.items() if key not in OF_FITS}
        return {"entry": kept, "places": places(entry, self.study)}

    def users_files(self, wildcards) -> list[str]:
        """Return the files of a dataset that the user keeps in a folder."""
        return users_files(self.datasets[wildcards.dataset], self.study)

    def table_of(self, wildcards) -> list[str]:
        """Return the table that a dataset is read from; none for other sources."""
        entry = self.datasets[wildcards.dataset]
        return [entry["table"]] if entry["source"] == "table" else []

    @property
    def tables(self) -> list[str]:
        """Return the tables of all datasets, each once."""
        return [*dict.fromkeys(entry["table"] for entry in self.datasets.values() if entry["source"] == "table")]

    @property
    def other_files(self) -> list[str]:
        """Return the files that datasets of other sources are read from, each once."""
        entries = [entry for entry in self.datasets.values() if entry["source"] != "table"]
        return [*dict.fromkeys(path for entry in entries for path in inputs(entry, self.study))]

    def modules(self, wildcards) -> list[str]:
        """Return the modules that the methods of a job are loaded from."""
        return sorted({METHODS[name].function.split(":")[0] for name in self.jobs[wildcards.job].methods})
