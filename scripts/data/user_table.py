"""Rule `user_table`: a table made from a file that the user supplies."""

from collections.abc import Mapping
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.logs import job
from scripts.data.tabular import make_table


def user_table(source: str, name: str, sha256: Mapping[str, str], output: str | Path, setting: str) -> None:
    """Write the table of a user's file; `setting` is where the config names it.

    Raises:
        UserError: the path of the config does not lead to a file, or as `make_table`.
    """
    if not Path(source).is_file():
        raise UserError(f"{setting}.{name}: {source}: no such file; correct the path, or leave it empty")
    make_table(source, name, sha256, output)


if "snakemake" in globals():
    with job(snakemake):
        params = snakemake.params
        user_table(params.source, snakemake.wildcards.table, params.sha256, snakemake.output[0], params.setting)
