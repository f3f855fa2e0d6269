"""The explorer: a page on which a reader chooses data, transform and k, and sees the picture and what was measured.

All numbers, pictures and sentences are computed here; the page only shows them, and between measured settings the
nearest one, which it names.
"""

import base64
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import html
from scripts.common.errors import UserError
from scripts.common.points import points
from scripts.encrypted.drawings.reconstruction import pixels_of, rebuilt
from scripts.encrypted.labels import (
    DCT,
    TITLES,
    accuracies,
    at,
    data_note,
    dataset_title,
    in_order,
    looked_up,
    measured,
    parts,
    setting_title,
    sources,
    transform_title,
)
from scripts.encrypted.settings import PLAIN
from scripts.encrypted.transforms import check_fit

PAGES = Path(__file__).parent / "html"
SIZES = (1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 28, 36, 49, 64, 81, 100, 128, 147, 196, 256, 324, 400, 512, 640, 784)
MEASURES = {"cpu": "cpu_ms_per_image", "up": "bytes_up_per_image", "down": "bytes_down_per_image"}


def sizes_of(transform: str, side: int, known: list[int]) -> list[int]:
    """Return the numbers k with which a picture is shown: SIZES, measured ones and all, as far as there are such."""
    found = []
    for k in sorted({*SIZES, *known, side * side}):
        try:
            check_fit(transform, side, k)
        except UserError:  # this transform has no such k
            continue
        found.append(k)
    return found


def picture_content(picture: pd.DataFrame, settings: pd.DataFrame) -> dict | None:
    """Return the picture rebuilt by every transform from growing numbers: 8-bit pixels in base64, energy and error."""
    if picture.empty:
        return None
    pixels, side = pixels_of(picture), int(picture["side"].iloc[0])
    shown = []
    for transform, title in TITLES.items():
        known = settings.loc[settings["transform"] == transform, "k"].astype(int).tolist()
        images = [_image(transform, pixels, k) for k in sizes_of(transform, side, known)]
        if images:
            shown.append({"key": transform, "name": title, "images": images})
    return {"title": str(picture["title"].iloc[0]), "side": side, "pixels": packed(pixels), "transforms": shown}


def _image(transform: str, pixels: np.ndarray, k: int) -> dict:
    found, energy = rebuilt(transform, pixels, k)
    error = 255 * float(np.sqrt(((found - pixels) ** 2).mean()))
    text = f"{k:,} of {len(pixels):,} numbers keep {points(energy)} % of the picture's energy; error of a pixel: "
    text += f"±{error:.0f} of 255 grey levels."
    return {"k": k, "pixels": packed(found), "says": text}


def packed(pixels: np.ndarray) -> str:
    """Return pixels, 0 to 1 (others are cut off), as bytes in base64; the last digits of a sum change no byte."""
    return base64.b64encode(np.clip(np.rint(np.round(255 * pixels, 6)), 0, 255).astype(np.uint8).tobytes()).decode()


def _number(value: float, digits: int = 5) -> float | None:
    """Return a number for JSON, rounded to what the page shows; None where it is missing."""
    return None if pd.isna(value) or not math.isfinite(value) else round(float(value), digits)


def sentence(row: object) -> str:
    """Return what was measured of a setting in plain words."""
    text = f"{setting_title(row.setting)}: accuracy "
    if pd.notna(row.encrypted):
        ends = f" ({points(row.ci_low)} to {points(row.ci_high)})" if pd.notna(row.ci_low) else ""
        text += f"{points(row.encrypted)} % encrypted{ends}, "
    else:
        text += "not measured under encryption, "
    seeds = int(row.seeds) if pd.notna(row.seeds) else 0
    text += (
        f"{points(row.clear)} % in clear, mean of {seeds} seed{'s' if seeds != 1 else ''}."
        if seeds
        else "not in clear."
    )
    if pd.notna(row.cpu):
        text += f" The server needs {row.cpu:,.2f} ms of CPU per image"
        text += f" and is sent {row.up / 1000:,.1f} kB." if pd.notna(row.up) else "."
    return text + (
        f" Test images keep {points(row.kept_energy)} % of their energy." if pd.notna(row.kept_energy) else ""
    )


def place_content(known: pd.DataFrame, source: str, settings: pd.DataFrame) -> dict:
    """Return what the page holds of one dataset: every measured setting with its numbers and its sentence."""
    rows = []
    for row in in_order(at(known, source)).itertuples():
        transform, k, network = parts(row.setting)
        numbers = {name: _number(getattr(row, name)) for name in ("encrypted", "ci_low", "ci_high", "clear")}
        numbers |= {"energy": _number(row.kept_energy)} | {name: _number(getattr(row, name)) for name in MEASURES}
        about = {"key": row.setting, "name": setting_title(row.setting), "transform": transform, "k": k}
        rows.append(about | {"plain": network == PLAIN, "says": sentence(row)} | numbers)
    about = data_note(settings, [source], at(known, source)[["seeds", "interval"]])
    return {"name": dataset_title(known, source), "about": about, "settings": rows}


def content(frames: Mapping[str, pd.DataFrame]) -> dict:
    """Return what the page holds: the picture by transform and k, and every dataset's settings."""
    known = accuracies(frames["metrics"], frames["settings"])
    for name, metric in MEASURES.items():
        known[name] = looked_up(known, measured(frames["efficiency"], metric))
    there = [name for name in TITLES if name in set(known["transform"])]
    return {
        "picture": picture_content(frames["picture"], frames["settings"]),
        "places": [place_content(known, source, frames["settings"]) for source in sources(known)],
        "transforms": [{"key": name, "name": transform_title(name)} for name in there],
        "first": {"transform": DCT, "k": 49},
    }


def write_explorer(frames: Mapping[str, pd.DataFrame], path: str | Path) -> None:
    """Write the page, whole or not at all; it needs no network."""
    html.write_explorer(PAGES, "What k encrypted numbers hold, cost and are worth", content(frames), path)
