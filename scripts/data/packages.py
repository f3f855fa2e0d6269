"""Wheels of the package index as carriers of data: read by member name, never installed or imported."""

import hashlib
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from scripts.common.errors import UserError

LARGEST = 2**30  # bytes of a member when unpacked; a small archive can claim to hold any number
# What a damaged archive makes zipfile raise; encrypted members are a RuntimeError.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
)


def read_member(archive: str | Path, name: str, sha256: str | None = None) -> bytes:
    """Return the bytes of the one member of a zip archive whose base name is `name`.

    Nothing is written to disk, so a member's path can do no harm. Folders inside the archive are
    ignored: they change from release to release.

    Raises:
        UserError: the archive is damaged, has no such member or several, or the member's sha256 is another.
    """
    again = "delete the archive and run the workflow again"
    try:
        with zipfile.ZipFile(archive) as opened:
            found = [member for member in opened.namelist() if PurePosixPath(member).name == name]
            if len(found) != 1:
                raise UserError(f"{archive}: has {len(found)} members named {name!r} where one is expected; {again}")
            if (size := opened.getinfo(found[0]).file_size) > LARGEST:
                raise UserError(f"{archive}: member {name!r} says that it has {size:,} bytes; {again}")
            content = opened.read(found[0])
    except FileNotFoundError as error:
        raise UserError(f"{archive}: no such file; run the workflow to fetch it") from error
    except DAMAGE as error:
        raise UserError(f"{archive}: damaged or no zip archive ({error}); {again}") from error
    got = hashlib.sha256(content).hexdigest()
    if sha256 is not None and got != sha256:
        raise UserError(f"{archive}: member {name!r} has the sha256 {got}, expected {sha256}; {again}")
    return content
