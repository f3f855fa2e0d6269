"""What a job tells its user: a log file, progress, and one line for a user's mistake."""

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
    """Run the body of a rule's script: log to the rule's `log:`, end a `UserError` in one line.

    Snakemake does not capture a script's output, so the log file is written here. Warnings and
    errors also go to the terminal. A `UserError` exits with status 1 and no traceback, and so do
    Ctrl-C and SIGTERM; any other exception writes its traceback to the log and is raised again.
    """
    end_with_the_run()
    signal.signal(signal.SIGTERM, _interrupt)  # so that it, too, leaves no half-written file
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
    """A log file on a disk that is full: the job ends by what it cannot write, not by what it cannot say."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say once, on the terminal, that lines are missing."""
        if not getattr(self, "said", False):
            self.said = True
            print(f"{self.baseFilename}: lines are missing, it cannot be written to", file=sys.stderr)

    def close(self) -> None:
        """Close the file; what could not be written is lost."""
        with contextlib.suppress(OSError):
            super().close()


def _log_file(path: Path) -> logging.Handler:
    """Return a handler that writes a new log; end the job in one line where none can be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _Quiet(path, mode="w")
    except OSError as error:
        sys.exit(f"ERROR {as_user_error(error, path)}")


def _interrupt(number: int, _) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def progress(items: Iterable, label: str, total: int | None = None, unit: str = "it") -> Iterator:
    """Yield the items; show a bar on a terminal, and a line in the log every ten seconds."""
    total = len(items) if total is None and hasattr(items, "__len__") else total
    last = time.monotonic()
    bar = tqdm(items, desc=label, total=total, unit=unit, disable=not sys.stderr.isatty(), leave=False)
    for count, item in enumerate(bar, start=1):
        yield item
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            log.info("%s: %d of %s %s", label, count, total if total is not None else "?", unit)
