"""Rule `docs_faults`: the table of faults of docs/reliability.md, from the CSV that `make faults` keeps."""

from pathlib import Path

import pandas as pd

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.report.markdown import table

COUNTS = ("times tried", "results lost")


def faults_part(paths: list[str]) -> str:
    """Return the table of faults below a line that sums it up.

    Args:
        paths: the CSV file, or an empty list if `make faults` has never run.

    Raises:
        UserError: the file is not such a table.
    """
    if not paths:
        return "*The table is not in this release: `make faults` has not run to its end on it.*"
    (path,) = paths
    try:
        faults = pd.read_csv(path)
        tried, lost = (int(faults[name].sum()) for name in COUNTS)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: no table of faults ({error}); make it with make faults") from error
    summary = f"{len(faults)} kinds of faults, tried {tried:,} times: {lost or 'no'} result{'s' * (lost != 1)} lost."
    return f"{summary}\n\n{table(list(faults.columns), faults.to_numpy().tolist(), COUNTS)}"


def write(paths: list[str], output: str | Path) -> None:
    """Write the part of the page."""
    with atomic_path(output) as temporary:
        temporary.write_text(faults_part(paths) + "\n", encoding="utf-8")


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        write(list(snakemake.input.faults), snakemake.output[0])
