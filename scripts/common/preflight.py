"""Check before planning that a run can write its files. Imported by the Snakefile, so it imports nothing heavy."""

import os
import time
from pathlib import Path

from scripts.common.files import as_user_error

PROBE = bytes(2**16)  # larger than Snakemake's metadata of a job
AHEAD = 60  # seconds by which the clocks of two machines may differ


def require_writable(*folders: str | Path) -> None:
    """Write and remove a small file in each folder, or in the nearest folder above it that exists.

    Without this check Snakemake would end in a traceback, and on a full disk in one per job.

    Raises:
        UserError: a folder is read-only, or its disk is full.
    """
    for folder in map(Path, folders):
        place = next(above for above in [folder, *folder.absolute().parents] if above.is_dir())
        probe = place / f".probe.{os.getpid()}"
        try:
            probe.write_bytes(PROBE)
        except OSError as error:
            raise as_user_error(error, folder) from error
        finally:
            if probe.exists():
                probe.unlink()


def date_back(*places: str | Path) -> int:
    """Date files of the future back, the latest of them to now and all others as long before it as they were.

    After a clock was set back, Snakemake would throw away the results of every job that reads such a file, for ever.
    Their order must stay: a result that is not newer than its script is made again.

    Returns:
        How many there were.
    """
    now = time.time_ns()
    files = (file for place in map(Path, places) for file in ([place] if place.is_file() else place.rglob("*")))
    written = {file: file.lstat().st_mtime_ns for file in files}
    ahead = {file: when for file, when in written.items() if when > now + AHEAD * 10**9}
    shift = max(ahead.values(), default=now) - now
    for file, when in ahead.items():
        os.utime(file, ns=(when - shift, when - shift), follow_symlinks=False)
    return len(ahead)
