"""Rule `start_up_bench`: CPU seconds that the processes of each rule spend on imports, over the jobs of a preview run.

A process per repeat starts Python and imports the rule's script as a module; the smallest of its CPU times (user and
system) counts, since other work on the machine only adds. What a script imports inside its functions is not seen here.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.common.tables import save_table

REPEATS = 3
# Packages that take longer than a few hundredths of a second, and parts of them that few scripts need.
HEAVY = ["torch", "torch._dynamo", "torchvision", "sklearn", "scipy.stats", "scipy.optimize", "scipy.sparse", "xgboost"]
HEAVY += ["fairlearn", "numba", "matplotlib", "pandas", "pyarrow", "jinja2", "jsonschema", "PIL", "onnx", "onnxruntime"]
PREAMBLE = "import pickle; from snakemake.logging import logger; from snakemake.iocontainers import Snakemake"


def cpu_seconds(statement: str, root: Path) -> float:
    """Return the CPU seconds (user and system) of a new Python process that runs one statement in the folder `root`.

    Raises:
        UserError: the process fails.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", statement], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise UserError(f"start_up_bench: '{statement}' ended with exit status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def import_seconds(statement: str, root: Path) -> dict[str, float]:
    """Return seconds by module that a statement imports, each with the modules imported by it (`-X importtime`).

    Raises:
        UserError: the process fails.
    """
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        cwd=root, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise UserError(f"start_up_bench: '{statement}' fails: {done.stderr.strip()[-300:]}")
    return parsed(done.stderr)


def parsed(text: str) -> dict[str, float]:
    """Return {module: seconds with what it imports} of the lines that `-X importtime` prints, in microseconds."""
    lines = re.findall(r"^import time: *\d+ \| *(\d+) \| *(\S+)$", text, re.M)
    return {module: int(microseconds) / 1e6 for microseconds, module in lines}


def heaviest(seconds: dict[str, float], most: int = 3) -> str:
    """Return the packages of `HEAVY` that take longest to import, with their seconds: "torch 1.31, pandas 0.40"."""
    found = sorted(((seconds[name], name) for name in HEAVY if name in seconds), reverse=True)
    return ", ".join(f"{name} {value:.2f}" for value, name in found[:most])


def planned(root: Path) -> dict[str, int]:
    """Return the number of jobs of each rule in a whole run at preview scale, from a dry run in an empty folder.

    Raises:
        UserError: the dry run fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile"), "--directory", folder]
        command += ["--dry-run", "--cores", "1", "--quiet", "rules"]
        done = subprocess.run(
            command, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    if done.returncode:
        raise UserError(f"start_up_bench: Snakemake cannot plan the workflow: {done.stdout.strip()[-300:]}")
    return counted(done.stdout)


def counted(text: str) -> dict[str, int]:
    """Return {rule: jobs} of the table that Snakemake prints under "Job stats", without its total."""
    table = re.search(r"^Job stats:\n.*\n-+ +-+\n((?:\w+ +\d+\n)+)", text, re.M)
    if not table:
        raise UserError("start_up_bench: Snakemake prints no table of jobs; is its version the pinned one?")
    jobs = {name: int(number) for name, number in (line.split() for line in table[1].splitlines())}
    return {name: number for name, number in jobs.items() if name != "total"}


def measured(scripts: dict[str, str], jobs: dict[str, int], root: Path, repeats: int = REPEATS) -> pd.DataFrame:
    """Return one row per planned rule with a script, the largest sum first: rule, jobs, seconds, sum, heaviest.

    Args:
        scripts: {rule: script, relative to `root`}.
        jobs: {rule: number of its jobs}.
    """
    rows = [{"rule": "(Snakemake's preamble)", "statement": PREAMBLE}]
    rows += [
        {"rule": rule, "statement": f"import {path.removesuffix('.py').replace('/', '.')}"}
        for rule, path in scripts.items()
        if rule in jobs
    ]
    count = {rule: jobs[rule] for rule in scripts if rule in jobs}
    for row in rows:
        statement = row.pop("statement")
        row["jobs"] = count.get(row["rule"], sum(count.values()))
        row["seconds"] = min(cpu_seconds(statement, root) for _ in range(repeats))
        row["sum"] = row["jobs"] * row["seconds"]
        row["heaviest"] = heaviest(import_seconds(statement, root))
        log.info("%s: %d jobs, %.2f CPU s each; %s", *(row[k] for k in ("rule", "jobs", "seconds", "heaviest")))
    return pd.DataFrame(rows).sort_values(["sum", "rule"], ascending=[False, True], ignore_index=True)


def start_up(scripts: dict[str, str], root: Path, path: str, table: str) -> None:
    """Measure all rules and write the Parquet file and the table (CSV, Markdown, LaTeX)."""
    frame = measured(scripts, planned(root), root)
    parquet.write(frame, path)
    total = frame.loc[frame["rule"].isin(scripts), "sum"].sum()
    caption = (
        f"CPU seconds of a process that starts Python and imports a rule's script: {total:.1f} over all jobs of a "
        f"preview run; the smallest of {REPEATS}. Heaviest: seconds to import, by -X importtime. Snakemake's preamble "
        "comes on top in every job."
    )
    save_table(frame, table, caption)


if "snakemake" in globals():
    with job(snakemake):
        params, out = snakemake.params, snakemake.output
        start_up(params.scripts, Path(params.root), out.parquet, out.table[0].removesuffix(".csv"))
