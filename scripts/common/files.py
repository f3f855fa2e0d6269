"""Atomic writing of files, and checksums."""

import contextlib
import errno
import glob
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from scripts.common.errors import UserError


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Temporary path beside `path` that is renamed to `path` when the block ends without an error.

    After an error the temporary file is removed and `path` is unchanged. The suffix is kept, since image
    and archive writers choose their format by it.

    Raises:
        UserError: the disk is full, or the folder cannot be written to.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _drop_parts_of_the_dead(path)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())  # a full disk may be reported only here
        temporary.replace(path)
    except Exception as error:
        translated = as_user_error(error, path)
        if translated is error:
            raise
        raise translated from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _drop_parts_of_the_dead(path: Path) -> None:
    """Remove temporary files of `path` left by killed processes, which would otherwise fill the disk."""
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.*.part{glob.escape(path.suffix)}"):
        writer = leftover.name.removeprefix(f".{path.stem}.").split(".")[0]
        if writer.isdigit() and not is_running(int(writer)):
            leftover.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Return whether a process with this id exists on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def as_user_error(error: Exception, path: str | Path) -> Exception:
    """Return a `UserError` for a file-system error that the user can fix, and any other error unchanged.

    Libraries in other languages (safetensors) raise their own exceptions with the error number in the text.
    """
    stated = re.search(r"\(os error (\d+)\)", str(error))
    number = error.errno if isinstance(error, OSError) else int(stated[1]) if stated else None
    if number in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"{path}: the disk is full; free some space and run the same command again")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UserError(f"{path}: cannot be written ({os.strerror(number)}); check the permissions of its folder")
    return error


def checksum(path: str | Path, algorithm: str = "sha256") -> str:
    """Return the hexadecimal digest of a file, read in blocks."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
