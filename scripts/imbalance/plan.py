"""What the study runs on: the datasets of the config, their splits in parts, and the files that these are made from."""

from scripts.common.own_tables import is_given, rows_of
from scripts.imbalance.generators import BOOTSTRAP
from scripts.imbalance.names import WEIGHTS, dataset_name
from scripts.imbalance.plans import PLANS

DEFAULTS = {
    "most_rows": None,
    "splits": 6,
    "plans": [*PLANS],
    "generators": [BOOTSTRAP],
    "controls": [WEIGHTS],
    "doses": {},
    "draws": 1,
    "variants": [],
    "without": [],
    "quality": 0,
}
SPLITTING = ("folds", "repeats", "seed", "stratify")  # the arguments of `splits.Splitting`


class Plan:
    """Datasets that take part: all of the config but those whose table the user did not supply."""

    def __init__(self, study: dict) -> None:
        self.study = study
        given = [DEFAULTS | entry for entry in study["datasets"] if is_given(entry["table"], {})]
        self.datasets = {dataset_name(entry): entry for entry in given}
        self.parts = {}
        for name, entry in self.datasets.items():
            numbers = list(range(min(entry["splits"], study["folds"] * study["repeats"])))
            for start in range(0, len(numbers), study["splits_per_job"]):
                own = numbers[start : start + study["splits_per_job"]]
                self.parts[f"{name}.{own[0]}-{own[-1]}"] = (name, own)

    @property
    def tables(self) -> list[str]:
        """Return the tables of the datasets, each once."""
        return [*dict.fromkeys(entry["table"] for entry in self.datasets.values())]

    @property
    def splitting(self) -> dict:
        """Return the arguments of `splits.Splitting`."""
        return {name: self.study[name] for name in SPLITTING}

    def entry(self, wildcards) -> dict:
        """Return the config entry of the dataset of a part."""
        return self.datasets[self.parts[wildcards.part][0]]

    def numbers(self, wildcards) -> list[int]:
        """Return the numbers of the splits of a part."""
        return self.parts[wildcards.part][1]

    def table(self, wildcards) -> str:
        """Return the table of a part."""
        return f"results/data/tabular/{self.entry(wildcards)['table']}.parquet"

    def generated(self, wildcards) -> dict:
        """Return what of an entry bears on the synthetic rows."""
        names = ("table", "attributes", "most_rows", "splits", "plans", "generators", "draws")
        return {name: self.entry(wildcards)[name] for name in names}

    def fitted(self, wildcards) -> dict:
        """Return what of an entry bears on the fits."""
        names = ("table", "attributes", "most_rows", "splits", "plans", "controls", "doses", "variants", "without")
        return {name: self.entry(wildcards)[name] for name in names}

    def settings(self, wildcards) -> dict:
        """Return the settings of the generators of a part."""
        return {name: self.study["generators"][name] for name in self.entry(wildcards)["generators"]}

    def priority(self, wildcards) -> int:
        """Return how much work a part is: the longest fits begin first, so that cores end together."""
        entry = self.entry(wildcards)
        rows = min(rows_of(entry["table"]), entry["most_rows"] or 10**9)
        return rows * len(self.numbers(wildcards)) * len(entry["plans"]) * (1 + len(entry["generators"])) // 1000

    @property
    def measured(self) -> list[dict]:
        """Return the datasets' entries, in order."""
        return [*self.datasets.values()]

    @property
    def parts_by_dataset(self) -> dict[str, list[str]]:
        """Return the parts of every dataset, in the order of `parts`."""
        return {name: [part for part, (own, _) in self.parts.items() if own == name] for name in self.datasets}

    @property
    def judged_by_dataset(self) -> dict[str, list[str]]:
        """Return the parts whose synthetic rows are judged: those with one of the first splits of their dataset."""
        return {
            name: [part for part in parts if self.parts[part][1][0] < self.datasets[name]["quality"]]
            for name, parts in self.parts_by_dataset.items()
            if self.datasets[name]["quality"]
        }

    @property
    def judged_parts(self) -> list[str]:
        """Return all parts whose synthetic rows are judged."""
        return [part for parts in self.judged_by_dataset.values() for part in parts]
