"""Child processes that end with this one, and after a time limit."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.common.parent_watchdog import PR_SET_PDEATHSIG

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit status (None after the limit, negative for a signal) and its last lines."""

    status: int | None
    output: str

    @property
    def last_line(self) -> str:
        """Return the last line of the output that is not empty."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def _end_with_parent() -> None:
    """Have the kernel kill this child when its parent ends; called between fork and exec, so nothing is imported."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(command: Sequence[str], seconds: float | None = None, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end or to the limit, without input; whatever ends this function ends the child too."""
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **(environment or {})},
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )
    try:
        output, _ = child.communicate(timeout=seconds)
        return Ended(child.returncode, output)
    except subprocess.TimeoutExpired:
        return Ended(None, "")
    finally:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # compilers start processes of their own
            child.communicate()
