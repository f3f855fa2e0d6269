"""Writing that is all or nothing, and checksums."""

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
    """Yield a temporary path beside `path`; move it there when the block ends without an error.

    After an error the temporary file is gone and `path` is as it was. The name's ending is kept,
    since image and archive writers choose their format by it.

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
            os.fsync(written.fileno())  # a full disk may show only here
        temporary.replace(path)
    except Exception as error:
        told = as_user_error(error, path)
        if told is error:
            raise
        raise told from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _drop_parts_of_the_dead(path: Path) -> None:
    """Remove what writers of `path` that were killed have left: a large one would fill the disk for good."""
    for left in path.parent.glob(f".{glob.escape(path.stem)}.*.part{glob.escape(path.suffix)}"):
        writer = left.name.removeprefix(f".{path.stem}.").split(".")[0]
        if writer.isdigit() and not is_running(int(writer)):
            left.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Tell whether a process of this id exists on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def as_user_error(error: Exception, path: str | Path) -> Exception:
    """Turn the file-system errors that a user can mend into a `UserError`; return others as is.

    Libraries in other languages (safetensors) raise errors of their own, which have the number in their text.
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
