"""The real DAG, run once at test scale in a temporary clone of this checkout."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]


def snakemake(folder: Path, *arguments: str, config: str | Path | None = "config.test.yaml"):
    """Run the workflow with its results in `folder`; standard error is joined to the output.

    The Snakefile is that of `folder` where it holds a clone, else that of the checkout; so is the `config`, unless it
    is an absolute path. Without a config the run is the preview.
    """
    home = folder if (folder / "Snakefile").exists() else ROOT
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(home / "Snakefile"), "--directory", str(folder)]
    command += ["--cores", "2", *arguments]
    command += ["--configfile", str(home / config)] if config else []
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    return subprocess.run(
        command,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment,
        encoding="utf-8",
    )


def new_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder for a run; wheels of a run in the checkout are taken along, to save their download."""
    folder = factory.mktemp(name)
    for wheel in (ROOT / "results/data/packages").glob("*.whl"):
        target = folder / wheel.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(wheel, target)
    return folder


def project_files() -> list[str]:
    """Paths of the files of this checkout; of a downloaded archive, which has no .git, all but what runs make."""
    if (ROOT / ".git").exists():
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8").stdout
        return [name for name in names.split("\0") if name]
    made = {".venv", ".snakemake", ".pytest_cache", ".ruff_cache", ".hypothesis", "__pycache__", "results"}
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path.as_posix() for path in paths if not made & set(path.parts) or path.as_posix() == "results/README.md"]


def clone_into(folder: Path) -> Path:
    """Copy the files of this checkout that git tracks or would track, as they stand now, into a folder."""
    for name in project_files():
        if (ROOT / name).is_file():  # a deleted file is listed until it is committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def fingerprint(folder: Path) -> str:
    """Return a digest of this Python and of the names and contents of all files below a folder."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()[:16]


def copy_whole(source: Path, target: Path) -> None:
    """Copy a folder so that the target is there whole or not at all; times are kept, so nothing looks edited."""
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, symlinks=True)
    part.rename(target)


@pytest.fixture(scope="session")
def study(request, tmp_path_factory) -> Path:
    """A clone with a finished run at test scale; tests leave its files as they are.

    Workers that test side by side share one: the first makes it, the others wait. It is kept below `.pytest_cache`,
    untouched, for the next session of the same files: `make test-faults` after `make test`, say.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    runs = request.config.cache.mkdir("finished_runs")
    with FileLock(f"{runs}.lock"):
        if shared.exists():
            return shared
        folder = clone_into(new_folder(tmp_path_factory, "study"))
        kept = runs / fingerprint(folder)
        if not kept.exists():
            result = snakemake(folder)
            assert result.returncode == 0, result.stdout[-5000:]
            for old in runs.iterdir():
                shutil.rmtree(old)
            copy_whole(folder, kept)
        copy_whole(kept, shared)
    return shared


@pytest.fixture
def workshop(study, tmp_path) -> Path:
    """A copy of the finished clone, its run and what Snakemake knows of it, to edit at will."""
    folder = tmp_path / "clone"
    shutil.copytree(study, folder, symlinks=True)
    return folder
