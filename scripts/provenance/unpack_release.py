"""Rule `unpack_release`: the numbers of releases as files, from which figures, tables and claims are redrawn."""

from pathlib import Path

from scripts.common.logs import job
from scripts.provenance.archive import CRATE, unpack

FOLDER = "results/released"

if "snakemake" in globals():
    with job(snakemake):
        for study, release in snakemake.params.releases.items():
            own = [path for path in snakemake.output if Path(path).parent.name == study]
            names = [Path(path).relative_to(FOLDER).as_posix() for path in own]
            names = [CRATE if name == f"{study}/{CRATE}" else name for name in names]
            unpack(release["archive"], release["files"], dict(zip(names, own, strict=True)))
