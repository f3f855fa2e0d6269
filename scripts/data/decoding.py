"""Decoding of CelebA's images, JPEGs or PNGs, to small arrays.

The published pipeline decodes at full size and resizes with antialiasing (torchvision's Resize(64), which
is Pillow's bilinear filter). Here libjpeg halves the image while decoding (an inverse transform of 4x4
instead of 8x8 coefficients), and Pillow resizes the rest with the same filter.
"""

import functools
import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from scripts.data.celeba import HEIGHT, WIDTH, file_name
from scripts.data.images import FaceImages

SIDE = 64
ORIENTATION = 0x0112  # the EXIF tag
SIZE = (SIDE, SIDE * HEIGHT // WIDTH)  # width, height: 64x78, rounded as torchvision does


def downscale(content: bytes, kind: str = "JPEG") -> np.ndarray:
    """Return a 178x218 image (JPEG or PNG, as `kind` says) as uint8 [78, 64, 3].

    Greyscale becomes RGB, and an EXIF orientation is followed: tools that optimise photographs store both, and to a
    viewer the image is the same.

    Raises:
        ValueError: the image has another size or colour mode.
        OSError: the file is damaged, truncated or of another kind.
    """
    image = Image.open(io.BytesIO(content), formats=(kind,))
    turned = image.getexif().get(ORIENTATION, 1) != 1
    upright = ImageOps.exif_transpose(image) if turned else image
    if upright.size != (WIDTH, HEIGHT) or upright.mode not in ("RGB", "L"):
        raise ValueError(f"is {upright.width}x{upright.height} {upright.mode}, not {WIDTH}x{HEIGHT} RGB")
    if not turned:
        upright.draft(upright.mode, SIZE)  # of a JPEG 89x109: the smallest scale of libjpeg's that is not below SIZE
    return np.asarray(upright.resize(SIZE, Image.Resampling.BILINEAR).convert("RGB"))


@functools.lru_cache(maxsize=1)
def _images_in(place: str | Path) -> FaceImages:
    """Return the images of a folder or archive, listed once per process, since 200,000 names take seconds."""
    return FaceImages(place, quiet=True)  # the job itself has logged the files left out


def downscale_chunk(place: str | Path, row_ids: np.ndarray) -> tuple[np.ndarray, list[bytes], list[str]]:
    """Return the images as uint8 [n, 78, 64, 3], each file's sha256, and name and fault of each unusable image.

    A sha256 is 32 bytes; of a file that cannot be read there is none.
    """
    images = _images_in(place)
    array = np.zeros((len(row_ids), SIZE[1], SIZE[0], 3), dtype=np.uint8)
    digests, faults = [], []
    for position, row_id in enumerate(row_ids):
        try:
            content = images.read(row_id)
            digests.append(hashlib.sha256(content).digest())
            array[position] = downscale(content, images.kind(row_id))
        except (KeyError, FileNotFoundError):
            faults.append(f"{file_name(row_id)} (missing)")
        except Exception as error:  # a damaged file can make Pillow and zipfile raise nearly anything
            faults.append(f"{file_name(row_id)} ({error})")
    return array, digests, faults
