"""A job ends with the run that started it.

After a `kill -9` of Snakemake its jobs would go on alone. One that was started before the config was changed would then
put its old results over those of the next run, and nothing would tell.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time

from scripts.common.files import is_running

RUN = "COUNTERWEIGHT_RUN"  # in the environment: the process id of the Snakemake that starts the jobs
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
SECONDS = 0.5


def announce() -> None:
    """Make this process the one whose end ends the jobs that it starts."""
    os.environ[RUN] = str(os.getpid())


def end_with_the_run() -> None:
    """End this process at once when its run is gone; without an announced run, do nothing.

    The system does it where the run is the parent, even in the middle of compiled code. A thread does it where a
    shell stands between the two, as under conda.
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
