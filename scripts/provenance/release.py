"""Rule `release`: archive of the tables of one study, from which its figures, tables and claims can be redrawn."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.provenance.archive import CRATE, pack
from scripts.provenance.compact import compact
from scripts.provenance.crate import describe_release, fingerprint
from scripts.provenance.environment import state_of_code
from scripts.provenance.manifest import ROOT, environment_of_process, fingerprints, project_version
from scripts.provenance.run_times import run_times


def refuse_rows_and_images(path: str | Path) -> None:
    """Check that a Parquet file holds no images and no row per image or person.

    Raises:
        UserError: it does; a release would publish them.
    """
    schema = pq.read_schema(path)
    if "row_id" in schema.names:
        raise UserError(f"{path}: has a row_id, so a row per image or person; strike it from released in study.yaml")
    for field in schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            raise UserError(f"{path}: column {field.name!r} may hold images; strike it from released in study.yaml")


def code_of(study: str) -> list[str]:
    """Return the paths in the project of the code behind a study's numbers: its own and the shared code."""
    shared = ["scripts/common", "scripts/data", "rules/common.smk", "rules/data.smk", "envs/requirements.txt"]
    return [f"scripts/{study}", f"rules/{study}.smk", *shared]


def run_of(study: str, tables: list[str], requirements: str | Path, results: str | Path = "results") -> dict:
    """Return code, packages, machine, run times and time of the run that made a study's tables.

    All of it belongs to this study, so that a release made again from unchanged results has the same bytes:
    the commit is the last one that changed the study's code, the time is that of the newest table.
    """
    newest = max(Path(path).stat().st_mtime for path in tables)
    return {
        **state_of_code(ROOT, code_of(study)),
        "made": datetime.fromtimestamp(newest, UTC).isoformat(timespec="seconds"),
        **environment_of_process(requirements),
        "run_times": run_times(results).get(study, {}),
    }


def release(
    output: str | Path,
    study: dict,
    settings: dict,
    run: dict,
    tables: list[str],
    data: list[str],
    hashed: list[str],
    rules: str | Path,
    citation: str | Path,
    results: str | Path = "results",
) -> None:
    """Write the release of a study; a table's name in it is its path below the results folder.

    Args:
        study: {"name", "title", "question"}.
        settings: the study's block and the shared blocks that it uses, without the user's paths.
        run: as `run_of` returns it.
        tables: the released Parquet files; the archive holds the same rows in fewer bytes.
        data: files that the run read; predictions of other studies too.
        hashed: predictions and models; the archive holds only their sha256.
        rules: the study's rule file.
        citation: the project's CITATION.cff.

    Raises:
        UserError: a table has a row per person or image, or may hold images.
    """
    for path in tables:
        refuse_rows_and_images(path)
    contents = {Path(path).relative_to(results).as_posix(): compact(path) for path in tables}
    version = project_version(ROOT)
    crate = describe_release(
        study,
        run | {"version": version},
        {name: fingerprint(content) for name, content in sorted(contents.items())},
        fingerprints(data),
        fingerprints(hashed),
        rules=rules,
        citation=citation,
    )
    contents[CRATE] = (json.dumps(crate, indent=1, ensure_ascii=False) + "\n").encode()
    about = {"project": "Counterweight", "version": version, "study": study["name"], "settings": settings, "run": run}
    pack(output, about, contents)
    log.info("%d tables, %.2f MB", len(tables), Path(output).stat().st_size / 1e6)


if "snakemake" in globals():
    with job(snakemake):
        files, about = snakemake.input, snakemake.params.about
        release(
            snakemake.output[0],
            about,
            snakemake.params.settings,
            run_of(about["name"], list(files.tables), files.requirements),
            list(files.tables),
            list(files.data),
            list(files.hashed),
            files.rules,
            files.citation,
        )
