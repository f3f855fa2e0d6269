"""Writing that is all or nothing, and checksums."""

import contextlib
import errno
import hashlib
import os
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
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())  # a full disk may show only here
        temporary.replace(path)
    except OSError as error:
        raise as_user_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def as_user_error(error: OSError, path: str | Path) -> Exception:
    """Turn the file-system errors that a user can mend into a `UserError`; return others as is."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"{path}: the disk is full; free some space and run the same command again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UserError(f"{path}: cannot be written ({error.strerror}); check the permissions of its folder")
    return error


def checksum(path: str | Path, algorithm: str = "sha256") -> str:
    """Return the hexadecimal digest of a file, read in blocks."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
