"""What the study runs on: the data sets of the config, each a cell, and the files they are made from."""

from pathlib import Path

from scripts.common.own_tables import is_given, rows_of

MANY_ROWS, SEEDS_PER_JOB = 20000, 5


def cell_name(entry: dict) -> str:
    """Return the name of a data set and its attribute: TABLE.ATTRIBUTE."""
    return f"{entry['table']}.{entry['attribute']}"


class Plan:
    """The data sets that take part: all of the config but those whose file the user did not name.

    `cells` are the data sets, `batches` the jobs: a few seeds of a data set with many rows, so that jobs run side by
    side, and all seeds of a small one, whose job takes little longer than its start.
    """

    def __init__(self, study: dict) -> None:
        self.files = {name: str(Path(path).expanduser()) if path else "" for name, path in study["files"].items()}
        entries = [entry for entry in study["datasets"] if is_given(entry["table"], self.files)]
        self.cells = {cell_name(entry): entry for entry in entries}
        self.batches: dict[str, tuple[str, list[int]]] = {}  # name: (cell, seeds)
        for cell, entry in self.cells.items():
            seeds, many = study["seeds"], self.rows(entry) >= MANY_ROWS
            step = SEEDS_PER_JOB if many else len(seeds)
            for start in range(0, len(seeds), step):
                name = f"{cell}.part{start // step + 1}" if many else cell
                self.batches[name] = cell, seeds[start : start + step]

    def rows(self, entry: dict) -> int:
        """Return how many rows a data set has at most."""
        return min(rows_of(entry["table"]), entry["most_rows"] or float("inf"))

    @property
    def tables(self) -> list[str]:
        """Return the tables of the data sets, each once."""
        return [*dict.fromkeys(entry["table"] for entry in self.cells.values())]

    def cell(self, wildcards) -> str:
        """Return the data set of a batch."""
        return self.batches[wildcards.batch][0]

    def seeds(self, wildcards) -> list[int]:
        """Return the seeds of a batch."""
        return self.batches[wildcards.batch][1]

    def settings(self, wildcards) -> dict:
        """Return the config entry of a batch's data set."""
        return self.cells[self.cell(wildcards)]

    def table(self, wildcards) -> str:
        """Return the table of a batch."""
        return f"results/data/tabular/{self.settings(wildcards)['table']}.parquet"

    def priority(self, wildcards) -> int:
        """Return about how many rows a batch fits: the longest jobs begin first, so that cores end together."""
        return self.rows(self.settings(wildcards)) * len(self.seeds(wildcards))
