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


def subfolder_warning(root: str | Path) -> str | None:
    """Return a line that names where results go if the run was started in a folder below the project's; else None."""
    here, root = Path.cwd(), Path(root).resolve()
    if root not in here.parents:
        return None
    place = here.relative_to(root) / "results"
    return f"Warning: results go to {place}, not to results; start in {root}, or give --directory"


def dated_ahead(*places: str | Path, now: float | None = None) -> dict[Path, int]:
    """Return the files of the future, with their dates in nanoseconds, in the order of their dates.

    After a clock was set back, Snakemake refuses what a job makes of such a file, since it is older, or redoes the
    job in every run.

    Args:
        places: files, and folders that are searched to the bottom.
        now: seconds; by default those of the clock.
    """
    latest = ((time.time() if now is None else now) + AHEAD) * 10**9
    files = (file for place in map(Path, places) for file in ([place] if place.is_file() else place.rglob("*")))
    dates = {file: file.lstat().st_mtime_ns for file in files}
    return dict(sorted(((file, date) for file, date in dates.items() if date > latest), key=lambda pair: pair[1]))


def clock_warning(*places: str | Path) -> str | None:
    """Return a line that names files dated in the future and the command that fixes them; None if there are none."""
    if not (ahead := dated_ahead(*places)):
        return None
    count = f"{len(ahead)} files are" if len(ahead) > 1 else "1 file is"
    return (
        f"Warning: {count} dated in the future (such as {next(iter(ahead))}), so what is made of them is refused, "
        "or made anew by every run; was the clock set back? Run once: make clock"
    )


def date_back(*places: str | Path) -> int:
    """Date files of the future back: the latest of them to now, all others by the same shift.

    Their order must stay the same: a result that is not newer than its script is made again.

    Returns:
        The number of files dated back.
    """
    now = time.time()
    ahead = dated_ahead(*places, now=now)
    shift = max(ahead.values(), default=0) - int(now * 10**9)
    for file, date in ahead.items():
        os.utime(file, ns=(date - shift, date - shift), follow_symlinks=False)
    return len(ahead)


def project_files(root: str | Path, results: str | Path = "results") -> list[Path]:
    """Return the folders and files whose dates Snakemake compares: results, code and what the code reads."""
    root = Path(root)
    folders = [root / name for name in ("scripts", "rules", "envs", "releases")]
    return [Path(results), *folders, *filter(Path.is_file, root.iterdir())]


if __name__ == "__main__":  # make clock
    count = date_back(*project_files(Path(__file__).parents[2]))
    print(f"{count} files were dated in the future, and now are not" if count else "no file is dated in the future")
