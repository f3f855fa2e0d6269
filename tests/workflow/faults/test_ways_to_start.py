"""Ways in which people get the code and start it: strange folders, foreign Python settings, other workflows."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, clone_into
from tests.workflow.faults.record import record

pytestmark = pytest.mark.faults
TARGET = "results/data/celeba/partitions.parquet"  # one short job that starts a Python of its own
NOT_OURS = ("PYTHONPATH", "MPLBACKEND", "XDG_CACHE_HOME", "LOGNAME", "USER")


def with_environment(folder: Path) -> Path:
    """Return a copy of this checkout with a .venv of its own, which borrows the packages of the running one."""
    folder.mkdir(parents=True)
    clone_into(folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=folder, check=True)
    packages = next((folder / ".venv/lib").glob("python*/site-packages"))
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (folder / ".venv/installed").touch()
    return folder


def typed(folder: Path, *command: str, **environment: str) -> str:
    """Run a command as a user types it, and return what it says; it must succeed."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    done = subprocess.run(command, cwd=folder, env=kept | environment, text=True, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout + done.stderr


@pytest.fixture
def clone(tmp_path) -> Path:
    return with_environment(tmp_path / "clone")


@pytest.mark.parametrize("name", ["My Projects/clone", "O'Brien's [new] study/clone"])
def test_an_environment_below_a_strange_path_runs_jobs(tmp_path, name):
    folder = with_environment(tmp_path / name)
    said = typed(folder, ".venv/bin/python", "-m", "snakemake", "--cores", "1", "--", TARGET)
    assert "1 of 1 steps (100%) done" in said and (folder / TARGET).exists()
    record("environment below a path with blanks, apostrophe, brackets", 1, 0, "a job whose interpreter lies there")


def test_a_folder_that_was_moved_still_runs(clone):
    moved = clone.rename(clone.with_name("moved"))
    said = typed(moved, "make", "study", "CORES=1 -n")
    assert "This was a dry-run" in said
    record("moved folder", 1, 0, "the clone with its environment renamed, then make study")


def test_a_release_below_a_path_with_an_apostrophe_reaches_snakemake_whole(clone):
    place = clone.parent / "O'Brien"
    place.mkdir()
    (release,) = (ROOT / "releases/preview").glob("leakage.zip")
    (place / release.name).symlink_to(release)
    said = typed(clone, "make", "figures", f"RELEASED={place / release.name}", "CORES=1 -n")
    assert "leakage_draw" in said and "This was a dry-run" in said
    record("release below a path with an apostrophe", 1, 0, "make figures RELEASED=...")


def test_python_settings_of_the_caller_do_not_reach_a_job(clone):
    broken = clone.parent / "module"
    for package in ("numpy", "scripts"):
        (broken / package).mkdir(parents=True)
        (broken / package / "__init__.py").write_text(
            f"raise ImportError('the {package} of another Python')", encoding="utf-8"
        )
    foreign = {"PYTHONPATH": str(broken), "MPLBACKEND": "module://matplotlib_inline.backend_inline", "LC_ALL": "C"}
    release = ROOT / "releases/preview/leakage.zip"
    said = typed(clone, "make", "figures", f"RELEASED={release}", "CORES=1", **foreign)
    assert "steps (100%) done" in said and (clone / "results/leakage/figures/bound_and_attack.png").exists()
    record("PYTHONPATH and MPLBACKEND of another program", 1, 0, "figures drawn under a broken numpy and backend")


@pytest.mark.parametrize("home", ["HOME=/", "--unset=HOME"])
def test_a_user_without_a_name_or_a_home_can_start(clone, home):
    """As `docker run --user 12345` does: the user has no entry in /etc/passwd."""
    nobody = ["unshare", "--user", "--map-user=12345", "--map-group=12345"]
    if subprocess.run([*nobody, "true"], capture_output=True).returncode:
        pytest.skip("user namespaces are not allowed here")
    said = typed(clone, *nobody, "env", home, "make", "study", "CORES=1 -n")
    assert "This was a dry-run" in said
    record("user without a name or a home", 1, 0, f"make study in a user namespace, {home}")


def test_clean_follows_a_linked_results_folder(clone):
    scratch = clone.parent / "scratch"
    (clone / "results").rename(scratch)
    (clone / "results").symlink_to(scratch)
    (scratch / "data").mkdir()
    (scratch / "data/large.bin").write_bytes(b"x")
    typed(clone, "make", "clean")
    assert [path.name for path in scratch.iterdir()] == ["README.md"] and (clone / "results").is_symlink()
    record("results on another disk", 1, 0, "results is a link; make clean empties what it points to")


MODULE = """
module counterweight:
    snakefile:
        "{snakefile}"


use rule * from counterweight as counterweight_*


rule mine:
    default_target: True
    input:
        "{target}",
"""


def test_another_workflow_takes_this_one_as_a_module(tmp_path):
    (tmp_path / "Snakefile").write_text(MODULE.format(snakefile=ROOT / "Snakefile", target=TARGET), encoding="utf-8")
    run = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", str(ROOT / "config.yaml"), "--"]
    said = typed(tmp_path, *run)
    assert "2 of 2 steps (100%) done" in said and (tmp_path / TARGET).exists()
    planned = typed(tmp_path, *run[:-1], "-n", "--", "counterweight_all")
    assert "counterweight_tradeoffs_train" in planned
    record("used as a module of another workflow", 1, 0, "its rules under a prefix; one job run, all planned")


def test_a_copy_without_git_is_cloned_by_its_files(tmp_path):
    """A downloaded archive has no .git; the tests copy what lies there, without results and environments."""
    folder = with_environment(tmp_path / "downloaded")
    assert not (folder / ".git").exists()
    (folder / "results/data").mkdir(parents=True, exist_ok=True)
    (folder / "results/data/large.bin").write_bytes(b"x")
    check = "from tests.workflow.conftest import clone_into; from pathlib import Path; clone_into(Path('../copy'))"
    (tmp_path / "copy").mkdir()
    typed(folder, ".venv/bin/python", "-c", check)
    copied = {
        path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*") if path.is_file()
    }
    assert {"Snakefile", "results/README.md", "scripts/common/parquet.py"} <= copied
    assert not [name for name in copied if name.startswith((".venv/", "results/data"))]
    record("downloaded archive without .git", 1, 0, "the tests' copy of a checkout without a repository")
