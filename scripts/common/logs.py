"""What a job tells its user: a log file, progress, and one line for a user's mistake."""

import contextlib
import logging
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from scripts.common.errors import UserError

log = logging.getLogger("counterweight")

SECONDS_BETWEEN_LINES = 10.0


@contextlib.contextmanager
def job(snakemake) -> Iterator[None]:
    """Run the body of a rule's script: log to the rule's `log:`, end a `UserError` in one line.

    Snakemake does not capture a script's output, so the log file is written here. Warnings and
    errors also go to the terminal. A `UserError` exits with status 1 and no traceback; any other
    exception writes its traceback to the log and is raised again.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, mode="w")
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
    except Exception:
        to_file.stream.write(traceback.format_exc())
        raise
    finally:
        for handler in (to_file, to_terminal):
            log.removeHandler(handler)
            handler.close() if handler is to_file else handler.flush()


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
