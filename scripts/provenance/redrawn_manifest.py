"""Rule `manifest` where figures are redrawn: the manifest of the release, and what was redrawn with which code."""

import json
from pathlib import Path

from scripts.common.files import checksum
from scripts.common.logs import job
from scripts.provenance.environment import state_of_code
from scripts.provenance.manifest import ROOT, now, project_version, write_json


def redrawn(released: str | Path, archive: str | Path, root: str | Path = ROOT) -> dict:
    """Return the manifest of a release, with the archive and the state of the code that redraws from it."""
    manifest = json.loads(Path(released).read_text(encoding="utf-8"))
    origin = {"archive": Path(archive).name, "sha256": checksum(archive), "bytes": Path(archive).stat().st_size}
    origin |= {"made": now(), "project_version": project_version(root), **state_of_code(root)}
    return manifest | {"redrawn_from": origin}


if "snakemake" in globals():
    with job(snakemake):
        write_json(redrawn(snakemake.input.released, snakemake.input.archive), snakemake.output.manifest)
