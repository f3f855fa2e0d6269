"""What a release is: one zip with the numbers of a run and, in release.json, its settings and the sha256 of each file.

The Snakefile imports this module, so it imports nothing heavy. The hashes find damage, not forgery: whoever forges a
file can forge its hash. Nothing is ever extracted by its path.
"""

import hashlib
import json
import os
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.common.config import full_schema
from scripts.common.errors import UserError
from scripts.common.files import atomic_path, checksum
from scripts.common.studies import released_paths, study_names
from scripts.common.yaml_files import check

FORMAT = 1
ABOUT = "release.json"
MANIFEST, CRATE = "manifest.json", "ro-crate-metadata.json"
TABLE = r"[a-z]\w*/(figures/)?[a-z]\w*\.parquet"  # STUDY/NAME.parquet, STUDY/figures/NAME.parquet
NAME = re.compile(rf"{re.escape(MANIFEST)}|{re.escape(CRATE)}|claims\.parquet|{TABLE}", re.ASCII)
LARGEST, LARGEST_ABOUT, MOST_MEMBERS = 2**30, 2**22, 10_000
AGAIN = "get the release again"
DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError, struct.error)


def pack(path: str | Path, about: dict, files: dict[str, str | Path]) -> None:
    """Write a release: the same content gives the same bytes.

    Args:
        about: what release.json says beside the format and the hashes.
        files: name in the archive to file.
    """
    names = sorted(files)
    about = {"format": FORMAT, **about, "files": {name: checksum(files[name]) for name in names}}
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry(ABOUT), json.dumps(about, indent=1, ensure_ascii=False) + "\n")
        for name in names:
            archive.writestr(_entry(name), Path(files[name]).read_bytes())


def _entry(name: str) -> zipfile.ZipInfo:
    """Return a member's header that depends on nothing but its name."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry


def located(path: str) -> str:
    """Return the path of a release as Snakemake wants it; relative ones start at the working directory."""
    return os.path.normpath(os.path.expanduser(path))  # noqa: PTH111


def read_release(path: str | Path, root: Path) -> dict:
    """Return release.json of a release after every member was checked, so that what follows can rely on it.

    Raises:
        UserError: the file is missing, damaged (a damaged or missing member is named), no release, or a release of
            another version: of an unknown format, with settings that the schema at `root` refuses, or without a file
            that its studies need.
    """
    with _opened(path) as archive:
        members = _checked_members(path, archive)
        about = _parsed(path, _content(path, archive, members, ABOUT)) if ABOUT in members else None
        if about is None:
            raise UserError(f"{path}: no release of Counterweight: it holds no {ABOUT}")
        _check_names(path, about["files"], members)
        for name, sha256 in about["files"].items():
            _verified(path, archive, members, name, sha256)
    _check_settings(path, about, root)
    return about


def unpack(path: str | Path, hashes: dict[str, str], targets: dict[str, str | Path]) -> None:
    """Write members of a release to files, after all of them were verified.

    Args:
        hashes: name to sha256, as `read_release` found them.
        targets: name to the file to write.

    Raises:
        UserError: the archive was damaged or changed meanwhile; nothing was written then.
    """
    with _opened(path) as archive:
        members = _checked_members(path, archive)
        contents = {name: _verified(path, archive, members, name, hashes[name]) for name in targets}
    for name, target in targets.items():
        with atomic_path(target) as temporary:
            temporary.write_bytes(contents[name])


@contextmanager
def _opened(path: str | Path) -> Iterator[zipfile.ZipFile]:
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such release; give its path in the config key released (now in {Path.cwd()})")
    if not path.is_file():
        raise UserError(f"{path}: a folder, no release; give the path of the zip file")
    try:
        archive = zipfile.ZipFile(path)
    except PermissionError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except DAMAGE as error:
        raise UserError(f"{path}: damaged, cut short or no zip archive ({error}); {AGAIN}") from error
    with archive:
        yield archive


def _checked_members(path: str | Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, none of which can be larger than it says or hide behind another."""
    members: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for member in archive.infolist():
        name, total = member.filename, total + member.file_size
        if name in members:
            raise UserError(f"{path}: holds {name!r} twice; {AGAIN}")
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise UserError(f"{path}: {name!r} is compressed or encrypted, which a release never is; {AGAIN}")
        members[name] = member
    if len(members) > MOST_MEMBERS or total > min(LARGEST, Path(path).stat().st_size):
        raise UserError(f"{path}: {len(members)} members of {total:,} bytes are more than a release can hold; {AGAIN}")
    return members


def _content(path: str | Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str) -> bytes:
    try:
        return archive.read(members[name])
    except DAMAGE as error:
        raise UserError(f"{path}: {name!r} is damaged ({error}); {AGAIN}") from error


def _verified(path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, sha256: str) -> bytes:
    """Return the bytes of a member whose sha256 is right."""
    if name not in members:
        raise UserError(f"{path}: {name!r} is missing; {AGAIN}")
    content = _content(path, archive, members, name)
    got = hashlib.sha256(content).hexdigest()
    if got != sha256:
        raise UserError(f"{path}: {name!r} is damaged (sha256 {got}, expected {sha256}); {AGAIN}")
    return content


def _parsed(path: str | Path, text: bytes) -> dict:
    """Return release.json, of the format that this workflow reads and of the right shape."""
    try:
        about = json.loads(text) if len(text) <= LARGEST_ABOUT else None
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or type(about.get("format")) is not int:
        raise UserError(f"{path}: no release of Counterweight: its {ABOUT} states no format")
    if about["format"] != FORMAT:
        raise UserError(
            f"{path}: a release of another version: format {about['format']}, this workflow reads {FORMAT}; "
            f"{_remedy(about)}"
        )
    files, settings = about.get("files"), about.get("settings")
    sums = files.values() if isinstance(files, dict) else [None]
    hexadecimal = all(isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) for value in sums)
    if not hexadecimal or not isinstance(settings, dict):
        raise UserError(f"{path}: {ABOUT} lacks the settings or the sha256 of a file; {AGAIN}")
    return about


def _remedy(about: dict) -> str:
    """Return what to do about a release of another version."""
    version = str(about.get("version"))
    stated = version if re.fullmatch(r"[\w.+-]{1,40}", version, re.ASCII) else "unknown"
    return f"get the version of Counterweight that wrote it ({stated})"


def _check_names(path: str | Path, files: dict[str, str], members: dict[str, zipfile.ZipInfo]) -> None:
    """Refuse members that release.json does not name, and names of no release."""
    for name in sorted(members.keys() - {ABOUT}):
        if name not in files or not NAME.fullmatch(name):
            raise UserError(f"{path}: holds {name[:80]!r}, which belongs to no release; {AGAIN}")


def _check_settings(path: str | Path, about: dict, root: Path) -> None:
    """Refuse settings that are none of this version, and studies without the files they are redrawn from."""
    try:
        check(about["settings"], full_schema(root), "its settings")
    except UserError as error:
        raise UserError(f"{path}: a release of another version: {error} {_remedy(about)}") from error
    studies = [study for study in study_names(root) if study in about["settings"]]
    tables = [path for study in studies for path in released_paths(study, root, folder=".")]
    for name in [MANIFEST, CRATE, *map(os.path.normpath, tables)]:
        if name not in about["files"]:
            raise UserError(f"{path}: a release of another version: it has no {name}; {_remedy(about)}")
