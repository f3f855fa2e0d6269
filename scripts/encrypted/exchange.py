"""Files that client and server exchange: the bytes of ciphertexts or replies, and a JSON that says what they are.

The JSON holds a checksum, since a flipped bit in a ciphertext may change a prediction without any error, and the
parameters, since a ciphertext made under others decrypts to noise.
"""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.errors import UserError
from scripts.common.files import atomic_path

FORMAT = 1
BYTES, ABOUT = ".bin", ".json"
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


def description_of(path: str | Path) -> Path:
    """Return the place of the JSON that describes a parcel NAME.bin.

    Raises:
        UserError: the file is not called so; NAME.json itself, say, whose content its description would replace.
    """
    path = Path(path)
    if path.suffix != BYTES:
        raise UserError(f"{path}: a parcel is called NAME{BYTES}, with NAME{ABOUT} beside it; name it so")
    return path.with_suffix(ABOUT)


def write(parts: Iterable[bytes], about: Mapping[str, Any], path: str | Path) -> list[int]:
    """Write NAME.bin and NAME.json, and return the bytes of each part.

    The JSON comes last: a parcel without it is unfinished. `about` is read after all parts, which may add to it.

    Raises:
        UserError: the path does not end in .bin, the disk is full or the folder cannot be written to.
    """
    path, described, whole, sizes = Path(path), description_of(path), hashlib.sha256(), []
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        for part in parts:
            file.write(part)
            whole.update(part)
            sizes.append(len(part))
    header = {"format": FORMAT, "sha256": whole.hexdigest(), "sizes": sizes, "about": about}
    with atomic_path(described) as temporary:
        temporary.write_text(json.dumps(header, indent=1), encoding="utf-8")
    return sizes


def read(path: str | Path, expected: Mapping[str, Any] | None = None) -> Parcel:
    """Return a parcel after checking its size, checksum and parameters.

    Args:
        expected: entries that `about` must have, such as the parameters and the digest of the keys.

    Raises:
        UserError: a file is missing, empty, cut off or changed, or was made under other parameters or keys.
    """
    path, described, whole, found = Path(path), description_of(path), hashlib.sha256(), 0
    try:
        header = json.loads(described.read_text(encoding="utf-8"))
        sizes, about, checksum = header["sizes"], header["about"], header["sha256"]
        if not (are_counts(sizes) and isinstance(about, dict)):
            raise ValueError("sizes are no list of bytes, or nothing is said about them")
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                whole.update(chunk)
                found += len(chunk)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: no such file; ask the other side to send both .bin and .json") from error
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read ({error.strerror}); name the file NAME{BYTES}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{described}: no description of a parcel ({error}); send it again") from error
    if header.get("format") != FORMAT:
        raise UserError(f"{path}: a parcel of format {header.get('format')}, this version reads {FORMAT}")
    if found != sum(sizes):
        raise UserError(f"{path}: {found:,} bytes of {sum(sizes):,}; it is cut off or empty: send it again")
    if whole.hexdigest() != checksum:
        raise UserError(f"{path}: its content has changed since it was written (sha256); send it again")
    for key, value in (expected or {}).items():
        if about.get(key) != value:
            raise UserError(
                f"{path}: made with {key} {about.get(key)!r}, here it is {value!r}; make both with the same"
            )
    return Parcel(path, sizes, about)


def are_counts(value: Any, least: int = 0) -> bool:
    """Return whether a value out of JSON is a list of whole numbers, none below `least`."""
    return isinstance(value, list) and all(type(one) is int and one >= least for one in value)


def entries_of(parcel: Parcel, counted: str, names: Container[str], most: int) -> list[dict]:
    """Return what a parcel says of its parts, after checking that it can be true.

    Each part has a name, the images of each batch, and under the key `counted` (`sent`, `replies`) the number of byte
    strings of each batch.

    Args:
        names: of the networks that are known.
        most: images that a batch holds at most.

    Raises:
        UserError: a part is described wrongly, or has no network of its name.
    """
    entries, place = parcel.about.get("parts"), parcel.path
    if not entries or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{description_of(place)}: names no parts of the parcel; send it again")
    for entry in entries:
        name, images, counts = (entry.get(key) for key in ("name", "images", counted))
        if not isinstance(name, str) or name not in names:
            raise UserError(f"{place}: holds images for the network {name!r}, which is not there; name another file")
        if counts is None:
            raise UserError(f"{place}: of {name} it has no {counted}; it is what the other side is to be sent")
        if not (are_counts(images, 1) and are_counts(counts, 1) and 0 < len(images) == len(counts)):
            raise UserError(f"{place}: images or {counted} of {name} are no whole numbers above 0; send it again")
        if max(images) > most:
            raise UserError(f"{place}: {max(images)} images of {name} in a batch, it holds {most}; send it again")
    if len({entry["name"] for entry in entries}) < len(entries):
        raise UserError(f"{place}: two parts have one name; send it again")
    if sum(sum(entry[counted]) for entry in entries) != len(parcel.sizes):
        raise UserError(f"{place}: its parts do not add up to {len(parcel.sizes)} pieces; send it again")
    return entries
