"""Surroundings that people start in: masks, time zones, locales, styles, read-only and shallow copies, subfolders."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, clone_into
from tests.workflow.faults.conftest import read_only
from tests.workflow.faults.record import record
from tests.workflow.faults.test_ways_to_start import TARGET, clone, typed, with_environment

pytestmark = pytest.mark.faults
__all__ = ["clone"]  # a fixture
FIGURE = "results/leakage/figures/bound_and_attack"
DRAW = [sys.executable, "-m", "snakemake", "--cores", "1", "--config", f"released={ROOT}/releases/preview/leakage.zip"]
MATPLOTLIBRC = "figure.dpi: 30\nfont.size: 30\nsavefig.format: svg\naxes.facecolor: red\ntext.usetex: True\n"
# Each redraw tries several at once: they do not meet.
SURROUNDINGS = {
    "odd": {
        "TZ": "Pacific/Kiritimati",
        "LANG": "C",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "MATPLOTLIBRC": "matplotlibrc",
    },
    "foreign": {
        "TZ": "Nowhere/Lost",
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "de_DE.UTF-8",
        "PYTHONHASHSEED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    },
}


def drawn(folder: Path, *command: str, **environment: str) -> dict[str, bytes]:
    """Draw a figure from a release; return the bytes of its files by their endings."""
    typed(folder, *command, *DRAW, "--", f"{FIGURE}.png", **environment)
    return {ending: (folder / FIGURE).with_suffix(ending).read_bytes() for ending in (".png", ".pdf", ".parquet")}


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[str, bytes]:
    return drawn(clone_into(tmp_path_factory.mktemp("plain")))


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_figure_is_the_same_in(name, plain, tmp_path):
    folder = clone_into(tmp_path)
    (folder / "matplotlibrc").write_text(MATPLOTLIBRC, encoding="utf-8")
    assert drawn(folder, "env", **SURROUNDINGS[name]) == plain
    for variable, value in SURROUNDINGS[name].items():
        record(
            f"started with {variable}={value}", 1, 0, "a figure redrawn: its PNG, PDF and Parquet are the same bytes"
        )


def test_a_mask_of_077_keeps_results_to_oneself_and_changes_nothing(plain, tmp_path):
    folder = clone_into(tmp_path)
    assert drawn(folder, "sh", "-c", 'umask 077; exec "$@"', "sh") == plain
    readable = [path for path in (folder / "results").rglob("*.p*") if path.stat().st_mode & stat.S_IRWXO]
    assert not readable
    record("umask 077", 1, 0, "a figure redrawn; the same bytes, readable by nobody else")


def test_a_read_only_checkout_writes_elsewhere(plain, tmp_path):
    checkout, place = tmp_path / "checkout", tmp_path / "place"
    for folder in (checkout, place):
        folder.mkdir()
    clone_into(checkout)
    with read_only(checkout):
        where = ["--snakefile", str(checkout / "Snakefile"), "--directory", str(place)]
        typed(place, *DRAW, *where, "--", f"{FIGURE}.png")
    assert (place / FIGURE).with_suffix(".png").read_bytes() == plain[".png"]
    record("read-only checkout", 1, 0, "--snakefile and --directory; the results lie elsewhere")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a downloaded archive has no history to clone")
@pytest.mark.parametrize("way", ["shallow clone", "submodule"])
def test_what_git_makes_of_a_repository_runs(way, tmp_path):
    outer = tmp_path / "outer"
    git = ["git", "-c", "protocol.file.allow=always", "-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    subprocess.run([*git, "init", "--quiet", str(outer)], check=True)
    source = f"file://{ROOT}"
    take = ["clone", "--depth", "1"] if way == "shallow clone" else ["submodule", "add"]
    subprocess.run([*git, *take, "--quiet", source, "inner"], cwd=outer, check=True, capture_output=True)
    folder = outer / "inner"
    said = typed(folder, sys.executable, "-m", "snakemake", "--cores", "1", "--", TARGET)
    assert "1 of 1 steps (100%) done" in said
    state = "from scripts.provenance.environment import state_of_code as s; print(s('.')['commit'])"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert typed(folder, sys.executable, "-c", state).strip() == head.stdout.strip()
    record(way, 1, 0, "one job run; the manifest's commit is that of the repository")


def test_a_linked_environment_that_fits_is_not_installed_again(tmp_path):
    """Of a fresh clone every file is newer than an environment that others share."""
    shared = with_environment(tmp_path / "first")
    folder = tmp_path / "second"
    folder.mkdir()
    clone_into(folder)
    stamp = shared / ".venv/installed"
    stamp.write_bytes((folder / "envs/requirements.txt").read_bytes())
    os.utime(stamp, (1, 1))
    (folder / ".venv").symlink_to(shared / ".venv")
    said = typed(folder, "make", "study", "CORES=1 -n", "PYTHON=false")  # an installation would fail
    assert "This was a dry-run" in said
    record("environment shared through a link", 1, 0, "the stamp's content decides, not its date")


def test_overlays_and_single_values_go_together(tmp_path):
    """The later overlay wins, before and after the target; a single value that is wrong is one line."""
    folder = clone_into(tmp_path)
    for name, seed in {"first": 7, "second": 8}.items():
        (folder / f"{name}.yaml").write_text(
            f"tradeoffs: {{seeds: [{seed}], training: {{runs_per_job: 1}}}}\n", encoding="utf-8"
        )
    run = [sys.executable, "-m", "snakemake", "--cores", "1", "-n"]
    overlays = ["--configfile", "first.yaml", "second.yaml"]
    for order in (["tradeoffs", *overlays], [*overlays, "--", "tradeoffs"]):
        planned = typed(folder, *run, *order)
        assert ".seed8.safetensors" in planned and ".seed7.safetensors" not in planned
    one = typed(folder, *run, *overlays, "--config", "tradeoffs={seeds: [9]}", "--", "tradeoffs")
    assert ".seed9.safetensors" in one and ".seed8.safetensors" not in one
    wrong = subprocess.run([*run, "--config", "gpu=many"], cwd=folder, capture_output=True, text=True, encoding="utf-8")
    said = wrong.stdout + wrong.stderr
    assert wrong.returncode and "Error: config: gpu" in said and "Traceback" not in said
    record("overlays before and after the target, --config", 4, 0, "two overlays; a wrong value in one line")


def test_a_start_in_a_subfolder_says_where_the_results_go(tmp_path):
    folder = clone_into(tmp_path)
    run = [sys.executable, "-m", "snakemake", "--cores", "1"]
    nothing = subprocess.run(run, cwd=folder / "docs", capture_output=True, text=True, encoding="utf-8")
    assert nothing.returncode and "No Snakefile found" in nothing.stdout + nothing.stderr
    said = typed(folder / "docs", *run, "--snakefile", "../Snakefile", "--", TARGET)
    assert "Warning: results go to docs/results" in said
    record("started in a subfolder", 2, 0, "one line says where the results go")
