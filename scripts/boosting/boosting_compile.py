"""Rule `boosting_compile`: compile the boosting loop, and note what was compiled by what.

Every fit waits for this job, so all of them read the same machine code from the disk.
"""

import hashlib
import json
from pathlib import Path

import numba

from scripts.boosting import kernel  # compiled on import
from scripts.common.files import atomic_path
from scripts.common.logs import job


def write_note(output: str) -> None:
    """Write the source's sha256 and the version of the compiler."""
    source = hashlib.sha256(Path(kernel.__file__).read_bytes()).hexdigest()
    note = {"source": "scripts/boosting/kernel.py", "sha256": source}
    note |= {"numba": numba.__version__}
    with atomic_path(output) as temporary:
        temporary.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        write_note(snakemake.output[0])
