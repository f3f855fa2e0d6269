"""Rule `release`: pack the numbers of a run into one archive, from which everything can be redrawn."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.provenance.archive import pack


def refuse_rows_and_images(path: str | Path) -> None:
    """Check that a Parquet file holds neither a row per image or person nor pictures.

    Raises:
        UserError: it does; a release would publish them.
    """
    schema = pq.read_schema(path)
    if "row_id" in schema.names:
        raise UserError(f"{path}: has a row_id, so a row per image or person; strike it from released in study.yaml")
    for field in schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            raise UserError(f"{path}: column {field.name!r} may hold images; strike it from released in study.yaml")


def release(manifest: str | Path, files: list[str], output: str | Path, results: str | Path = "results") -> None:
    """Write the release of a run; a file's name in it is its path below the results folder."""
    for path in files:
        if path.endswith(".parquet"):
            refuse_rows_and_images(path)
    stated = json.loads(Path(manifest).read_text(encoding="utf-8"))
    about = {"project": "Counterweight", "version": stated["project_version"], "settings": stated["settings"]}
    pack(output, about, {Path(path).relative_to(results).as_posix(): path for path in [manifest, *files]})
    log.info("%d files, %.2f MB", len(files) + 1, Path(output).stat().st_size / 1e6)


if "snakemake" in globals():
    with job(snakemake):
        manifest, crate = snakemake.input.manifest, snakemake.input.crate
        release(manifest, [crate, *snakemake.input.released], snakemake.output[0])
