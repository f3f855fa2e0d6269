"""Rule `own_table_description`: the description of a user's table, as jobs read it, from the config."""

from pathlib import Path

import yaml

from scripts.common.files import atomic_path
from scripts.common.logs import job


def write_description(description: dict, path: str | Path) -> None:
    """Write a description as YAML."""
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        write_description(snakemake.params.description, snakemake.output[0])
