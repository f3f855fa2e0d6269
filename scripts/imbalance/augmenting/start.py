"""`make augment`: one augmented table, from the environment's TABLE, ATTRIBUTES, PLAN, GENERATOR, and others."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.common.command_line import start_from_make
from scripts.common.config import check_files
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.own_tables import is_given, register
from scripts.common.tabular import TABLES, attribute_of, table_names
from scripts.common.yaml_files import read_yaml
from scripts.imbalance.generators import GENERATORS
from scripts.imbalance.names import dataset_name
from scripts.imbalance.plans import PLANS

USAGE = "make augment TABLE=adult PLAN=same_class GENERATOR=cart [ATTRIBUTES=sex] [SEED=1] [DOSE=1] [CONFIG=mine.yaml]"
NEEDED = ("TABLE", "PLAN", "GENERATOR")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}")
LARGEST_SEED = 2**31 - 1
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
QUIET = ("--quiet", "progress", "rules", "reason", "host")  # errors are printed, which `all` would hide


def settings_from(environment: Mapping[str, str], configs: Sequence[str] = ()) -> tuple[str, dict]:
    """Return the name of an augmented table and its block of the config.

    Args:
        configs: paths of the user's config files, which may describe tables.

    Raises:
        UserError: a variable that is needed is not given, or one is wrong; the line names the variable.
    """
    given = {name: environment.get(name, "").strip() for name in (*NEEDED, "ATTRIBUTES", "SEED", "DOSE", "NAME")}
    if lacking := [name for name in NEEDED if not given[name]]:
        raise UserError(f"{', '.join(lacking)} not given; write: {USAGE}")
    for name, known in (("PLAN", PLANS), ("GENERATOR", GENERATORS)):
        if given[name] not in known:
            raise UserError(f"{name}: there is no {name.lower()} {given[name]!r}; there are {', '.join(known)}")
    seed, dose = _seed(given["SEED"]), _dose(given["DOSE"])
    register(_tables(configs))
    table = _table(given["TABLE"])
    attributes = [part.strip() for part in given["ATTRIBUTES"].split(",") if part.strip()]
    attributes = attributes or [next(iter(TABLES[table].attributes))]
    for attribute in attributes:
        attribute_of(TABLES[table], attribute)
    if twice := [name for name in attributes if attributes.count(name) > 1]:
        raise UserError(f"ATTRIBUTES: {twice[0]!r} stands twice; name it once")
    entry = {"table": table, "attributes": attributes, "plan": given["PLAN"], "generator": given["GENERATOR"]}
    name = given["NAME"] or f"{dataset_name(entry)}.{entry['plan']}.{entry['generator']}"
    if not NAME.fullmatch(name):
        raise UserError(f"NAME: {name[:130]!r}; take at most 120 letters, digits, _, - and ., a letter or digit first")
    return name, entry | {"seed": seed, "dose": dose}


def _seed(text: str) -> int:
    if not re.fullmatch(r"\d+", text or "1", re.ASCII) or int(text or 1) > LARGEST_SEED:
        raise UserError(f"SEED: {text[:40]!r} is no whole number from 0 to {LARGEST_SEED}")
    return int(text or 1)


def _dose(text: str) -> float:
    try:
        dose = float((text or "1").replace(",", "."))
    except ValueError as error:
        raise UserError(f"DOSE: {text[:40]!r} is no number; give a fraction of the plan above 0, at most 1") from error
    if not 0 < dose <= 1:
        raise UserError(f"DOSE: {text[:40]} is not above 0 and at most 1, the whole plan")
    return dose


def _tables(configs: Sequence[str]) -> dict:
    """Return the block `tables` of all config files, those of a later one over those of an earlier one."""
    check_files([*configs])
    found: dict = {}
    for path in configs:
        content = read_yaml(path) or {}
        block = content.get("tables") if isinstance(content, dict) else None
        for name, entry in (block if isinstance(block, dict) else {}).items():
            both = isinstance(entry, dict) and isinstance(found.get(name), dict)
            found[name] = found[name] | entry if both else entry
    return found


def _table(name: str) -> str:
    """Return the name of a table that can be made.

    Raises:
        UserError: it is a path, there is no such table, or the user has to name its file.
    """
    if name not in TABLES and (Path(name).suffix or "/" in name or Path(name).exists()):
        raise UserError(
            f"TABLE: {name} is a file, and a table needs a description: run make describe TABLE={name} > mine.yaml, "
            "check it, then make augment with the name of the table and CONFIG=mine.yaml"
        )
    if name not in TABLES:
        raise UserError(
            f"TABLE: there is no table {name!r}; there are {', '.join(table_names())}, and what a config describes "
            "under `tables` (CONFIG=mine.yaml)"
        )
    if not is_given(name, {}):
        raise UserError(f"TABLE: the file of {name} is not given; name its path, tables: {{{name}: PATH}}, in a CONFIG")
    return name


def last_error(folder: Path, printed: str) -> str:
    """Return the line with which a job or the planning ended; what was printed if there is none."""
    for path in sorted(folder.glob("logs/*.log")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        if errors := [line.partition(" ERROR ")[2] for line in lines if " ERROR " in line]:
            return f"Error: {errors[-1]}"
    lines = printed.splitlines()
    stated = [line for line in lines if line.startswith("Error: ")] or [
        f"Error: {line.partition(' ERROR ')[2]}" for line in lines if " ERROR " in line
    ]
    return stated[-1] if stated else printed


def run(command: Sequence[str]) -> tuple[int, str]:
    """Run the workflow; return its exit status and what it printed.

    Ctrl-C, SIGTERM and SIGHUP are passed on once, and the workflow is waited for: it removes what is half-written.
    """
    running: list[subprocess.Popen] = []

    def interrupt(_number: int, _frame: object) -> None:
        for name in STOPS:
            signal.signal(name, signal.SIG_IGN)
        if not running:
            sys.exit("Error: stopped before anything was made")
        os.killpg(running[0].pid, signal.SIGINT)  # as a terminal does: the job in progress ends too

    for name in STOPS:  # before the start: a signal that this process ignored would be ignored by the workflow too
        signal.signal(name, interrupt)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # or a terminal would interrupt it, and this process would once more
    ) as process:
        running.append(process)
        printed = process.communicate()[0]
    return process.returncode, printed


def start(environment: Mapping[str, str], cores: str, configs: Sequence[str]) -> int:
    """Augment the table and say where it is; return the exit status."""
    name, entry = settings_from(environment, configs)
    folder = Path("results/augmented") / name
    settings = folder / "augment.yaml"
    block = {"imbalance": {"augment": {name: entry}}}
    try:
        with atomic_path(settings) as temporary:  # JSON is YAML
            temporary.write_text(json.dumps(block, indent=1, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}); move it, or give another NAME") from error
    for log in folder.glob("logs/*.log"):
        log.unlink()
    command = [sys.executable, "-m", "snakemake", "--cores", cores, *QUIET, "--configfile", *configs]
    status, printed = run([*command, str(settings), "--", f"{folder}/report.html"])
    if status:
        print(last_error(folder, printed), file=sys.stderr)
        return 1
    tell(folder)
    return 0


def tell(folder: Path) -> None:
    """Print what was added, the warnings and where the table is."""
    from scripts.imbalance.augmenting.sentences import STUDY, TEST, findings

    about = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    for line in about["warnings"]:
        print(f"Warning: {line}")
    print(*findings(about), TEST, STUDY, sep="\n")
    print(f"Table: {folder}/table.parquet, table.csv   Report: {folder}/report.html, report.md, report.json")


if __name__ == "__main__":
    start_from_make(__doc__, start)
