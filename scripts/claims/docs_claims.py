"""Rule `docs_claims`: the claims of one study in a file of its own, so that its page depends on no other study."""

from pathlib import Path

from scripts.claims.claims import study_claims
from scripts.common import parquet
from scripts.common.schemas.claims import CLAIMS


def write_study_claims(study: str, claims_path: str, released: list[str], settings: dict, output: str) -> None:
    """Write the claims of a study (schema CLAIMS).

    Args:
        released: its released Parquet files, `.../STEM.parquet`.
        settings: its block of the config.

    Raises:
        UserError: as `study_claims`.
    """
    files = {Path(path).stem: path for path in released}
    claims = study_claims(study, claims_path, files, settings)
    parquet.write(claims.astype({"n": "Int64", "seeds": "Int64"}), output, CLAIMS)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        files = snakemake.input
        study, settings = snakemake.wildcards.study, snakemake.params.settings
        write_study_claims(study, files.claims, list(files.released), settings, snakemake.output[0])
