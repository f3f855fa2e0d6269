"""The six files of NIST's excerpts of the American Community Survey, in a folder, checked by sha256."""

import hashlib
from pathlib import Path

from scripts.common.errors import UserError
from scripts.data.sources import SOURCES

FILES = SOURCES["acs"]["files"]
FOLDER = "results/data/acs"  # of the downloaded files
POINTER = b"version https://git-lfs"


def find_acs_file(folder: str | Path, name: str) -> Path | None:
    """Return the path of a file in a folder, or one folder below (as in NIST's repository); None if it is not there."""
    top = Path(folder).expanduser()
    return next((path for path in [top / name, *sorted(top.glob(f"*/{name}"))] if path.is_file()), None)


def read_acs_file(folder: str | Path, name: str) -> bytes:
    """Return the official bytes of a file; line ends of Windows, which NIST's own copies have, are undone.

    Raises:
        UserError: it is missing, cannot be read, or is not the official file.
    """
    path = find_acs_file(folder, name)
    advice = f"get {name} from {address(name)}"
    if path is None:
        raise UserError(f"{folder}: {name} is missing; {advice}, or set multitask.acs: download")
    try:
        content = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {advice}") from error
    if (got := hashlib.sha256(content).hexdigest()) != (expected := FILES[name]["sha256"]):
        start = content[:512].lstrip().lower()
        if start.startswith(b"<"):
            raise UserError(f"{path}: is an HTML page, no table; {advice}")
        if start.startswith(POINTER):
            raise UserError(f"{path}: is a pointer of Git LFS, no table; fetch the file with git lfs pull, or {advice}")
        raise UserError(f"{path}: has the sha256 {got}, expected {expected}; {advice}")
    return content


def address(name: str) -> str:
    """Return the address of a file."""
    return f"{SOURCES['acs']['url']}{FILES[name]['folder']}/{name}"
