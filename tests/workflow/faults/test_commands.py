"""What docs/running.md says to type after a crash: five lines, and every one of them is true."""

import re
import shutil
import subprocess

import pytest

from tests.workflow.conftest import ROOT
from tests.workflow.faults.conftest import TARGET, lost
from tests.workflow.faults.record import record

PAGE = (ROOT / "docs/running.md").read_text(encoding="utf-8")


def lines_after_a_crash() -> list[str]:
    """Return the commands of the page's block, without their remarks."""
    block = PAGE.split("## When something breaks")[1].split("```")[1]
    return [line.split("#")[0].strip() for line in block.strip().splitlines()]


def test_five_lines_say_what_to_type():
    assert lines_after_a_crash() == ["make study", "make unlock", "rm FILE", "make clean", "make faults"]


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("study", r"\.venv/bin/python -m snakemake\s+--cores all$"),
        ("unlock", r"\.venv/bin/python -m snakemake\s+--cores all --unlock$"),
        ("clean", r"^rm -rf \.snakemake$"),
        ("test-faults", r"\.venv/bin/python -m pytest -m faults .*tests/workflow/slurm tests/workflow/faults$"),
        ("faults", r"^cp results/faults/faults\.csv releases/faults\.csv$"),
    ],
)
def test_make_runs_what_the_tests_run(target, command):
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert re.search(command, done.stdout, re.M), done.stdout


def test_the_lines_that_call_a_file_damaged_say_to_delete_it():
    """`rm FILE` is what the message itself says, for every kind of file that the workflow has written."""
    sources = ["scripts/common/parquet.py", "scripts/tradeoffs/images.py", "scripts/tradeoffs/models.py"]
    for source in sources:
        assert "delete it and run the workflow" in (ROOT / source).read_text(encoding="utf-8"), source


@pytest.mark.faults
def test_make_clean_keeps_the_environment_and_everything_is_made_again(whole, undisturbed):
    subprocess.run(["make", "clean"], cwd=whole.folder, check=True, capture_output=True)
    assert [path.name for path in (whole.folder / "results").iterdir()] == ["README.md"]
    assert not (whole.folder / ".snakemake").exists() and (whole.folder / ".venv/installed").exists()
    packages = whole.folder / "results/data/packages"  # spares the download
    packages.mkdir(parents=True)
    for wheel in (ROOT / "results/data/packages").glob("*.whl"):
        shutil.copy(wheel, packages)
    status, said = whole.run(TARGET, longest=600)
    assert status == 0, said[-3000:]
    wrong = lost(whole, undisturbed)
    record("everything deleted", 1, wrong, "make clean, then the same command")
    assert wrong == 0
