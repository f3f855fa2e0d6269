"""What is fitted: the batches (one job each) and the cells (one fitted model each) that a config asks for.

This module is imported by the Snakefile, so it imports nothing heavy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from scripts.common.own_files import existing

LABELS = ("clean", "poisoned")
NOTIONS = {"parity": "demographic parity", "odds": "equalized odds"}
METHODS = {
    "lr": "LR",
    "fc": "FC",
    "lbc": "LBC",
    "ad": "AD",
    "rml": "RML",
    "rml_fc": "RML+FC",
    "rml_lbc": "RML+LBC",
    "rml_ad": "RML+AD",
    "fr_train": "FR-Train",
    "reductions": "ExponentiatedGradient",
}
KNOBS = {  # of each method, in words; what has none has one setting
    "fc": "covariance bound",
    "lbc": "rounds",
    "ad": "alpha",
    "rml_fc": "covariance bound",
    "rml_lbc": "rounds",
    "rml_ad": "alpha",
    "fr_train": "lambda_f",
    "reductions": "eps",
}
SEEDED = ("ad", "rml", "rml_fc", "rml_lbc", "rml_ad", "fr_train")  # the others are the same for every seed
STANDARD = "standard"
RATE, CLEAN_ROWS = 0.1, 200
PASSES = {("fr_train", "clean"): 4000, ("fr_train", "poisoned"): 10000}  # the epochs of the published loops
COLUMNS = 4  # how much longer a pass takes on the many columns of a real table, measured


@dataclass(frozen=True)
class Cell:
    """One model: the data it sees, the method and its knob, and the seed."""

    dataset: str  # synthetic, or TABLE.ATTRIBUTE
    labels: str  # clean or poisoned
    method: str
    seed: int
    knob: float = 0.0
    notion: str = "parity"
    variant: str = STANDARD
    rule: str = "targeted"
    rate: float = RATE
    clean_rows: int = CLEAN_ROWS
    clean_labels: str = "truth"

    @property
    def run(self) -> str:
        """Return the name of the run; what is as published is left out."""
        parts = [self.dataset, self.labels, self.method]
        parts += [self.notion] if self.notion != "parity" else []
        parts += [self.variant] if self.variant != STANDARD else []
        parts += [self.rule] if self.rule != "targeted" else []
        parts += [f"rate{self.rate:g}"] if self.rate != RATE else []
        parts += [f"valid{self.clean_rows}"] if self.clean_rows != CLEAN_ROWS else []
        parts += [self.clean_labels] if self.clean_labels != "truth" else []
        parts += [f"knob{self.knob:g}"] if self.method in KNOBS else []
        return ".".join([*parts, f"seed{self.seed}"])


def seeds_of(method: str, seeds: list[int]) -> list[int]:
    """Return the seeds at which a method is fitted: the first one if nothing in it is random."""
    return seeds if method in SEEDED else seeds[:1]


def knobs_of(study: dict, method: str, notion: str = "parity") -> list[float]:
    """Return the knobs of a method other than FR-Train; a two-step method has those of its second step."""
    name = method.removeprefix("rml_")
    return study["knobs"][notion].get(name, [0.0]) if method in KNOBS else [0.0]


def grid(study: dict, labels: str) -> Iterator[Cell]:
    """FR-Train: the published lambdas at the first seed, some of them at all seeds."""
    own = study["lambdas"][labels]
    for place, seed in enumerate(study["seeds"]):
        for knob in sorted({*own["all_seeds"], *(own["published"] if place == 0 else [])}):
            yield Cell("synthetic", labels, "fr_train", seed, knob)


def baselines(study: dict, labels: str) -> Iterator[Cell]:
    """Every other method; AD also without its projection, the two-step methods also with other handovers."""
    for method in METHODS:
        if method in ("fr_train", "reductions"):
            continue
        for knob, seed in product(knobs_of(study, method), seeds_of(method, study["seeds"])):
            yield Cell("synthetic", labels, method, seed, knob)
        if method == "lr":
            yield Cell("synthetic", labels, method, study["seeds"][0], variant="fr_train_rows")
        if method == "ad":
            for knob, seed in product(knobs_of(study, method), study["seeds"]):
                yield Cell("synthetic", labels, method, seed, knob, variant="no_projection")
        if method.startswith("rml_"):
            for variant, knob, seed in product(study["handovers"], knobs_of(study, method), study["few_seeds"]):
                yield Cell("synthetic", labels, method, seed, knob, variant=variant)


def odds(study: dict) -> Iterator[Cell]:
    """Every method with equalized odds as its notion of fairness, at few seeds."""
    for labels, method in product(LABELS, METHODS):
        if method in ("lr", "rml", "reductions"):
            continue
        knobs = study["lambdas"][labels]["odds"] if method == "fr_train" else knobs_of(study, method, "odds")
        for knob, seed in product(knobs, seeds_of(method, study["few_seeds"])):
            yield Cell("synthetic", labels, method, seed, knob, "odds")


def outside(study: dict) -> Iterator[Cell]:
    """ExponentiatedGradient of fairlearn, both notions."""
    for labels, notion in product(LABELS, NOTIONS):
        for knob in study["knobs"][notion]["reductions"]:
            yield Cell("synthetic", labels, "reductions", study["seeds"][0], knob, notion)


def ablations(study: dict) -> Iterator[Cell]:
    """FR-Train at its two printed points with parts switched off or on, at all seeds."""
    variants = {"poisoned": ["no_weights", "no_gradient", "all_rows"], "clean": ["attached"]}
    for labels in LABELS:
        for variant, seed in product(variants[labels], study["seeds"]):
            yield Cell("synthetic", labels, "fr_train", seed, study["lambdas"][labels]["printed"], variant=variant)


def curves(study: dict) -> Iterator[Cell]:
    """Other poisoning rates and rules, and other sizes of the validation set; FR-Train keeps its printed lambda."""
    printed, few = study["lambdas"]["poisoned"]["printed"], study["few_seeds"]
    for rule, rate in product(study["poisoning"]["rules"], study["poisoning"]["rates"]):
        if (rule, rate) != ("targeted", RATE) and not (rate == 0 and rule != "targeted"):
            for method, seed in product(("lr", "rml", "fr_train"), few):
                knob = printed if method == "fr_train" else 0.0
                yield Cell("synthetic", "poisoned", method, seed, knob, rule=rule, rate=rate)
    for size in study["clean_rows"]:
        if size != CLEAN_ROWS:
            for method, seed in product(("rml", "fr_train"), few):
                yield Cell(
                    "synthetic", "poisoned", method, seed, printed if method == "fr_train" else 0.0, clean_rows=size
                )


def real(study: dict, dataset: str) -> Iterator[Cell]:
    """Every method on a real data set; FR-Train and RML learn from true and from crowd labels."""
    own = study["real"]
    for labels, method, seed in product(LABELS, METHODS, own["seeds"]):
        if method == "reductions":
            continue
        knobs = own["lambdas"][labels] if method == "fr_train" else knobs_of(study, method)
        for knob in knobs:
            yield Cell(dataset, labels, method, seed, knob)
            if labels == "poisoned" and method in ("fr_train", "rml"):
                yield Cell(dataset, labels, method, seed, knob, clean_labels="crowd")


SYNTHETIC_BATCHES = {
    "grid_clean": (lambda study: grid(study, "clean"), ["seeds", "lambdas"]),
    "grid_poisoned": (lambda study: grid(study, "poisoned"), ["seeds", "lambdas"]),
    "baselines_clean": (lambda study: baselines(study, "clean"), ["seeds", "few_seeds", "knobs", "handovers"]),
    "baselines_poisoned": (lambda study: baselines(study, "poisoned"), ["seeds", "few_seeds", "knobs", "handovers"]),
    "odds": (odds, ["few_seeds", "lambdas", "knobs"]),
    "outside": (outside, ["seeds", "knobs"]),
    "ablations": (ablations, ["seeds", "lambdas"]),
    "curves": (curves, ["few_seeds", "lambdas", "poisoning", "clean_rows"]),
}


def cells(batch: str, study: dict) -> list[Cell]:
    """Return the cells of a batch; a real data set's batch has its name, TABLE.ATTRIBUTE."""
    return list(SYNTHETIC_BATCHES[batch][0](study) if batch in SYNTHETIC_BATCHES else real(study, batch))


class Plan:
    """The batches of a config, and for each the settings that its job depends on."""

    def __init__(self, study: dict) -> None:
        self.study = study
        self.real = {f"{entry['table']}.{entry['attribute']}": entry for entry in study["real"]["datasets"]}
        self.synthetic = list(SYNTHETIC_BATCHES)
        self.batches = [*self.real, *self.synthetic]

    def settings(self, wildcards) -> dict:
        """Return the part of the config that the cells of a batch are made from."""
        keys = SYNTHETIC_BATCHES[wildcards.batch][1] if wildcards.batch in SYNTHETIC_BATCHES else ["knobs", "real"]
        return {key: self.study[key] for key in keys}

    def priority(self, wildcards) -> int:
        """Return about how many passes over its rows a batch takes: with the long ones first, cores end together."""
        passes = sum(PASSES.get((cell.method, cell.labels), 500) for cell in cells(wildcards.batch, self.study))
        return passes * (COLUMNS if wildcards.batch in self.real else 1)

    def crowd(self, batch: str) -> str:
        """Return the path of the crowd file that the user names for a batch, or ""."""
        named = self.real[batch]["crowd"] if batch in self.real else ""
        return str(Path(named).expanduser()) if named else ""

    def crowds(self) -> list[str]:
        """Return the crowd files of all batches that are there, each once."""
        return [*dict.fromkeys(path for batch in self.real for path in existing(self.crowd(batch)))]

    def tables(self, *batches: str) -> list[str]:
        """Return the tables that some batches learn from, each once; synthetic data are none."""
        return [*dict.fromkeys(self.real[batch]["table"] for batch in batches if batch in self.real)]

    def table(self, wildcards) -> str:
        """Return the data file of a batch."""
        if wildcards.batch in self.real:
            return f"results/data/tabular/{self.real[wildcards.batch]['table']}.parquet"
        return "results/frtrain/data/synthetic.parquet"
