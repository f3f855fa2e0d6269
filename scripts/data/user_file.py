"""A file that only the user can supply, as its source provides it or as an editor saved it."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scripts.common.errors import UserError
from scripts.data.packages import DAMAGE, LARGEST

BOM = b"\xef\xbb\xbf"


def read_user_file(source: str | Path, member: str, sha256: str) -> bytes:
    """Return the official bytes of a user's file.

    Args:
        source: the file itself, under any name, or a zip archive that holds it, or that holds such an archive (UCI).
        member: its official name, by which it is found in an archive.
        sha256: of the official bytes; other line ends or a byte-order mark in the user's file are undone.

    Raises:
        UserError: the file is missing or damaged, an archive holds no such member or several, or the sha256 differs.
    """
    try:
        content = Path(source).read_bytes()
        members = [content] if not zipfile.is_zipfile(io.BytesIO(content)) else list(_members(content, member))
    except OSError as error:
        raise UserError(f"{source}: cannot be read ({error.strerror}); correct its path in the config") from error
    except DAMAGE as error:
        raise UserError(f"{source}: damaged or no zip archive ({error}); get it again") from error
    if len(members) != 1:
        raise UserError(f"{source}: has {len(members)} members named {member!r} where one is expected; get it again")
    for form in _forms(members[0]):
        if hashlib.sha256(form).hexdigest() == sha256:
            return form
    got = hashlib.sha256(members[0]).hexdigest()
    raise UserError(
        f"{source}: {member!r} has the sha256 {got}, expected {sha256}; of another version of the file make a table of "
        "your own (`like` in docs/data.md)"
    )


def members_of(source: str | Path, names: list[str]) -> dict[str, bytes]:
    """Return the named members of a user's zip archive; {} if it is none, or does not hold all of them once.

    Raises:
        UserError: the archive is damaged.
    """
    path = Path(source).expanduser()
    if not path.is_file() or not zipfile.is_zipfile(path):
        return {}
    try:
        found = {name: list(_members(path.read_bytes(), name)) for name in names}
    except DAMAGE as error:
        raise UserError(f"{source}: damaged or no zip archive ({error}); get it again") from error
    return {name: held[0] for name, held in found.items()} if all(len(held) == 1 for held in found.values()) else {}


def _members(content: bytes, name: str, nested: bool = True) -> Iterator[bytes]:
    """Yield the members of a zip archive with this base name, and of archives in it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for about in archive.infolist():
            inner = PurePosixPath(about.filename)
            wrapped = nested and inner.suffix.lower() == ".zip"
            if inner.name != name and not wrapped:
                continue
            if about.file_size > LARGEST:
                raise ValueError(f"{about.filename!r} says that it has {about.file_size:,} bytes")
            if wrapped:
                yield from _members(archive.read(about), name, nested=False)
            else:
                yield archive.read(about)


def _forms(content: bytes) -> Iterator[bytes]:
    """Yield a text unchanged and with edits of editors and git undone: a byte-order mark, other line ends."""
    for text in dict.fromkeys([content, content.removeprefix(BOM)]):
        yield text
        yield text.replace(b"\r\n", b"\n")
        yield text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
