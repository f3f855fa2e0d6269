"""CelebA's two text files, byte for byte, their checks, and the official and the published split of the images.

Liu, Luo, Wang, Tang (2015), "Deep learning face attributes in the wild". The layout is that of the
official files: CRLF line ends; in the attribute file the number of images, the 40 names (each followed
by a space), then rows of a name and values, the first value as " %d" and the others as " %2d".
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.data.celeba_names import ATTRIBUTES

IMAGES = 202_599
WIDTH, HEIGHT = 178, 218  # of an aligned image, in pixels

# md5 as in torchvision's CelebA class, sha256 as in TensorFlow Datasets.
ATTRIBUTES_MD5 = "75e246fa4810816ffd6ee81facbd244c"
ATTRIBUTES_SHA256 = "f0e5da289d5ccf75ffe8811132694922b60f2af59256ed362afa03fefba324d0"
PARTITION_MD5 = "d32c9cbf5e040fd4025c592c306e6668"
PARTITION_SHA256 = "fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7"

TRAIN, VALID, TEST = 0, 1, 2
LAST_TRAIN, LAST_VALID = 162_770, 182_637  # image numbers; the rest, to 202,599, is the test part

PUBLISHED_SEED, PUBLISHED_TEST_IMAGES = 1306, 10_000


def row_ids() -> np.ndarray:
    """Return the image numbers 1 .. 202599 (int64): 1 is 000001.jpg."""
    return np.arange(1, IMAGES + 1, dtype=np.int64)


def file_name(row_id: int) -> str:
    """Return the official name of an image, e.g. "000001.jpg"."""
    return f"{row_id:06d}.jpg"


def official_partition() -> np.ndarray:
    """Return 0 (train), 1 (valid) or 2 (test) for each image in order (int8 [202599])."""
    images = row_ids()
    return ((images > LAST_TRAIN).astype(np.int8) + (images > LAST_VALID)).astype(np.int8)


def published_test_indices() -> np.ndarray:
    """Return the indices (from 0, so row_id - 1) of the published test images, in drawn order (int64 [10000]).

    The split of the replicated study: a new default_rng(1306) chooses them without replacement and without
    shuffling. The first are 191809, 16878, 173710, 44267, 155438.
    """
    generator = np.random.default_rng(PUBLISHED_SEED)
    return generator.choice(IMAGES, PUBLISHED_TEST_IMAGES, replace=False, shuffle=False).astype(np.int64)


def partition_text() -> bytes:
    """Return the official list_eval_partition.txt, generated from its rule."""
    parts = official_partition().tolist()
    return "".join(f"{file_name(image)} {part}\r\n" for image, part in enumerate(parts, start=1)).encode()


def attribute_text(values: np.ndarray) -> bytes:
    """Return the official list_attr_celeba.txt for the values of all images (-1/+1, int8 [n, 40], in order)."""
    count, width = values.shape
    text = np.full((count, 10 + 3 * width + 2), ord(" "), dtype=np.uint8)
    names = b"".join(b"%06d.jpg" % image for image in range(1, count + 1))
    text[:, :10] = np.frombuffer(names, dtype=np.uint8).reshape(count, 10)
    text[:, 11:-2:3][values < 0] = ord("-")
    text[:, 12:-2:3] = ord("1")
    text[:, -2:] = np.frombuffer(b"\r\n", dtype=np.uint8)
    keep = np.ones(text.shape, dtype=bool)
    keep[:, 11] = values[:, 0] < 0  # the first value alone is not padded to two characters
    head = f"{count}\r\n{''.join(f'{name} ' for name in ATTRIBUTES)}\r\n"
    return head.encode() + text[keep].tobytes()


def attribute_frame(values: np.ndarray) -> pd.DataFrame:
    """Return the values (int8 [202599, 40]) as a frame: row_id (int64), then one int8 column per attribute."""
    frame = pd.DataFrame(values, columns=list(ATTRIBUTES))
    frame.insert(0, "row_id", row_ids())
    return frame


def read_attribute_text(path: str | Path) -> pd.DataFrame:
    """Read an official list_attr_celeba.txt.

    Returns:
        row_id (int64, 1 .. 202599) and the 40 attributes (int8, -1/+1) in official order.

    Raises:
        UserError: the file is missing or is not the official one; the message says how it differs.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); run the workflow to make it") from error
    got = hashlib.sha256(content).hexdigest()
    if got != ATTRIBUTES_SHA256:
        difference = _difference(content) or f"has the sha256 {got}, expected {ATTRIBUTES_SHA256}"
        raise UserError(f"{path}: is not the official attribute file: {difference}; delete it and run the workflow")
    # The checksum guarantees the layout: the sign of value k is 3 * (40 - k) characters before the end of the line.
    text = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))[2:]
    signs = text[ends[:, None] - 3 * np.arange(len(ATTRIBUTES), 0, -1)]
    return attribute_frame(np.where(signs == ord("-"), -1, 1).astype(np.int8))


def _difference(content: bytes) -> str | None:
    """Return a description of how a text differs from the official attribute file, or None if it is not recognised."""
    lines = content.decode("ascii", errors="replace").splitlines()
    if len(lines) < 2 or lines[0].strip() != str(IMAGES):
        return f"line 1 is {lines[0][:40] if lines else ''!r}, expected the count '{IMAGES}'"
    names = lines[1].split()
    if names != list(ATTRIBUTES):
        unknown = [name for name in names if name not in ATTRIBUTES]
        missing = [name for name in ATTRIBUTES if name not in names]
        return f"the columns of line 2 differ (unknown: {unknown[:3]}, missing: {missing[:3]}, or the order)"
    for number, line in enumerate(lines[2:], start=3):
        name, *values = line.split() or [""]
        if "0" in values:
            return (
                f"line {number} has a 0 where only -1 and 1 are allowed (torchvision's CelebA class turns -1/+1 "
                "into 0/1, which changes every label: undo it with 2 * value - 1)"
            )
        if len(values) != len(ATTRIBUTES):
            return f"line {number} is truncated: {len(values)} values, expected {len(ATTRIBUTES)}"
        if name != file_name(number - 2):
            return f"line {number} is for {name!r}, expected {file_name(number - 2)!r}"
        if wrong := set(values) - {"-1", "1"}:
            return f"line {number} has the value {min(wrong)!r} where only -1 and 1 are allowed"
    if len(lines) - 2 != IMAGES:
        return f"it has {len(lines) - 2:,} rows, expected {IMAGES:,}"
    return None
