"""Rule `fetch_mnist`: download one of MNIST's four official files from a mirror."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.common.logs import job
from scripts.data.downloads import fetch_file

GZIP_MAGIC = b"\x1f\x8b"


def fetch(name: str, file: Mapping, urls: Sequence[str], output: str | Path) -> None:
    """Download `name` from the first mirror that gives a file of the expected size and sha256."""
    by_hand = f"put {name} into a folder and set backdoor.data.folder to it in the config"
    addresses = [{"url": f"{url}{name}"} for url in urls]
    fetch_file(output, addresses, file["bytes"], file["sha256"], by_hand, magic=GZIP_MAGIC)


if "snakemake" in globals():
    with job(snakemake):
        fetch(snakemake.wildcards.file, snakemake.params.file, snakemake.params.urls, snakemake.output[0])
