"""Rule `manifest`: provenance of the results of a run, as JSON."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path

import yaml

from scripts.common.files import atomic_path, checksum
from scripts.common.logs import job, log, progress
from scripts.provenance.environment import hardware, package_versions, state_of_code
from scripts.provenance.run_times import run_times
from scripts.provenance.settings import portable, seeds

ROOT = Path(__file__).parents[2]


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def project_version(root: str | Path = ROOT) -> str:
    """Return the version that CITATION.cff states."""
    return str(yaml.safe_load(Path(root, "CITATION.cff").read_text(encoding="utf-8"))["version"])


def fingerprints(paths: list[str]) -> dict[str, dict]:
    """Return {path: {sha256, bytes}} of files, in the order of their names.

    A user's own file, whose path is absolute, is listed under its file name, as in the settings.
    """
    entries: dict[str, dict] = {}
    for path in progress(sorted(set(paths)), "hashing", unit="file"):
        entry = {"sha256": checksum(path), "bytes": Path(path).stat().st_size}
        name, count = portable(path), 1
        while entries.get(name, entry) != entry:
            count += 1
            name = f"{portable(path)} ({count})"
        entries[name] = entry
    return entries


def write_json(content: dict, path: str | Path) -> None:
    """Write a mapping as readable JSON, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def environment_of_process(requirements: str | Path) -> dict:
    """Return {python, packages, hardware, platform} of this process."""
    return {
        "python": platform.python_version(),
        "packages": package_versions(requirements),
        "hardware": hardware(),
        "platform": platform.platform(),
    }


def collect(
    settings: dict,
    data: list[str],
    released: list[str],
    hashed: list[str],
    requirements: str | Path,
    results: str | Path = "results",
    root: str | Path = ROOT,
) -> dict:
    """Return the manifest of the run in a results folder.

    Args:
        settings: the config without a user's paths.
        data: files that were downloaded or prepared.
        released: files that a release holds.
        hashed: predictions and models; a release holds only their sha256.
        requirements: requirements file that lists the packages whose versions are recorded.
    """
    return {
        **state_of_code(root),
        "made": now(),
        "project_version": project_version(root),
        **environment_of_process(requirements),
        "settings": settings,
        "seeds": seeds(settings),
        "run_times": run_times(results),
        "data_files": fingerprints(data),
        "released_files": fingerprints(released),
        "hashes": fingerprints(hashed),
        "redrawn_from": None,
    }


if "snakemake" in globals():
    with job(snakemake):
        files = snakemake.input
        manifest = collect(
            snakemake.params.settings,
            list(files.data),
            list(files.released),
            [*files.predictions, *files.models],
            files.requirements,
        )
        write_json(manifest, snakemake.output.manifest)
        log.info("%d files hashed", sum(len(manifest[key]) for key in ("data_files", "released_files", "hashes")))
