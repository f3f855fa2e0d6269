"""Files that client and server exchange: the bytes of ciphertexts or replies, and a JSON that says what they are.

The JSON holds a checksum, since a flipped bit in a ciphertext may change a prediction without any error, and the
parameters, since a ciphertext made under others decrypts to noise.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.errors import UserError
from scripts.common.files import atomic_path

FORMAT = 1
CHUNK = 2**20  # bytes read at once


@dataclass(frozen=True)
class Parcel:
    """Ciphertexts or replies in order, each `sizes` bytes long, with what the other side needs to know.

    `about` holds ring, moduli, scale, packing, the digest of the keys, and what the parts are.
    """

    path: Path
    sizes: Sequence[int]
    about: Mapping[str, Any]

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes of every part; they are read one by one, since all together may not fit into memory."""
        with self.path.open("rb") as file:
            for size in self.sizes:
                yield file.read(size)


def digest_of(content: bytes) -> str:
    """Return the sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def write(parts: Iterable[bytes], about: Mapping[str, Any], path: str | Path) -> list[int]:
    """Write NAME.bin and NAME.json, and return the bytes of each part.

    The JSON comes last: a parcel without it is unfinished. `about` is read after all parts, which may add to it.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    path, whole, sizes = Path(path), hashlib.sha256(), []
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        for part in parts:
            file.write(part)
            whole.update(part)
            sizes.append(len(part))
    header = {"format": FORMAT, "sha256": whole.hexdigest(), "sizes": sizes, "about": about}
    with atomic_path(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(header, indent=1), encoding="utf-8")
    return sizes


def read(path: str | Path, expected: Mapping[str, Any] | None = None) -> Parcel:
    """Return a parcel after checking its size, checksum and parameters.

    Args:
        expected: entries that `about` must have, such as the parameters and the digest of the keys.

    Raises:
        UserError: a file is missing, empty, cut off or changed, or was made under other parameters or keys.
    """
    path, whole, found = Path(path), hashlib.sha256(), 0
    try:
        header = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        sizes, about = header["sizes"], header["about"]
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                whole.update(chunk)
                found += len(chunk)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: no such file; ask the other side to send both .bin and .json") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path.with_suffix('.json')}: no description of a parcel ({error}); send it again") from error
    if header.get("format") != FORMAT:
        raise UserError(f"{path}: a parcel of format {header.get('format')}, this version reads {FORMAT}")
    if found != sum(sizes):
        raise UserError(f"{path}: {found:,} bytes of {sum(sizes):,}; it is cut off or empty: send it again")
    if whole.hexdigest() != header["sha256"]:
        raise UserError(f"{path}: its content has changed since it was written (sha256); send it again")
    for key, value in (expected or {}).items():
        if about.get(key) != value:
            raise UserError(
                f"{path}: made with {key} {about.get(key)!r}, here it is {value!r}; make both with the same"
            )
    return Parcel(path, sizes, about)
