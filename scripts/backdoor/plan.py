"""What the study runs: kinds of models, and which settings each job depends on (an edit elsewhere reruns nothing)."""

from collections.abc import Mapping
from pathlib import Path

from scripts.common.own_files import content_of, existing

OWN = "own"  # the kind of the user's own model
DATASETS = {"package": "5,000 MNIST digits", "official": "MNIST"}


def jobs_of(kinds: Mapping[str, Mapping], most: int) -> dict[str, list[str]]:
    """Return the kinds that share a job, by the job's name: `box+scattered`, `patch`. Each joins the first with room.

    Args:
        kinds: {kind: its config entry}.
        most: models of a job; a kind stays in one job, so one that has more seeds has a job to itself.
    """
    groups: list[list[str]] = []
    room: list[int] = []
    for kind, entry in kinds.items():
        models = len(entry["seeds"])
        place = next((place for place, left in enumerate(room) if models <= left), len(groups))
        if place == len(groups):
            groups.append([])
            room.append(most)
        groups[place].append(kind)
        room[place] -= models
    return {"+".join(group): group for group in groups}


class Plan:
    """The jobs of the config block."""

    def __init__(self, study: dict) -> None:
        self.study = study
        self.trained = {kind: entry for kind, entry in study["models"].items() if entry["seeds"]}
        self.own = str(Path(study["own"]).expanduser()) if study["own"] else ""
        self.kinds = [*self.trained, *([OWN] if self.own else [])]
        self.training_jobs = jobs_of(self.trained, study.get("models_per_job", 1))
        self.jobs = self.training_jobs | ({OWN: [OWN]} if self.own else {})
        self.source = study["data"]["source"]
        self.dataset = DATASETS[self.source]
        self.benched = next(
            (kind for kind, entry in self.trained.items() if entry["triggers"]), next(iter(self.trained))
        )
        self.benched_job = next(job for job, kinds in self.jobs.items() if self.benched in kinds)

    def priority(self, wildcards) -> int:
        """Return about how long training, scan and mitigation of a job's kinds take; the longest must begin first."""
        if wildcards.job == OWN:
            return 1
        passes = 0
        for kind, entry in self.entries(wildcards).items():
            passes += (2 + bool(entry["triggers"]) + (kind in self.study["notebook"]["kinds"])) * len(entry["seeds"])
        return passes

    def entries(self, wildcards) -> dict[str, dict | None]:
        """Return the config entries of a job's kinds; None for the user's own model, of which nothing is known."""
        return {kind: self.trained.get(kind) for kind in self.jobs[wildcards.job]}

    def weights(self, wildcards) -> list[str]:
        """Return the weights that a job reads; of a user's model only what exists: the script says what is wrong."""
        if wildcards.job == OWN:
            return existing(self.own)
        return [f"results/backdoor/models/{wildcards.job}.safetensors"]

    def own_path(self, wildcards) -> str:
        """Return the path of the user's model, for its own jobs: naming one shall not scan the others again."""
        return self.own if wildcards.job == OWN else ""

    def own_content(self, wildcards) -> str:
        """Return what the user's model contains, for its own jobs."""
        return content_of(self.own_path(wildcards))

    def training(self) -> dict:
        """Return what a training depends on beside its own entry."""
        return {key: self.study[key] for key in ("training", "least_success")}

    def scanning(self) -> dict:
        """Return what a scan depends on."""
        return {"search": self.study["search"], "notebook": self.study["notebook"]}

    def mitigating(self) -> dict:
        """Return what a mitigation depends on."""
        notebook = {key: self.study["notebook"][key] for key in ("kinds", "batch_size")}
        return {"mitigation": self.study["mitigation"], "verdict": self.study["verdict"], "notebook": notebook}

    def gathering(self) -> dict:
        """Return what the verdicts and the pictures depend on."""
        return {"verdict": self.study["verdict"], "models": self.trained, "steps": self.study["search"]["steps"]}
