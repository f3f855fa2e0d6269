"""What every rule file uses."""

import os
from pathlib import Path

from scripts.common.imports import project_imports

ROOT = Path(workflow.basedir)


def code(script):
    """Return the project files that a rule's script imports, as inputs of the rule."""
    here = Path.cwd()
    return [os.path.relpath(ROOT / path, here) for path in project_imports(script, ROOT)]
