"""Rule `unpack_release`: the numbers of a release as files, from which figures, tables and claims are redrawn."""

from pathlib import Path

from scripts.common.logs import job
from scripts.provenance.archive import unpack

FOLDER = "results/released"

if "snakemake" in globals():
    with job(snakemake):
        targets = {Path(path).relative_to(FOLDER).as_posix(): path for path in snakemake.output}
        unpack(snakemake.input.archive, snakemake.params.hashes, targets)
