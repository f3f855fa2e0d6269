"""Where a run may have to live: full and read-only disks, strange paths, no home, a clock that goes back."""

import os
import shutil
import subprocess
import time

import pytest

from tests.workflow.faults.conftest import (
    RUN,
    TARGET,
    WEIGHTS,
    Place,
    lost,
    mounted,
    read_only,
    wait_for_file,
)
from tests.workflow.faults.record import record

pytestmark = pytest.mark.faults
FILLED = 2**14


def errors(said: str) -> list[str]:
    """Return the lines in which our code says what is wrong."""
    return [line for line in said.splitlines() if "ERROR" in line or line.startswith("Error: ")]


@pytest.mark.parametrize("folder", ["results", "."])
def test_a_read_only_folder_is_named_before_anything_runs(place, trained, folder):
    with read_only(place.folder / folder):  # where the clone cannot be written to, what is said goes through a pipe
        done = subprocess.run(
            place.command(TARGET),
            cwd=place.folder,
            env=place.environment,
            text=True,
            capture_output=True,
            encoding="utf-8",
        )
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said, said[-3000:]
    assert [line for line in errors(said) if "results: cannot be written (Read-only file system)" in line], said
    assert place.contents() == {}
    status, said = place.run(WEIGHTS)
    assert status == 0, said[-3000:]
    wrong = lost(place, trained)
    record("read-only results folder", 1, wrong, f"read-only bind mount over {folder}, then the same command")
    assert wrong == 0


def test_a_results_folder_that_becomes_read_only_is_named_by_the_job(place):
    """A job that cannot even write its log says so, where the run could still be planned."""
    logs = place.folder / "results/tradeoffs/logs"
    shutil.rmtree(logs)
    logs.mkdir()
    with read_only(logs):
        status, said = place.run(TARGET)
    assert status == 1, said[-3000:]
    assert "Read-only file system" in said and place.contents() == {}


@pytest.mark.parametrize(
    ("where", "free", "target"),
    [
        ("checkpoints", 300_000, WEIGHTS),  # while training: the first checkpoint has 0.4 MB
        ("models", 20_000, WEIGHTS),
        ("curves", 0, WEIGHTS),  # while writing Parquet
        ("predictions", 0, TARGET),
    ],
)
def test_a_full_disk_is_one_line_and_freeing_space_is_all_it_takes(place, undisturbed, trained, where, free, target):
    folder = place.folder / "results/tradeoffs" / where
    with mounted(folder, "-t", "tmpfs", "-o", f"size={free + FILLED}", "tmpfs"):
        # Also because Snakemake removes folders that a failed job leaves empty, which a mount does not let.
        (folder / "filler").write_bytes(bytes(FILLED))
        status, said = place.run(target)
        left = [path for path in folder.rglob("*") if path.is_file()]
        assert status == 1 and "Traceback" not in said, said[-3000:]
        assert len([line for line in errors(said) if "the disk is full; free some space" in line]) >= 1, said[-3000:]
        assert [path for path in left if ".part" in path.name] == []
    status, said = place.run(target)
    assert status == 0, said[-3000:]
    wrong = lost(place, trained if target == WEIGHTS else undisturbed)
    what = "training" if where == "checkpoints" else "writing weights" if where == "models" else "writing Parquet"
    record(f"disk full while {what}", 1, wrong, f"a tmpfs with {free // 1000} KB left as results/tradeoffs/{where}")
    assert wrong == 0


def test_a_disk_that_is_full_from_the_start_is_named_before_anything_runs(place):
    with mounted(place.folder.parent / "small", "-t", "tmpfs", "-o", "size=64k", "tmpfs") as small:
        (small / "work").mkdir()
        command = [*place.command("--directory", str(small / "work"), "--snakefile", "Snakefile")]
        done = subprocess.run(
            command, cwd=place.folder, env=place.environment, capture_output=True, text=True, encoding="utf-8"
        )
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said, said[-3000:]
    assert [line for line in errors(said) if "the disk is full" in line]
    record("disk full", 1, 0, "a tmpfs of 64 KiB as the working folder")


def test_a_path_with_spaces_and_letters_of_other_scripts_is_as_good_as_any(finished, tmp_path, undisturbed):
    folder = tmp_path / "Zoë's Ergebnisse (№ 1) — 数据 & more"
    shutil.copytree(finished, folder, symlinks=True)
    place = Place(folder)
    place.forget()
    process = place.start(TARGET)
    wait_for_file(process, folder / "results/tradeoffs/checkpoints", f"{RUN}/epoch_*")
    process.kill()
    process.wait()
    place.finish()  # `make unlock`, too, must bear such a path
    wrong = lost(place, undisturbed)
    record("spaces and non-ASCII letters in the path", 1, wrong, "a run, killed and finished, in such a folder")
    assert wrong == 0


def test_a_home_that_cannot_be_written_to_changes_nothing(place, undisturbed):
    with mounted(place.folder.parent / "home", "-t", "tmpfs", "-o", "size=4k,ro", "tmpfs") as home:
        caches = {name for name in os.environ if name.startswith("XDG_")} | {"MPLCONFIGDIR", "NUMBA_CACHE_DIR"}
        kept = {name: value for name, value in place.environment.items() if name not in caches}
        figure = "results/data/figures/contact_sheet.png"  # matplotlib keeps its fonts in the home
        (place.folder / figure).unlink(missing_ok=True)
        fit = "results/frtrain/data/synthetic.parquet"
        kept["HOME"] = str(home)
        ask = [
            "make",
            "--no-print-directory",
            "--eval",
            "ask: ; @echo $$XDG_CACHE_HOME",
            "ask",
        ]  # what the commands of docs/running.md run with
        told = subprocess.run(
            ask, cwd=place.folder, env=kept, capture_output=True, text=True, check=True, encoding="utf-8"
        )
        assert told.stdout.strip() == f"{place.folder}/.snakemake/cache"
        status, said = place.run(TARGET, figure, fit, env=kept | {"XDG_CACHE_HOME": told.stdout.strip()})
        assert status == 0 and "Traceback" not in said, said[-3000:]
        assert list(home.iterdir()) == []
    wrong = lost(place, undisturbed) + (not (place.folder / figure).exists())
    record("no write access to the home folder", 1, wrong, "a read-only tmpfs as HOME")
    assert wrong == 0


def test_a_clock_that_goes_back_redoes_no_job_for_ever(whole, undisturbed):
    """Files from the future: what was made on a machine whose clock was ahead, or before this one's was set back."""
    ahead = time.time() + 36 * 3600
    inputs = ["results/data/faces/images.npy", "results/data/faces/index.parquet"]
    for name in inputs:
        os.utime(whole.folder / name, (ahead, ahead))
    figure = "results/data/figures/contact_sheet.png"
    (whole.folder / figure).unlink(missing_ok=True)
    status, said = whole.run(figure)
    assert status == 1 and f"Warning: {len(inputs)} files are dated in the future" in said, said[-3000:]
    cure = said.split("Run once: ")[1].splitlines()[0].split()
    mended = subprocess.run(
        cure, cwd=whole.folder, env=whole.environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert f"{len(inputs)} files were dated in the future, and now are not" in mended.stdout, mended.stderr
    status, said = whole.run(TARGET)
    assert status == 0 and "dated in the future" not in said, said[-3000:]
    wrong = lost(whole, undisturbed)
    status, said = whole.run(TARGET)
    assert status == 0 and "Nothing to be done" in said, said[-3000:]
    record("clock going back", 1, wrong, "images dated a day and a half into the future")
    assert wrong == 0


def test_a_clock_set_back_between_a_broken_run_and_the_next_loses_nothing(place, undisturbed):
    """As if all that is there, code and checkpoints too, had been written under a clock that was two days ahead.

    (libfaketime would set the clock itself, but Python's locks hang under it.)
    """
    process = place.start(TARGET)
    wait_for_file(process, place.folder, f"results/tradeoffs/checkpoints/{RUN}/epoch_*")
    process.kill()
    process.wait()
    files = [file for file in place.folder.rglob("*") if ".venv" not in file.parts]
    for file in [*files, place.folder / ".venv/installed"]:
        written = file.lstat().st_mtime + 48 * 3600
        os.utime(file, (written, written), follow_symlinks=False)
    subprocess.run(["make", "clock"], cwd=place.folder, env=place.environment, check=True)
    place.finish()
    wrong = lost(place, undisturbed)
    status, said = place.run(TARGET)
    assert status == 0 and "Nothing to be done" in said, said[-3000:]
    record("clock going back", 1, wrong, "killed, every file dated two days ahead, then the documented commands")
    assert wrong == 0
