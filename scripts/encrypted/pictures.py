"""Picture files of users as square grey images."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from scripts.common.errors import UserError
from scripts.common.own_files import is_clutter

KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def is_picture(path: Path) -> bool:
    """Return whether a file has the ending of a picture, and is none that a file manager left."""
    return path.suffix.lower() in KINDS and not is_clutter(path.name)


def picture(path: str | Path, side: int) -> np.ndarray:
    """Return a picture as grey values 0 to 1, float32 [side * side]: upright, cut to a square, averaged over blocks.

    Raises:
        UserError: it cannot be read, is animated or partly transparent, or has 16 bits per pixel.
    """
    try:
        with Image.open(path) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise UserError(f"{path}: is animated; take a still image")
            if image.mode.startswith("I;16") or image.mode in ("I", "F"):
                raise UserError(f"{path}: has 16 bits or more per pixel; save it with 8")
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                raise UserError(f"{path}: is partly transparent; save it without an alpha channel")
            upright = ImageOps.exif_transpose(image)
            fitted = ImageOps.fit(upright.convert("L"), (side, side), Image.Resampling.BOX)
            return np.asarray(fitted, np.float32).ravel() / 255
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: cannot be read as an image ({error}); repair it or take it out") from error
