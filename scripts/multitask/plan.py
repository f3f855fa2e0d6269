"""What the study runs on: the datasets of the config, the jobs of each, and the runs of a job."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scripts.multitask.inputs import is_given
from scripts.multitask.methods import FAMILIES, FAULTS, METHODS

CORRECTED, PUBLISHED = "corrected", "as_published"
TRAINING = ("widths", "epochs", "batch_size", "learning_rate", "weight_decay")


@dataclass(frozen=True)
class Job:
    """Methods of one family on one dataset, all seeds of each."""

    dataset: str
    family: str
    methods: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name of the job's files."""
        return f"{self.dataset}.{self.family}"


class Plan:
    """Datasets that take part: all of the config but those whose files the user did not supply."""

    def __init__(self, study: Mapping[str, Any]) -> None:
        self.study = study
        self.datasets = {name: entry for name, entry in study["datasets"].items() if is_given(entry, study)}
        self.jobs: dict[str, Job] = {}
        for name, entry in self.datasets.items():
            for family in FAMILIES:
                own = tuple(method for method in self.methods(entry) if METHODS[method].family == family)
                if own:
                    job = Job(name, family, own)
                    self.jobs[job.name] = job

    def methods(self, entry: Mapping[str, Any]) -> list[str]:
        """Return the methods of a dataset's entry, those that others are handed before them."""
        named = entry.get("methods") or [name for name, method in METHODS.items() if method.family != FAULTS]
        named = [*named, *(name for name, method in METHODS.items() if method.family == FAULTS and entry.get("faults"))]
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
            "seeds": entry["seeds"],
            "training": self.training(job.dataset),
            "sample_rows": self.study["sample_rows"],
        }

    def people(self, wildcards) -> str:
        """Return the file of the people of a job."""
        return f"results/multitask/data/{self.jobs[wildcards.job].dataset}.parquet"
