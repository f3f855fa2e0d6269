"""Rule `unpack_release`: unpack the released tables, from which figures, tables and claims are redrawn."""

from pathlib import Path

from scripts.common.logs import job
from scripts.provenance.archive import CRATE, unpack

FOLDER = "results/released"

if "snakemake" in globals():
    with job(snakemake):
        for study, release in snakemake.params.releases.items():
            targets = [path for path in snakemake.output if Path(path).parent.name == study]
            names = [Path(path).relative_to(FOLDER).as_posix() for path in targets]
            names = [CRATE if name == f"{study}/{CRATE}" else name for name in names]
            unpack(release["archive"], release["files"], dict(zip(names, targets, strict=True)))
