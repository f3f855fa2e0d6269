"""The rules of the whole workflow and the arrows between them, as Snakemake draws them."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

EDGE = re.compile(r"^\s*(id\d+) --> (id\d+)$", re.M)


def rulegraph_of(snakefile: str | Path) -> str:
    """Return Snakemake's own rule graph of the default config, as if nothing had been made yet."""
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(Path(snakefile).resolve())]
        command += ["--directory", empty, "--nolock", "--rulegraph", "mermaid-js"]
        return subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout
