"""Rule `faults`: run the fault-injection tests and tabulate the faults, the trials and the results lost."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.common.tables import save_table

FILE = "COUNTERWEIGHT_FAULTS"  # where tests/workflow/faults/record.py writes
# As in `make test-faults`: the longest file, that of Slurm, starts first.
TESTS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "tests/workflow/slurm", "tests/workflow/faults"]
COLUMNS = ["fault", "how it was provoked", "times tried", "results lost"]


def run_tests(root: str | Path) -> list[dict]:
    """Return the records of the fault tests: fault, tried, lost, how.

    Raises:
        UserError: a test failed, or no test recorded anything.
    """
    with tempfile.TemporaryDirectory() as folder:
        recorded = Path(folder, "faults.jsonl")
        command = [sys.executable, "-m", "pytest", "-m", "faults", *TESTS]
        environment = {**os.environ, FILE: str(recorded)}
        done = subprocess.run(
            command, cwd=root, env=environment, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        log.info("%s", done.stdout)
        if done.returncode != 0:
            raise UserError("some fault tests failed; run make test-faults to see which")
        lines = recorded.read_text(encoding="utf-8").splitlines() if recorded.exists() else []
    if not lines:
        raise UserError("the fault tests recorded nothing: all were skipped; see the log for the reasons")
    return [json.loads(line) for line in lines]


def table_of(records: list[dict]) -> pd.DataFrame:
    """Return one row per fault, in alphabetical order; the ways to provoke it are joined."""
    frame = pd.DataFrame(records)
    ways = frame.groupby("fault")["how"].agg(lambda how: "; ".join(dict.fromkeys(how)))
    sums = frame.groupby("fault")[["tried", "lost"]].sum()
    return sums.assign(how=ways).reset_index()[["fault", "how", "tried", "lost"]].set_axis(COLUMNS, axis=1)


if "snakemake" in globals():
    with job(snakemake):
        table = table_of(run_tests(snakemake.params.root))
        caption = "Faults injected, number of trials, and number of results missing or different afterwards."
        save_table(table, Path(snakemake.output[0]).with_suffix(""), caption)
