"""Output of a job: its log file, progress, and a single line for a user's mistake."""

import contextlib
import logging
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from scripts.common.errors import UserError
from scripts.common.files import as_user_error
from scripts.common.parent_watchdog import end_with_the_run

log = logging.getLogger("counterweight")

SECONDS_BETWEEN_LINES = 10.0


@contextlib.contextmanager
def job(snakemake) -> Iterator[None]:
    """Context for the body of a rule's script: logs to the rule's `log:` and ends a `UserError` in one line.

    Snakemake does not capture a script's output, so the log file is written here. Warnings and errors
    also go to the terminal. A `UserError` exits with status 1 and no traceback, as do Ctrl-C and
    SIGTERM; the traceback of any other exception is written to the log and the exception raised again.
    """
    end_with_the_run()
    signal.signal(signal.SIGTERM, _interrupt)  # so that SIGTERM, too, leaves no half-written file
    to_file = _log_file(Path(snakemake.log[0]))
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setLevel(logging.WARNING)
    for handler in (to_file, to_terminal):
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    started = time.monotonic()
    try:
        yield
        log.info("done in %.1f s", time.monotonic() - started)
    except UserError as error:
        log.error("%s", error)
        sys.exit(1)
    except KeyboardInterrupt as stop:
        log.error("stopped by %s; run the same command again to go on", stop.args[0] if stop.args else "Ctrl-C")
        sys.exit(1)
    except Exception:
        with contextlib.suppress(OSError):
            to_file.stream.write(traceback.format_exc())
        raise
    finally:
        for handler in (to_file, to_terminal):
            log.removeHandler(handler)
            handler.close() if handler is to_file else handler.flush()


class _Quiet(logging.FileHandler):
    """A file handler that ignores a full disk, so the job fails on its output, not on its log."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Report once, on the terminal, that lines are missing."""
        if not getattr(self, "reported", False):
            self.reported = True
            print(f"{self.baseFilename}: lines are missing, it cannot be written to", file=sys.stderr)

    def close(self) -> None:
        """Close the file; lines that could not be written are lost."""
        with contextlib.suppress(OSError):
            super().close()


def _log_file(path: Path) -> logging.Handler:
    """Return a handler that writes a new log file; exit with one line if it cannot be created."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _Quiet(path, mode="w")
    except OSError as error:
        sys.exit(f"ERROR {as_user_error(error, path)}")


def _interrupt(number: int, _) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def progress(items: Iterable, label: str, total: int | None = None, unit: str = "it") -> Iterator:
    """Iterator over the items that shows a progress bar on a terminal and logs a line every ten seconds."""
    total = len(items) if total is None and hasattr(items, "__len__") else total
    last = time.monotonic()
    bar = tqdm(items, desc=label, total=total, unit=unit, disable=not sys.stderr.isatty(), leave=False)
    for count, item in enumerate(bar, start=1):
        yield item
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            log.info("%s: %d of %s %s", label, count, total if total is not None else "?", unit)
