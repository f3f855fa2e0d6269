"""Releases: one zip per study, from which its figures, tables and claims are redrawn without training.

A zip `X.zip` is complete in itself. It holds three kinds of members, none of which repeats another:

- `release.json`, which this workflow reads before it trusts anything else: format, version, study, the settings of the
  run (the study's block and the shared blocks that it uses), the run itself (commit, packages, machine, run times) and
  the sha256 of every other member;
- `ro-crate-metadata.json`, which any reader of RO-Crate understands: authors, licence, sources, and every file that the
  run read or wrote, with size and sha256; data, predictions and models, which are not in the zip, by their content;
- `X/STEM.parquet`, the tables that `scripts/X/study.yaml` lists as released.

A release has no manifest: the first two members say all that it would. Plotted numbers and claims are left out,
since they are computed from the tables.

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
from functools import cache
from pathlib import Path

from scripts.common.config import full_schema
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.studies import released_paths, study_names
from scripts.common.yaml_files import check

FORMAT = 2
ABOUT, CRATE = "release.json", "ro-crate-metadata.json"
TABLE = re.compile(r"([a-z]\w*)/[a-z]\w*\.parquet", re.ASCII)  # STUDY/STEM.parquet
LARGEST, LARGEST_ABOUT, MOST_MEMBERS = 2**30, 2**22, 10_000
AGAIN = "get the release again"
schema_of = cache(full_schema)  # read once for all zips: every job that Snakemake starts reads the Snakefile again
DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError, struct.error)


def pack(path: str | Path, about: dict, contents: dict[str, bytes]) -> None:
    """Write a release; the same content gives the same bytes.

    Args:
        about: content of release.json without the format and the hashes.
        contents: name in the archive to content.
    """
    names = sorted(contents)
    sums = {name: hashlib.sha256(contents[name]).hexdigest() for name in names}
    about = {"format": FORMAT, **about, "files": sums}
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry(ABOUT), json.dumps(about, indent=1, ensure_ascii=False) + "\n")
        for name in names:
            archive.writestr(_entry(name), contents[name])


def _entry(name: str) -> zipfile.ZipInfo:
    """Return a member's header that depends on nothing but its name."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry


def located(path: str) -> str:
    """Return the path of a release as Snakemake wants it; a relative one is relative to the working directory.

    Before there was a zip per study, releases/preview.zip held them all. Where `X.zip` is missing and the folder `X` is
    there, that is the path; the line "Redrawn from ..." at the start names it.
    """
    path = os.path.normpath(os.path.expanduser(path))  # noqa: PTH111
    folder = path.removesuffix(".zip")
    return folder if not os.path.exists(path) and os.path.isdir(folder) else path  # noqa: PTH110, PTH112


def archives_at(path: str | Path) -> list[Path]:
    """Return the zips of a folder in the order of their names, or the path itself if it is not a folder.

    Raises:
        UserError: nothing is there, or a folder without a zip.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such release; give its path in the config key released (now in {Path.cwd()})")
    if not path.is_dir():
        return [path]
    archives = sorted(entry for entry in path.glob("*.zip") if not entry.name.startswith("."))
    if not archives:
        raise UserError(f"{path}: no release in this folder: it holds no zip; give a zip or a folder of zips")
    return archives


def read_releases(path: str | Path, root: Path) -> dict[str, dict]:
    """Return study -> release.json with `archive`, the path of the zip, of one release or of a folder of them.

    Every member of every zip is checked before anything is returned.

    Raises:
        UserError: as `archives_at` and `read_release`; two zips hold the same study, or were made with different
            values of a setting that both state.
    """
    releases: dict[str, dict] = {}
    stated: dict[str, tuple[Path, object]] = {}  # shared block -> the zip that states it first, its settings
    for archive in archives_at(path):
        about = read_release(archive, root)
        study = about["study"]
        if study in releases:
            raise UserError(f"{archive}: holds {study!r}, as does {releases[study]['archive']}; keep one of the two")
        for block, settings in about["settings"].items():
            first, expected = stated.setdefault(block, (archive, settings))
            if settings != expected:
                raise UserError(
                    f"{archive}: made with other settings of {block!r} than {first}; redraw them one at a time"
                )
        releases[study] = about | {"archive": str(archive)}
    return releases


def settings_of(releases: dict[str, dict], config: dict, root: Path) -> dict:
    """Return the config to redraw with: the releases' settings over the reader's shared ones, without other studies."""
    studies = study_names(root)
    settings = {key: value for key, value in config.items() if key not in studies}
    for about in releases.values():
        settings |= about["settings"]
    return settings


def read_release(path: str | Path, root: Path) -> dict:
    """Return release.json of a zip after checking every member, so that callers can rely on it.

    Raises:
        UserError: the file is missing, damaged (a damaged or missing member is named), no release, or a release of
            another version: of an unknown format or study, with settings that the schema at `root` refuses, or without
            a file that its study needs.
    """
    with _opened(path) as archive:
        members = _checked_members(path, archive)
        about = _parsed(path, _content(path, archive, members, ABOUT)) if ABOUT in members else None
        if about is None:
            raise UserError(f"{path}: no release of Counterweight: it holds no {ABOUT}")
        _check_names(path, about, members)
        for name, sha256 in about["files"].items():
            _verified(path, archive, members, name, sha256)
    _check_settings(path, about, root)
    return about


def unpack(path: str | Path, hashes: dict[str, str], targets: dict[str, str | Path]) -> None:
    """Write members of a release to files, after all of them were verified.

    Args:
        hashes: name to sha256, as `read_release` returns them under "files".
        targets: name to the file to write.

    Raises:
        UserError: the archive was damaged or changed in the meantime; then nothing is written.
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
        raise UserError(f"{path}: a folder with the name of a release; give the path of a zip")
    try:
        archive = zipfile.ZipFile(path)
    except PermissionError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except DAMAGE as error:
        raise UserError(f"{path}: damaged, cut short or no zip archive ({error}); {AGAIN}") from error
    with archive:
        yield archive


def _checked_members(path: str | Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name after refusing compressed, encrypted, repeated and oversized ones."""
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
    """Return the bytes of a member after checking its sha256."""
    if name not in members:
        raise UserError(f"{path}: {name!r} is missing; {AGAIN}")
    content = _content(path, archive, members, name)
    got = hashlib.sha256(content).hexdigest()
    if got != sha256:
        raise UserError(f"{path}: {name!r} is damaged (sha256 {got}, expected {sha256}); {AGAIN}")
    return content


def _parsed(path: str | Path, text: bytes) -> dict:
    """Return release.json after checking its format number and its structure."""
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
    files, study = about.get("files"), about.get("study")
    sums = files.values() if isinstance(files, dict) else [None]
    hexadecimal = all(isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) for value in sums)
    mappings = all(isinstance(about.get(key), dict) for key in ("settings", "run"))
    if not hexadecimal or not mappings or not isinstance(study, str):
        raise UserError(f"{path}: {ABOUT} lacks the study, its settings, its run or the sha256 of a file; {AGAIN}")
    return about


def _remedy(about: dict) -> str:
    """Return advice on a release of another version."""
    version = str(about.get("version"))
    stated = version if re.fullmatch(r"[\w.+-]{1,40}", version, re.ASCII) else "unknown"
    return f"get the version of Counterweight that wrote it ({stated})"


def _check_names(path: str | Path, about: dict, members: dict[str, zipfile.ZipInfo]) -> None:
    """Refuse members that release.json does not list, and names that do not belong to a release of its study."""
    for name in sorted(members.keys() - {ABOUT}):
        table = TABLE.fullmatch(name)
        fitting = name == CRATE or (table and table[1] == about["study"])
        if name not in about["files"] or not fitting:
            raise UserError(f"{path}: holds {name[:80]!r}, which belongs to no release of one study; {AGAIN}")


def _check_settings(path: str | Path, about: dict, root: Path) -> None:
    """Refuse settings that do not fit this version, and a release that lacks a file its study is redrawn from."""
    study, others = about["study"], study_names(root)
    if study not in others:
        raise UserError(f"{path}: a release of another version: no study {study[:80]!r} here; {_remedy(about)}")
    foreign = sorted(about["settings"].keys() & {"released", *others} - {study})
    if foreign:
        raise UserError(f"{path}: holds settings of {foreign[0]!r}, which a release of {study!r} does not; {AGAIN}")
    try:
        check(about["settings"], schema_of(root) | {"required": [study]}, "its settings")
    except UserError as error:
        raise UserError(f"{path}: a release of another version: {error} {_remedy(about)}") from error
    for name in [CRATE, *map(os.path.normpath, released_paths(study, root, folder="."))]:
        if name not in about["files"]:
            raise UserError(f"{path}: a release of another version: it has no {name}; {_remedy(about)}")
