"""Counterweight: what trustworthy AI costs, rebuilt from one DAG. This file is its table of contents."""

import os
import sys
from pathlib import Path

from scripts.common.config import validate
from scripts.common.errors import UserError
from scripts.common.imports import project_imports

ROOT = Path(workflow.basedir)


configfile: ROOT / "config.yaml"


try:
    validate(config, ROOT / "config.schema.yaml")
except UserError as error:
    sys.exit(f"Error: {error}")


def code(script):
    """Return the project files that a rule's script imports, as inputs of the rule."""
    here = Path.cwd()
    return [os.path.relpath(ROOT / path, here) for path in project_imports(script, ROOT)]


include: "rules/data.smk"
include: "rules/tradeoffs.smk"


rule all:
    default_target: True
    input:
        DATA_TARGETS,
        TRADEOFFS_TARGETS,
