"""Rule `manifest` where figures are redrawn: the runs that the releases describe, and the code that redrew them."""

import json
from pathlib import Path

from scripts.common.files import checksum
from scripts.common.logs import job
from scripts.provenance.crate import files_of
from scripts.provenance.environment import state_of_code
from scripts.provenance.manifest import ROOT, now, project_version, write_json
from scripts.provenance.settings import seeds

SEVERAL = "several"


def agreed(values: list) -> object:
    """Return the value that all have in common, or "several" if they differ; mappings are compared key by key."""
    if all(value == values[0] for value in values):
        return values[0]
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: agreed([value.get(key) for value in values]) for key in keys}
    return SEVERAL


def redrawn(releases: dict[str, dict], crates: dict[str, str | Path], settings: dict, root: str | Path = ROOT) -> dict:
    """Return a manifest of the runs that some releases hold.

    It has the keys of any manifest. Where the runs differ in code, packages or machine, "several" stands there, and
    `redrawn_from` says which archive has which commit.

    Args:
        releases: study to release.json and `archive`, as `archive.read_releases` returns them.
        crates: study to the release's RO-Crate metadata.
        settings: the config without a user's paths.
    """
    runs = [release["run"] for release in releases.values()]
    files: dict[str, dict] = {}
    for path in crates.values():
        files |= files_of(json.loads(Path(path).read_text(encoding="utf-8")))
    released = {name: about for name, about in files.items() if not name.startswith("results/")}
    data = {name: about for name, about in files.items() if name.startswith("results/") and "/data/" in name}
    archives = {study: _origin(release) for study, release in releases.items()}
    again = {"made": now(), "project_version": project_version(root), **state_of_code(root), "archives": archives}
    return {
        "commit": agreed([run.get("commit") for run in runs]),
        "dirty": any(run.get("dirty") for run in runs),
        "made": max(str(run.get("made")) for run in runs),
        "project_version": agreed([release.get("version") for release in releases.values()]),
        **{key: agreed([run.get(key) for run in runs]) for key in ("python", "packages", "hardware", "platform")},
        "settings": settings,
        "seeds": seeds(settings),
        "run_times": {study: release["run"].get("run_times", {}) for study, release in releases.items()},
        "data_files": data,
        "released_files": {f"results/released/{name}": about for name, about in released.items()},
        "hashes": {name: about for name, about in files.items() if name not in released and name not in data},
        "redrawn_from": again,
    }


def _origin(release: dict) -> dict:
    """Return the archive that a study is redrawn from, and the commit and time of the run that made its numbers."""
    path = Path(release["archive"])
    archive = {"archive": path.name, "sha256": checksum(path), "bytes": path.stat().st_size}
    return archive | {key: release["run"].get(key) for key in ("commit", "dirty", "made")}


if "snakemake" in globals():
    with job(snakemake):
        releases, settings = snakemake.params.releases, snakemake.params.settings
        crates = dict(zip(releases, snakemake.input.crates, strict=True))
        write_json(redrawn(releases, crates, settings), snakemake.output.manifest)
