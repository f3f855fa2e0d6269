"""Files that a user names in the config, as inputs of rules; their content decides which results are made again.

Snakemake only asks whether an input is newer than the results made from it. A file that replaces another (a copy that
keeps its date, an older version) may not be. So rules also pass a fingerprint of its content as a parameter. This
module is imported by the Snakefile.
"""

import functools
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

WHOLE = 64 * 2**20  # bytes; of a larger file only the size and the end are used
CLUTTER = {"__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found"}
END = 32 * 2**20  # of a zip archive of all of CelebA, this holds the CRC of every image


def existing(path: str | Path) -> list[str]:
    """Return [path] if the path is set and exists, else []: the script reports a missing file in one line."""
    place = os.path.expanduser(path)  # noqa: PTH111 - keeps "./" and a trailing "/"
    return [place] if path and os.path.exists(place) else []  # noqa: PTH110


def content_of(path: str | Path) -> str:
    """Return a fingerprint of the contents of a file or folder; "" if it does not exist.

    For a file it is the sha256; for a file of more than 64 MB the size and the sha256 of its end; for a folder the
    sha256 of the names, sizes and times of all files below, since it may hold 200,000 images. The date of a single file
    is not used.
    """
    if not existing(path):
        return ""
    place = Path(path).expanduser()
    try:
        if place.is_dir():
            return _of_folder(place)
        about = place.stat()
        return _of_file(str(place), about.st_size, about.st_mtime_ns)
    except OSError:
        return ""  # the script that reads it reports the error


def contents_of(paths: Iterable[str | Path]) -> list[str]:
    """Return one fingerprint of the contents of several files."""
    return [content_of(path) for path in paths]


@functools.lru_cache
def _of_file(path: str, size: int, _changed: int) -> str:
    """Return the digest of a file; the cache is keyed by its size and modification time."""
    with Path(path).open("rb") as file:
        if size <= WHOLE:
            return hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(size - END)
        return f"{size} bytes, end {hashlib.sha256(file.read()).hexdigest()}"


def _of_folder(folder: Path) -> str:
    digest, seen = hashlib.sha256(), set()
    for inner, folders, names in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(inner))
        # A link to a parent folder would lead to an endless loop.
        folders[:] = [
            name for name in sorted(folders)
            if not is_clutter(name) and os.path.realpath(os.path.join(inner, name)) not in seen  # noqa: PTH118
        ]  # fmt: skip
        for name in sorted(name for name in names if not is_clutter(name)):
            path = os.path.join(inner, name)  # noqa: PTH118 - for 200,000 of them Path takes seconds
            about = os.stat(path) if os.path.exists(path) else os.lstat(path)  # noqa: PTH110, PTH116
            state = f"{os.path.relpath(path, folder)}\0{about.st_size}\0{about.st_mtime_ns}\0"
            digest.update(os.fsencode(state))
    return digest.hexdigest()


def is_clutter(name: str) -> bool:
    """Return whether a path is hidden or lies in a folder of a file manager or file system (.DS_Store, @eaDir)."""
    parts = [part for part in name.split("/") if part not in (".", "..")]
    return any(part.startswith(".") or part.lower() in CLUTTER for part in parts)
