"""Files that client and server exchange: the bytes of ciphertexts or replies, and a JSON that says what they are.

The JSON holds a checksum, since a flipped bit in a ciphertext may change a prediction without any error, and the
parameters, since a ciphertext made under others decrypts to noise.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.errors import UserError
from scripts.common.files import atomic_path

FORMAT = 1


@dataclass(frozen=True)
class Parcel:
    """Ciphertexts or replies of some settings, in order, with what the other side needs to know.

    `parts` are the bytes of each; `about` holds ring, moduli, scale, packing, the digest of the keys, and for each
    setting its name and the numbers of images in its parts.
    """

    parts: tuple[bytes, ...]
    about: Mapping[str, Any]


def digest_of(content: bytes) -> str:
    """Return the sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def write(parcel: Parcel, path: str | Path) -> None:
    """Write NAME.bin and NAME.json; the JSON comes last, so that a parcel without it is unfinished.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    whole = hashlib.sha256()
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        for part in parcel.parts:
            file.write(part)
            whole.update(part)
    header = {"format": FORMAT, "sha256": whole.hexdigest(), "sizes": [len(part) for part in parcel.parts]}
    with atomic_path(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(header | {"about": parcel.about}, indent=1), encoding="utf-8")


def read(path: str | Path, expected: Mapping[str, Any] | None = None) -> Parcel:
    """Return a parcel after checking its size, checksum and parameters.

    Args:
        expected: entries that `about` must have, such as the parameters and the digest of the keys.

    Raises:
        UserError: a file is missing, empty, cut off or changed, or was made under other parameters or keys.
    """
    path = Path(path)
    try:
        header = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        content = path.read_bytes()
        sizes, about = header["sizes"], header["about"]
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: no such file; ask the other side to send both .bin and .json") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path.with_suffix('.json')}: no description of a parcel ({error}); send it again") from error
    if header.get("format") != FORMAT:
        raise UserError(f"{path}: a parcel of format {header.get('format')}, this version reads {FORMAT}")
    if len(content) != sum(sizes):
        raise UserError(f"{path}: {len(content):,} bytes of {sum(sizes):,}; it is cut off or empty: send it again")
    if digest_of(content) != header["sha256"]:
        raise UserError(f"{path}: its content has changed since it was written (sha256); send it again")
    for key, value in (expected or {}).items():
        if about.get(key) != value:
            raise UserError(
                f"{path}: made with {key} {about.get(key)!r}, here it is {value!r}; make both with the same"
            )
    return Parcel(tuple(_parts(content, sizes)), about)


def _parts(content: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield content[start : start + size]
        start += size
