"""Images as data URIs, so that the page is a single file."""

import base64
import io
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from scripts.common.errors import UserError

DOTS_PER_CSS_PIXEL = 1.5  # at this scale the letters of figures drawn at 160 dots per inch are as large as the text


class Picture(NamedTuple):
    """Attributes of an <img>: data URI and size in CSS pixels (so that the layout does not shift while loading)."""

    address: str
    width: int
    height: int


def embed(path: str | Path) -> Picture:
    """Return an image as a data URI: a GIF unchanged, others as lossless WebP, a third of the size of a PNG.

    Raises:
        UserError: the file is missing or is not an image.
    """
    try:
        with Image.open(path) as image:
            kind, size = image.format, image.size
            if kind == "GIF":
                content = Path(path).read_bytes()
            else:
                opaque = "A" not in image.getbands() or image.getchannel("A").getextrema() == (255, 255)
                kind, content = "WEBP", _webp(image.convert("RGB" if opaque else "RGBA"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the workflow to make it") from error
    except (UnidentifiedImageError, SyntaxError) as error:
        raise UserError(f"{path}: damaged or not an image; delete it and run the workflow") from error
    address = f"data:image/{kind.lower()};base64,{base64.b64encode(content).decode()}"
    scale = 1.0 if kind == "GIF" else DOTS_PER_CSS_PIXEL
    return Picture(address, round(size[0] / scale), round(size[1] / scale))


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True, method=1, quality=20)  # lossless: quality means effort
    return buffer.getvalue()
