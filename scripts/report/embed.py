"""Pictures as data URIs, so that the page is one file."""

import base64
import io
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from scripts.common.errors import UserError

DOTS_PER_CSS_PIXEL = 1.5  # figures are drawn at 160 dots per inch; at this scale their letters are as large as the text


class Picture(NamedTuple):
    """What an <img> needs: its address, and its size in CSS pixels, which keeps the page from jumping."""

    address: str
    width: int
    height: int


def embed(path: str | Path) -> Picture:
    """Return a picture with its bytes in its address: a GIF as it is, others as lossless WebP, a third of a PNG.

    Raises:
        UserError: the file is missing or is no picture.
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
        raise UserError(f"{path}: damaged or no picture; delete it and run the workflow") from error
    address = f"data:image/{kind.lower()};base64,{base64.b64encode(content).decode()}"
    scale = 1.0 if kind == "GIF" else DOTS_PER_CSS_PIXEL
    return Picture(address, round(size[0] / scale), round(size[1] / scale))


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True, method=1, quality=20)  # effort, not loss
    return buffer.getvalue()
