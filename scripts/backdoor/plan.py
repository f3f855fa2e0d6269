"""What the study runs: kinds of models, and which settings each job depends on (an edit elsewhere reruns nothing)."""

from pathlib import Path

from scripts.common.own_files import content_of, existing

OWN = "own"  # the kind of the user's own model
DATASETS = {"package": "5,000 MNIST digits", "official": "MNIST"}


class Plan:
    """The jobs of the config block."""

    def __init__(self, study: dict) -> None:
        self.study = study
        self.trained = {kind: entry for kind, entry in study["models"].items() if entry["seeds"]}
        self.own = str(Path(study["own"]).expanduser()) if study["own"] else ""
        self.kinds = [*self.trained, *([OWN] if self.own else [])]
        self.source = study["data"]["source"]
        self.dataset = DATASETS[self.source]
        self.benched = next(
            (kind for kind, entry in self.trained.items() if entry["triggers"]), next(iter(self.trained))
        )

    def priority(self, wildcards) -> int:
        """Return about how long the jobs of a kind take, one after the other; the longest chain must begin first."""
        entry = self.trained.get(wildcards.kind)
        if entry is None:
            return 1
        per_model = 2 + bool(entry["triggers"]) + (wildcards.kind in self.study["notebook"]["kinds"])
        return per_model * len(entry["seeds"])

    def entry(self, wildcards) -> dict | None:
        """Return the config entry of a kind; None for the user's own model, of which nothing is known."""
        return self.trained.get(wildcards.kind)

    def weights(self, wildcards) -> list[str]:
        """Return the weights that a job reads; of a user's model only what exists: the script says what is wrong."""
        if wildcards.kind == OWN:
            return existing(self.own)
        return [f"results/backdoor/models/{wildcards.kind}.safetensors"]

    def own_path(self, wildcards) -> str:
        """Return the path of the user's model, for its own jobs: naming one shall not scan the others again."""
        return self.own if wildcards.kind == OWN else ""

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
