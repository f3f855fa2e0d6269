"""Write CelebA's official partition file, generated from its rule, and both splits of the images as Parquet."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common.files import atomic_path
from scripts.common.logs import job, log
from scripts.common.parquet import write
from scripts.data.celeba import (
    IMAGES,
    PARTITION_MD5,
    PARTITION_SHA256,
    official_partition,
    partition_text,
    published_test_indices,
    row_ids,
)


def partitions() -> pd.DataFrame:
    """Return row_id (int64), official (int8: 0 train, 1 valid, 2 test), published (int8: 0 train, 1 test)."""
    published = np.zeros(IMAGES, dtype=np.int8)
    published[published_test_indices()] = 1
    return pd.DataFrame({"row_id": row_ids(), "official": official_partition(), "published": published})


def write_partitions(text: str | Path, table: str | Path) -> None:
    """Write the official text, checked against its md5 and sha256, and the table of both splits."""
    content = partition_text()
    sums = hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest()
    if sums != (PARTITION_MD5, PARTITION_SHA256):
        raise AssertionError(f"the partition made from the rule has the checksums {sums}")
    with atomic_path(text) as temporary:
        temporary.write_bytes(content)
    write(partitions(), table)
    log.info("%d images, md5 and sha256 of the partition file are the official ones", IMAGES)


if "snakemake" in globals():
    with job(snakemake):
        write_partitions(snakemake.output.text, snakemake.output.table)
