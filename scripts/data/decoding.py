"""Decoding of CelebA's JPEGs to small arrays.

The published pipeline decodes at full size and resizes with antialiasing (torchvision's Resize(64), which
is Pillow's bilinear filter). Here libjpeg halves the image while decoding (an inverse transform of 4x4
instead of 8x8 coefficients), and Pillow resizes the rest with the same filter.
"""

import functools
import io
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.data.celeba import HEIGHT, WIDTH, file_name
from scripts.data.images import FaceImages

SIDE = 64
SIZE = (SIDE, SIDE * HEIGHT // WIDTH)  # width, height: 64x78, rounded as torchvision does


def downscale(jpeg: bytes) -> np.ndarray:
    """Return a 178x218 RGB JPEG as uint8 [78, 64, 3].

    Raises:
        ValueError: the image has another size or colour mode.
        OSError: the file is damaged, truncated or not a JPEG.
    """
    image = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
    if image.size != (WIDTH, HEIGHT) or image.mode != "RGB":
        raise ValueError(f"is {image.width}x{image.height} {image.mode}, not {WIDTH}x{HEIGHT} RGB")
    image.draft("RGB", SIZE)  # 89x109: the smallest scale of libjpeg's that is not below SIZE
    return np.asarray(image.resize(SIZE, Image.Resampling.BILINEAR))


@functools.lru_cache(maxsize=1)
def _images_in(place: str | Path) -> FaceImages:
    """Return the images of a folder or archive, listed once per process, since 200,000 names take seconds."""
    return FaceImages(place)


def downscale_chunk(place: str | Path, row_ids: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the images as uint8 [n, 78, 64, 3], and name and fault of each image that cannot be used."""
    images = _images_in(place)
    array = np.zeros((len(row_ids), SIZE[1], SIZE[0], 3), dtype=np.uint8)
    faults = []
    for position, row_id in enumerate(row_ids):
        try:
            array[position] = downscale(images.read(row_id))
        except (KeyError, FileNotFoundError):
            faults.append(f"{file_name(row_id)} (missing)")
        except Exception as error:  # a damaged file can make Pillow and zipfile raise nearly anything
            faults.append(f"{file_name(row_id)} ({error})")
    return array, faults
