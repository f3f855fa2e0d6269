"""`make audit`: one audit of a file, from the environment's PREDICTIONS, LABEL, PREDICTION, ATTRIBUTES and others."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.audits.plan import audit_files
from scripts.common.command_line import start_from_make
from scripts.common.errors import UserError
from scripts.common.files import atomic_path

TEXTS = ("predictions", "label", "prediction", "score", "positive", "id", "compare", "compare_prediction")
NEEDED = ("PREDICTIONS", "LABEL", "ATTRIBUTES")
USAGE = (
    "make audit PREDICTIONS=file.csv LABEL=income PREDICTION=predicted ATTRIBUTES=sex,race [SCORE=p] [COMPARE=b.csv]"
)


def settings_from(environment: Mapping[str, str]) -> tuple[str, dict]:
    """Return the name of an audit and its block of the config.

    Raises:
        UserError: a variable that is needed is not given, or one is no number.
    """
    given = {name: environment.get(name.upper(), "").strip() for name in TEXTS}
    attributes = [part.strip() for part in environment.get("ATTRIBUTES", "").split(",") if part.strip()]
    lacking = [name for name in NEEDED if not (attributes if name == "ATTRIBUTES" else given[name.lower()])]
    if lacking:
        raise UserError(f"{', '.join(lacking)} not given; write: {USAGE}")
    entry: dict = {name: value for name, value in given.items() if value} | {"attributes": attributes}
    if threshold := environment.get("THRESHOLD", "").strip():
        try:
            entry["threshold"] = float(threshold.replace(",", "."))
        except ValueError as error:
            raise UserError(f"THRESHOLD: {threshold!r} is no number") from error
    name = environment.get("NAME", "").strip() or name_of(given["predictions"])
    return name, entry


def name_of(path: str) -> str:
    """Return a name for the audit of a file, made of the letters and digits of its name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(path).name.partition(".")[0]).strip("-_")[:80] or "audit"


def last_error(folder: Path) -> str:
    """Return the line with which a job of the audit ended; "" if none did."""
    for path in sorted(folder.glob("logs/*.log")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line.partition(" ERROR ")[2] for line in lines if " ERROR " in line]
        if errors:
            return errors[-1]
    return ""


def start(environment: Mapping[str, str], cores: str, configs: Sequence[str]) -> int:
    """Run the audit and say where its results are; return the exit status."""
    name, entry = settings_from(environment)
    folder = Path("results/audits") / name
    settings = folder / "audit.yaml"
    with atomic_path(settings) as temporary:  # JSON is YAML
        temporary.write_text(json.dumps({"audits": {name: entry}}, indent=1, ensure_ascii=False), encoding="utf-8")
    for log in folder.glob("logs/*.log"):
        log.unlink()
    command = [sys.executable, "-m", "snakemake", "--cores", cores, "--quiet", "all", "--configfile", *configs]
    command += [str(settings), "--", f"{folder}/audit.html"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")
    if done.returncode:
        print(f"Error: {last_error(folder)}" if last_error(folder) else done.stdout, file=sys.stderr)
        return 1
    tell(folder, compared=len(audit_files(entry)) > 1)
    return 0


def tell(folder: Path, compared: bool) -> None:
    """Print the findings, the warnings and where the results are."""
    from scripts.audits.findings import findings
    from scripts.common import parquet

    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    frames = [parquet.read(folder / f"{name}.parquet") for name in ("metrics", "attacks")]
    for line in about["warnings"]:
        print(f"Warning: {line}")
    for sentence in findings(*frames, parquet.read(folder / "comparisons.parquet") if compared else None):
        print(sentence)
    print(f"Page: {folder}/audit.html   Numbers: {folder}/metrics.parquet, metrics.csv")


if __name__ == "__main__":
    start_from_make(__doc__, start)
