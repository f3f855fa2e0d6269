"""What every rule file uses."""

import os
from pathlib import Path

from scripts.common.imports import project_imports

ROOT = Path(workflow.basedir)


def code(script):
    """Return the project files that a rule's script imports, as inputs of the rule."""
    here = Path.cwd()
    return [os.path.relpath(ROOT / path, here) for path in project_imports(script, ROOT)]


def gathered(study, name):
    """Return a gathered file of a study. Stopgap: replaced on merge."""
    return f"results/{study}/{name}.parquet"


def figure_files(study, *names):
    """Return the three files of each figure. Stopgap: replaced on merge."""
    return [
        f"results/{study}/figures/{name}.{kind}"
        for name in names
        for kind in ("png", "pdf", "parquet")
    ]


def table_files(study, *names):
    """Return the three files of each table. Stopgap: replaced on merge."""
    return [
        f"results/{study}/tables/{name}.{kind}" for name in names for kind in ("csv", "md", "tex")
    ]
