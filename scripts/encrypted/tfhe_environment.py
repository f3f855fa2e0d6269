"""Rule `encrypted_tfhe_environment`: a Python environment with concrete-python, beside the main one.

concrete-python needs NumPy 1 and has wheels for Python 3.11 and 3.12 only. The environment holds what its lock lists
and borrows torch from the main one by a line in a .pth file, which saves 5 GB.
"""

import importlib.util
import json
import shutil
import sys
import sysconfig
import time
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.files import as_user_error, atomic_path, checksum
from scripts.common.logs import job, log
from scripts.encrypted.tfhe import children

PYTHONS = ((3, 11), (3, 12))  # those that concrete-python has wheels for
BYTES_NEEDED = 1_500_000_000  # 0.7 GB of packages, as much of pip's cache and downloads
MARK = "made_by_encrypted_tfhe_environment"  # a file that says that the folder may be removed
CHECK = """
import json, sys, concrete.compiler, numpy, torch
from importlib.metadata import version
from concrete import fhe
names = ["concrete-python", "numpy", "scipy", "networkx", "z3-solver", "torch"]
versions = {name: version(name) for name in names} | {"python": sys.version.split()[0]}
print(json.dumps({"versions": versions, "numpy": numpy.__file__}))
"""


def check_python(version: tuple[int, int]) -> None:
    """Raise a `UserError` for a Python that concrete-python has no wheel for."""
    if version not in PYTHONS:
        raise UserError(
            f"encrypted: tfhe: concrete-python has no wheel for Python {version[0]}.{version[1]}; run the workflow with"
            " Python 3.11 or 3.12, or set encrypted: tfhe: run: false"
        )


def check_disk(folder: Path) -> None:
    """Raise a `UserError` if the disk of a folder, which need not exist, has too little space."""
    there = next(parent for parent in (folder, *folder.resolve().parents) if parent.is_dir())
    free = shutil.disk_usage(there).free
    if free < BYTES_NEEDED:
        raise UserError(
            f"{folder}: {free / 1e9:.1f} GB are free on its disk, and the environment for TFHE needs"
            f" {BYTES_NEEDED / 1e9:.1f} GB; free some space, or name another folder in encrypted: tfhe: folder"
        )


def remove(folder: Path) -> None:
    """Remove an environment, finished or not; a folder that this rule did not make is refused by a `UserError`."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder}: is no folder; name another one in encrypted: tfhe: folder")
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UserError(f"{folder}: holds other files; name a new folder in encrypted: tfhe: folder")
    # The mark goes last, so that a removal that is interrupted can be taken up.
    for path in folder.iterdir():
        if path.name != MARK:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.rmtree(folder)


def python_of(folder: Path) -> Path:
    """Return the path of an environment's Python."""
    return folder / "bin" / "python"


def imported(folder: Path) -> dict[str, str]:
    """Return the versions that the environment imports.

    Raises:
        UserError: an import fails, or NumPy is not the environment's own.
    """
    ended = children.run([str(python_of(folder)), "-W", "ignore", "-c", CHECK], environment={"PYTHONPATH": ""})
    if ended.status != 0:
        raise UserError(
            f"{folder}: concrete-python cannot be imported there ({ended.last_line[:300]});"
            " remove the folder and run again"
        )
    found = json.loads(ended.last_line)
    if not Path(found["numpy"]).resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"{folder}: imports NumPy of another environment ({found['numpy']}); remove the folder, run again"
        )
    return found["versions"]


def install(folder: Path, lock: Path) -> None:
    """Make the environment in a folder that does not exist.

    Raises:
        UserError: the environment cannot be made, or pip cannot install the lock; the line ends with pip's own.
    """
    folder.mkdir(parents=True)
    (folder / MARK).write_text(
        "Made by the workflow, which removes it before it makes another one here.\n", encoding="utf-8"
    )
    ended = children.run([sys.executable, "-m", "venv", str(folder)])
    if ended.status != 0:
        raise UserError(f"{folder}: no environment can be made there: {ended.last_line}")
    command = [str(python_of(folder)), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    ended = children.run(command, environment={"PYTHONPATH": ""})
    if ended.status != 0:
        errors = [line for line in ended.output.splitlines() if line.startswith("ERROR:")]
        said = (errors[-1] if errors else ended.last_line).removeprefix("ERROR:").strip()
        raise UserError(
            f"{folder}: pip cannot install {lock}; check the network and the package index, then run again. pip: {said}"
        )
    _borrow_torch(folder)


def _borrow_torch(folder: Path) -> None:
    """Append the main environment's packages to the search path; own packages are found first."""
    torch = importlib.util.find_spec("torch")
    if torch is None or not torch.origin:
        raise UserError("encrypted: tfhe: concrete-python needs torch, which the main environment lacks; install it")
    own = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    (Path(own) / "main_environment.pth").write_text(f"{Path(torch.origin).parents[1]}\n", encoding="utf-8")


def _kept(folder: Path, finished: Path, lock_sha256: str) -> dict[str, str] | None:
    """Return the versions that a finished environment of the same lock imports; None if it must be made (again)."""
    if not finished.is_file() or json.loads(finished.read_text(encoding="utf-8"))["lock_sha256"] != lock_sha256:
        return None
    try:
        versions = imported(folder)
    except UserError as error:
        log.info("%s; it is made again", error)
        return None
    log.info("%s: made of this lock before, kept", folder)
    return versions


def build(folder: str | Path, lock: str | Path, output: str | Path) -> None:
    """Make the environment, or keep one made of the same lock, and write what it imports.

    Args:
        folder: of the environment. An environment moves badly, so it is made in place; one that was not finished is
            removed first.
        lock: hash-locked requirements.
        output: JSON with the folder, the lock's sha256, versions imported, seconds and bytes.

    Raises:
        UserError: no wheel for this Python, too little disk, pip or an import fails, or the folder holds other files.
    """
    folder, lock = Path(folder), Path(lock)
    check_python(sys.version_info[:2])
    lock_sha256, finished = checksum(lock), folder / "finished.json"
    started = time.monotonic()
    versions = _kept(folder, finished, lock_sha256)
    if versions is None:
        remove(folder)
        check_disk(folder)
        try:
            install(folder, lock)
            versions = imported(folder)
            finished.write_text(json.dumps({"lock_sha256": lock_sha256}), encoding="utf-8")
        except BaseException as error:
            if (folder / MARK).is_file():
                remove(folder)
            if isinstance(error, OSError):
                raise as_user_error(error, folder) from error
            raise
    content = {
        "folder": str(folder),
        "lock_sha256": lock_sha256,
        "versions": versions,
        "seconds": time.monotonic() - started,
        "bytes": sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()),
    }
    log.info("%s: %.2f GB, concrete-python %s", folder, content["bytes"] / 1e9, content["versions"]["concrete-python"])
    with atomic_path(output) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        build(snakemake.params.folder, snakemake.input.lock, snakemake.output[0])
