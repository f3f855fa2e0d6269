"""Download CelebA's aligned images, provided that the user has accepted their terms."""

from pathlib import Path

from scripts.common.logs import job
from scripts.data.downloads import fetch_file
from scripts.data.images import require_terms


def fetch_images(file: dict, accept_terms: bool, output: str | Path) -> None:
    """Download the archive described by `file`, an entry of sources.yaml, from its URLs or else from Google Drive."""
    require_terms(accept_terms)
    addresses = [*({"url": url} for url in file["urls"]), {"id": file["google_drive"]}]
    fetch_file(output, addresses, file["bytes"], file["sha256"], file["by_hand"])


if "snakemake" in globals():
    with job(snakemake):
        fetch_images(snakemake.params.file, snakemake.params.accept_terms, snakemake.output[0])
