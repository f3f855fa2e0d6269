"""What the study runs on: the data sets of the config, each a cell, and the files they are made from."""

from pathlib import Path

from scripts.boosting.names import fair_xgboost, run_name
from scripts.common.own_tables import is_given, rows_of

TRAINING = ["seeds", "train_share", "rounds", "balance", "validation_share", "preferences", "gradient"]
TRAINING += ["gradient_preference", "peers"]


def cell_name(entry: dict) -> str:
    """Return the name of a cell and of its files: TABLE.ATTRIBUTE or TABLE.ATTRIBUTE-ATTRIBUTE."""
    return f"{entry['table']}.{'-'.join(entry['attributes'])}"


class Plan:
    """The cells that take part: all of the config but those whose file the user did not name."""

    def __init__(self, study: dict) -> None:
        self.files = {name: str(Path(path).expanduser()) if path else "" for name, path in study["files"].items()}
        self.study = study
        entries = [entry for entry in study["datasets"] if is_given(entry["table"], self.files)]
        self.cells = {cell_name(entry): entry for entry in entries}  # a data set with the same attributes counts once

    @property
    def tables(self) -> list[str]:
        """Return the tables of the cells, each once."""
        return [*dict.fromkeys(entry["table"] for entry in self.cells.values())]

    def table(self, wildcards) -> str:
        """Return the table of a cell."""
        return f"results/data/tabular/{self.cells[wildcards.cell]['table']}.parquet"

    @property
    def exported(self) -> list[str]:
        """Return the run of every cell that is written as ONNX: the fair gradient booster of the last-named notion."""
        told = self.study["gradient"]
        arm = fair_xgboost(told["notions"][-1], told["weights"][0])
        return [run_name(cell, "corrected", arm, self.study["seeds"][0]) for cell in self.cells]

    def priority(self, wildcards) -> int:
        """Return how many rows a cell has: the longest fits begin first, so that cores end together."""
        entry = self.cells[wildcards.cell]
        return min(rows_of(entry["table"]), entry["most_rows"] or 10**9)

    def settings(self, wildcards) -> dict:
        """Return the config entry of a cell."""
        return self.cells[wildcards.cell]

    def training(self, wildcards) -> dict:
        """Return what of the config bears on the fits."""
        return {name: self.study[name] for name in TRAINING}
