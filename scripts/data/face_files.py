"""Search for CelebA's aligned images among the files of a folder or zip archive, by their official names.

Copies of CelebA lie in folders of any depth, beside tables, notes and files of file managers. An image is recognised by
its official name, in capitals or not; other kinds of files are left out and counted; an image with another name is
refused, since nobody knows whom it shows.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scripts.common.errors import UserError
from scripts.common.own_files import is_clutter
from scripts.data.celeba import IMAGES

NAME = re.compile(r"(\d{6})\.(jpe?g|png)", re.IGNORECASE)  # CelebA is published as JPEGs and as PNGs
PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic"}
ALIGNED = ("img_align_celeba", "img_align_celeba_png")  # of the official archives
DEEPEST = 5  # folders below the one that is named: a home folder named by mistake is not searched for hours


@dataclass(frozen=True)
class Found:
    """Image number to the name of its file below the place, the other files that are left out, and the archives."""

    images: dict[int, str]
    others: list[str]
    archives: list[str]


def names_in(folder: str | Path) -> Iterator[str]:
    """Yield the files below a folder, as paths relative to it; a file manager's folder is one entry.

    Raises:
        UserError: a folder cannot be read.
    """
    waiting, seen = [("", 0)], {os.path.realpath(folder)}
    while waiting:
        inner, depth = waiting.pop()
        try:
            with os.scandir(Path(folder, inner)) as entries:
                there = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise UserError(f"faces.celeba: {Path(folder, inner)}: cannot be read ({error.strerror})") from error
        for entry in there:
            name = f"{inner}{entry.name}"
            if not entry.is_dir() or is_clutter(name):
                yield name
            elif depth < DEEPEST and (real := os.path.realpath(entry.path)) not in seen:
                seen.add(real)  # a link to a parent folder would lead to an endless loop
                waiting.append((f"{name}/", depth + 1))


def sort_out(names: Iterable[str], where: str | Path) -> Found:
    """Return the images among some files, and the files that are none.

    If folders of the official name hold images, those elsewhere are left out: the photographs that the faces were
    cut from have the same names.

    Raises:
        UserError: an image has a name that is not official, or occurs more than once.
    """
    pictures, others, archives = [], [], []
    for name in names:
        suffix = PurePosixPath(name).suffix.lower()
        kind = others if is_clutter(name) or suffix not in PICTURES else pictures
        kind.append(name)
        if kind is others and suffix == ".zip" and not is_clutter(name):
            archives.append(name)
    if any(_in_aligned(name) for name in pictures):
        others += [name for name in pictures if not _in_aligned(name)]
        pictures = [name for name in pictures if _in_aligned(name)]
    numbers = {name: _number(name) for name in pictures}
    if wrong := sorted(PurePosixPath(name).name for name, number in numbers.items() if number is None):
        raise UserError(
            f"faces.celeba: {where}: {len(wrong):,} names are not official ones (000001.jpg .. {IMAGES}.jpg), "
            f"e.g. {', '.join(wrong[:3])}; move these files elsewhere"
        )
    images = {number: name for name, number in numbers.items()}
    if len(images) < len(numbers):
        twice = next(name for name, number in numbers.items() if images[number] != name)
        raise UserError(
            f"faces.celeba: {where}: holds {PurePosixPath(twice).name} more than once, in different folders; "
            "keep one of each"
        )
    return Found(images, sorted(others), sorted(archives))


def _number(name: str) -> int | None:
    """Return the image number of an official name, None of any other."""
    matched = NAME.fullmatch(PurePosixPath(name).name)
    return int(matched[1]) if matched and 1 <= int(matched[1]) <= IMAGES else None


def _in_aligned(name: str) -> bool:
    return any(part.lower() in ALIGNED for part in PurePosixPath(name).parts[:-1])
