"""Rule `fetch_acs`: download one of the six files of NIST's excerpts of the American Community Survey."""

from collections.abc import Mapping
from pathlib import Path

from scripts.common.logs import job
from scripts.data.downloads import fetch_file

MAGIC = b"PUMA,AGEP,"  # the beginning of the line of names


def fetch(name: str, file: Mapping, url: str, output: str | Path) -> None:
    """Download `name` and check its size and sha256."""
    address = f"{url}{file['folder']}/{name}"
    by_hand = f"put the six files into a folder and set multitask.acs to it in the config ({address})"
    fetch_file(output, [{"url": address}], file["bytes"], file["sha256"], by_hand, magic=MAGIC)


if "snakemake" in globals():
    with job(snakemake):
        fetch(snakemake.wildcards.file, snakemake.params.file, snakemake.params.url, snakemake.output[0])
