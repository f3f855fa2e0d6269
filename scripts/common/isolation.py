"""Environment of jobs without variables that would change or break them. Imported by the Snakefile: nothing heavy.

Jobs inherit the environment of the terminal, notebook or cluster module that a run is started from.
"""

import os
import shlex
import sys
from pathlib import Path

SETTINGS = {
    "MPLBACKEND": "agg",  # a notebook names a backend that exists in its own process only
    "PYTHONUTF8": "1",  # text files are UTF-8 whatever the locale says
}


def isolate(engine: str | Path) -> None:
    """Set this process and the jobs that it starts apart from Python settings of the caller.

    Args:
        engine: a file of Snakemake. Where it was found through PYTHONPATH, that variable is left alone: jobs need it.
    """
    os.environ.update(SETTINGS)
    folders = [os.path.realpath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if not any(Path(os.path.realpath(engine)).is_relative_to(folder) for folder in folders):
        os.environ.pop("PYTHONPATH", None)
        sys.path[:] = [path for path in sys.path if not path or os.path.realpath(path) not in folders]
    if shlex.quote(sys.executable) != sys.executable:
        # Snakemake puts the interpreter's path into shell commands without quotes; a bare name needs none.
        folder, name = os.path.split(sys.executable)
        os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
        sys.executable = name
