"""CelebA's aligned JPEGs in a folder or a zip archive, by image number, and the files that describe a set of faces."""

import json
import os
import re
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.parquet import write
from scripts.data.celeba import IMAGES, file_name
from scripts.data.packages import DAMAGE

NAME = re.compile(r"(\d{6})\.jpg")
INNER_FOLDER = "img_align_celeba"  # of the official zip; nested once more in a widespread copy


def require_terms(accepted: bool) -> None:
    """Raise a UserError unless the user has accepted CelebA's terms in the config."""
    if accepted is not True:
        raise UserError(
            "faces.accept_terms is false: CelebA is for non-commercial research only, and its images may not be "
            "passed on; set faces.accept_terms: true in the config if you accept that, or faces.source: rendered"
        )


class FaceImages:
    """The aligned JPEGs that a user has: any subset of the official names, in a folder or a zip archive.

    Attributes:
        place: the folder or archive.
        row_ids: the image numbers that are there, sorted (int64).

    Raises:
        UserError: the place is missing or empty, is no zip archive, or holds a name that is not NNNNNN.jpg.
    """

    def __init__(self, place: str | Path) -> None:
        self.place = Path(place)
        self._archive: zipfile.ZipFile | None = None
        if self.place.is_dir():
            while (self.place / INNER_FOLDER).is_dir():
                self.place /= INNER_FOLDER
            with os.scandir(self.place) as entries:
                names = [entry.name for entry in entries]
        elif self.place.exists():
            names = self._open_archive()
        else:
            raise UserError(
                f"faces.celeba: {place}: no such folder or zip archive; correct the path, or leave it empty"
            )
        names = [name for name in names if not _is_clutter(name)]
        self._members = {PurePosixPath(name).name: name for name in names}
        if not self._members:
            raise UserError(
                f"faces.celeba: {self.place}: holds no image; give the folder or zip with 000001.jpg and so on"
            )
        self._check_names()
        if len(self._members) < len(names):
            twice = next(name for name in names if name not in self._members.values())
            raise UserError(
                f"faces.celeba: {self.place}: holds {PurePosixPath(twice).name} more than once, in different folders; "
                "keep one of each"
            )
        self.row_ids = np.array(sorted(int(name[:6]) for name in self._members), dtype=np.int64)

    def read(self, row_id: int) -> bytes:
        """Return the bytes of one JPEG. Raises OSError, KeyError or BadZipFile if it cannot be read."""
        name = file_name(row_id)
        if self._archive is not None:
            return self._archive.read(self._members[name])
        return (self.place / name).read_bytes()

    def _open_archive(self) -> list[str]:
        try:
            self._archive = zipfile.ZipFile(self.place)
        except DAMAGE as error:
            raise UserError(f"faces.celeba: {self.place}: is neither a folder nor a zip archive ({error})") from error
        return [name for name in self._archive.namelist() if not name.endswith("/")]

    def _check_names(self) -> None:
        wrong = sorted(
            name for name in self._members if not (found := NAME.fullmatch(name)) or not 1 <= int(found[1]) <= IMAGES
        )
        if wrong:
            raise UserError(
                f"faces.celeba: {self.place}: {len(wrong):,} names are not official ones (000001.jpg .. {IMAGES}.jpg), "
                f"e.g. {', '.join(wrong[:3])}; move these files elsewhere"
            )


def _is_clutter(name: str) -> bool:
    """Tell whether a name belongs to a file manager, not to the data (.DS_Store, __MACOSX/...)."""
    return PurePosixPath(name).name.startswith(".") or name.startswith("__MACOSX/")


def write_index(row_ids: np.ndarray, path: str | Path) -> None:
    """Write row_id and position (both int64): image `row_id` is `images[position]` of the array file."""
    write(pd.DataFrame({"row_id": row_ids.astype(np.int64), "position": np.arange(len(row_ids))}), path)


def write_dataset(description: dict, path: str | Path) -> None:
    """Write the description of the dataset that every figure and table shows.

    It holds name, source, images, height, width, rendered, comparable (with the paper's numbers) and a note of one
    sentence.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
