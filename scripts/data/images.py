"""CelebA's aligned images in a folder or zip archive, and the index and description files of a set of faces."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import log
from scripts.common.parquet import write
from scripts.data.face_files import Found, names_in, sort_out
from scripts.data.packages import DAMAGE


def require_terms(accepted: bool) -> None:
    """Raise a `UserError` unless the user has accepted CelebA's terms in the config."""
    if accepted is not True:
        raise UserError(
            "faces.accept_terms is false: CelebA is for non-commercial research only, and its images may not be "
            "passed on; set faces.accept_terms: true in the config if you accept that, or faces.source: rendered"
        )


class FaceImages:
    """The user's aligned images: any subset of the official names, in a folder or a zip archive.

    A folder that holds no image but one zip archive stands for that archive. Files left out are counted in the log.

    Attributes:
        place: the folder or archive.
        row_ids: the numbers of its images, sorted (int64).
        png: whether some of the images are PNGs.

    Raises:
        UserError: the place is missing, not a zip archive or without an image, or holds a picture that is not
            NNNNNN.jpg or NNNNNN.png.
    """

    def __init__(self, place: str | Path, quiet: bool = False) -> None:
        self.place = Path(place)
        self._archive: zipfile.ZipFile | None = None
        if not self.place.exists():
            raise UserError(
                f"faces.celeba: {place}: no such folder or zip archive; correct the path, or leave it empty"
            )
        listing = self._listing()
        if self.place.is_dir() and not listing.images and len(listing.archives) == 1:
            self.place /= listing.archives[0]
            listing = self._listing()
        if not listing.images:
            raise UserError(f"faces.celeba: {self.place}: holds no image{_others_listed(listing)}; {_advice(listing)}")
        if listing.others and not quiet:
            log.warning("faces.celeba: %s: left out %s", self.place, _listed(listing.others))
        self._members = listing.images
        self.row_ids = np.array(sorted(listing.images), dtype=np.int64)
        self.png = any(self.kind(row_id) == "PNG" for row_id in listing.images)

    def read(self, row_id: int) -> bytes:
        """Return the bytes of one image. Raises OSError, KeyError or BadZipFile if it cannot be read."""
        name = self._members[row_id]
        return self._archive.read(name) if self._archive is not None else (self.place / name).read_bytes()

    def kind(self, row_id: int) -> str:
        """Return "JPEG" or "PNG", by the name of the file."""
        return "PNG" if self._members[row_id].lower().endswith(".png") else "JPEG"

    def _listing(self) -> Found:
        if self.place.is_dir():
            return sort_out(names_in(self.place), self.place)
        try:
            self._archive = zipfile.ZipFile(self.place)
        except DAMAGE as error:
            raise UserError(f"faces.celeba: {self.place}: is neither a folder nor a zip archive ({error})") from error
        return sort_out([name for name in self._archive.namelist() if not name.endswith("/")], self.place)


def _listed(names: list[str]) -> str:
    """Return a count with the first few names, e.g. "2 other files (Thumbs.db, README.txt)"."""
    few = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names):,} other file{'s' if len(names) > 1 else ''} ({few})"


def _others_listed(listing: Found) -> str:
    return f", only {_listed(listing.others)}" if listing.others else ""


def _advice(listing: Found) -> str:
    if listing.archives:
        return "name the archive with 000001.jpg and so on itself"
    return "give the folder or zip with 000001.jpg and so on"


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
