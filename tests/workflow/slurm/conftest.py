"""The one-node Slurm of these tests, and places where Snakemake submits to it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.workflow.conftest import snakemake
from tests.workflow.slurm.cluster import Cluster, missing

RUN = "corrected.small_cnn.plain.seed1"
TARGET = f"results/tradeoffs/metrics/{RUN}.parquet"
MADE = [f"models/{RUN}.safetensors", f"curves/{RUN}.parquet", f"predictions/{RUN}.parquet"]
MADE += [f"attacks/{RUN}.parquet", f"metrics/{RUN}.parquet", f"frontiers/{RUN}.parquet"]
MADE = [f"results/tradeoffs/{name}" for name in MADE]
OVERLAYS = ["config.test.yaml", "faults.yaml"]
OVERLAY = "tradeoffs:\n  training: {epochs: 12}\n"  # long enough to be met while it trains
# Jobs are looked at every second as long as some end; the profile's own 20 s are kinder to the controller of a cluster.
QUICK = ["--slurm-init-seconds-before-status-checks", "1"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Slurm, running; skipped with the reason where it cannot be started."""
    if reason := missing():
        pytest.skip(f"no Slurm here: {reason}")
    state = Path(tempfile.mkdtemp(prefix="counterweight-slurm-"))
    state.chmod(0o755)  # munge refuses a socket in a folder that others cannot enter
    slurm = Cluster(state)
    try:
        try:
            slurm.start()
        except RuntimeError as error:  # a container without what slurmd needs
            pytest.skip(f"no Slurm here: it did not start: {error}")
        yield slurm
    finally:
        slurm.stop()
        shutil.rmtree(state, ignore_errors=True)


class Place:
    """A clone of this checkout with the results of a run at test scale, from which Snakemake submits to Slurm."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {**os.environ, "PYTHONWARNINGS": "default", "COLUMNS": "200"}

    def start(self, *arguments: str, target: str = TARGET) -> subprocess.Popen:
        """Start `snakemake --profile profiles/slurm`; what it says goes to the file `said`."""
        command = [sys.executable, "-m", "snakemake", target, "--profile", "profiles/slurm", *QUICK, *arguments]
        with (self.folder / "said").open("w", encoding="utf-8") as said:
            return subprocess.Popen(
                [*command, "--configfile", *OVERLAYS],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self, process: subprocess.Popen, seconds: float = 600) -> tuple[int, str]:
        """Wait for a run; return its exit status and what it said."""
        try:
            return process.wait(timeout=seconds), self.said()
        except subprocess.TimeoutExpired:
            pytest.fail(f"still waiting after {seconds} s:\n{self.said()[-5000:]}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def run(self, *arguments: str, seconds: float = 600, **options) -> tuple[int, str]:
        """Run Snakemake to its end."""
        return self.finish(self.start(*arguments, **options), seconds)

    def said(self) -> str:
        """Return what Snakemake has said so far."""
        return (self.folder / "said").read_text(encoding="utf-8")

    def submitted(self) -> list[str]:
        """Return the Slurm ids of the jobs that were submitted, in order."""
        return re.findall(r"submitted with SLURM jobid (\d+)", self.said())

    def training(self, cluster: Cluster, seconds: float = 240) -> psutil.Process:
        """Wait until the training has written a checkpoint, and return its process."""
        kept = self.folder / f"results/tradeoffs/checkpoints/{RUN}"
        cluster.wait(lambda: kept.is_dir() and any(kept.iterdir()), seconds)
        for process in psutil.process_iter(["cmdline"]):
            words = " ".join(process.info["cmdline"] or [])
            if str(self.folder) in words and ".snakemake/scripts/" in words:
                return process
        raise RuntimeError("no training process")

    def bytes(self) -> dict[str, bytes | None]:
        """Return the content of every file that the run makes."""
        paths = {name: self.folder / name for name in MADE}
        return {name: path.read_bytes() if path.exists() else None for name, path in paths.items()}


@pytest.fixture(scope="session")
def prepared(study, tmp_path_factory) -> Path:
    """The finished run at test scale, and a config that trains one run anew and longer."""
    folder = tmp_path_factory.mktemp("prepared") / "clone"
    shutil.copytree(study, folder, symlinks=True, ignore=shutil.ignore_patterns("packages", "figures"))
    (folder / "faults.yaml").write_text(OVERLAY, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def expected(prepared, tmp_path_factory) -> dict[str, bytes]:
    """What an undisturbed local run makes."""
    folder = tmp_path_factory.mktemp("expected") / "clone"
    shutil.copytree(prepared, folder, symlinks=True)
    before = Place(folder).bytes()
    result = snakemake(folder, TARGET, "--configfile", *(str(folder / name) for name in OVERLAYS), config=None)
    assert result.returncode == 0, result.stdout[-3000:]
    made = Place(folder).bytes()
    assert None not in made.values() and all(made[name] != before[name] for name in MADE[:3])
    return made


def new_place(prepared: Path, folder: Path) -> Place:
    """Return a fresh copy of the prepared clone."""
    shutil.copytree(prepared, folder / "clone", symlinks=True)
    return Place(folder / "clone")


@pytest.fixture
def place(prepared, tmp_path) -> Place:
    """A fresh copy of the prepared clone."""
    return new_place(prepared, tmp_path)
