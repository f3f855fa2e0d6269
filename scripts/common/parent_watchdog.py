"""Ending a job when the Snakemake process that started it ends.

After a `kill -9` of Snakemake its jobs would continue. A job started before the config was changed would then silently
overwrite the results of the next run with outdated ones.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time

from scripts.common.files import is_running

RUN = "COUNTERWEIGHT_RUN"  # environment variable: process id of the Snakemake that starts the jobs
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
SECONDS = 0.5


def announce() -> None:
    """Mark this process as the run: jobs that it starts end when it ends."""
    os.environ[RUN] = str(os.getpid())


def end_with_the_run() -> None:
    """Make this process be killed as soon as its run has ended; without an announced run, do nothing.

    Where the run is the parent process, the kernel does it, even during compiled code. Where a shell is in
    between, as under conda, a thread watches the run.
    """
    run = int(os.environ.get(RUN, 0))
    if not run:
        return
    if os.getppid() == run and sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(run,), daemon=True).start()


def _watch(run: int) -> None:
    while is_running(run):
        time.sleep(SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
