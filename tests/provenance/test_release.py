"""A release is packed to the same bytes, read back safely, and refused in one line where anything is wrong with it."""

import json
import os
import warnings
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.config import in_order
from scripts.common.errors import UserError
from scripts.common.studies import released_paths, study_names
from scripts.provenance import archive
from scripts.provenance.archive import located, pack, read_release, unpack
from scripts.provenance.release import release
from tests.common.test_config import ROOT, merged

SETTINGS = in_order(merged("config.test.yaml"))
NEEDED = [path for study in study_names(ROOT) for path in released_paths(study, ROOT)]
ABOUT = {"project": "Counterweight", "version": "0.1.0", "settings": SETTINGS}


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    """Name in the archive to file, for every file that a release of all studies must have."""
    names = ["manifest.json", "ro-crate-metadata.json", *(path.removeprefix("results/") for path in NEEDED)]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(f"content of {name}".encode())
    return {name: tmp_path / name for name in names}


@pytest.fixture
def packed(files, tmp_path) -> Path:
    pack(tmp_path / "release.zip", ABOUT, files)
    return tmp_path / "release.zip"


def test_what_was_packed_is_read_back(packed, files, tmp_path):
    about = read_release(packed, ROOT)
    assert {key: about[key] for key in ABOUT} == ABOUT and about["format"] == 1
    assert about["files"].keys() == files.keys()
    unpack(packed, about["files"], {name: tmp_path / "out" / name for name in files})
    assert {name: (tmp_path / "out" / name).read_bytes() for name in files} == {
        name: path.read_bytes() for name, path in files.items()
    }


def test_the_bytes_depend_on_the_content_alone(packed, files, tmp_path):
    for path in files.values():
        os.utime(path, (1e9, 1e9))
        path.chmod(0o600)
    pack(tmp_path / "again.zip", ABOUT, dict(reversed(files.items())))
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()
    with zipfile.ZipFile(packed) as opened:
        assert {member.date_time for member in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert opened.namelist() == ["release.json", *sorted(files)]


def rewritten(packed: Path, about: dict | None = None, drop=(), compression=zipfile.ZIP_STORED, **added: str) -> None:
    """Write an archive anew with some keys of release.json changed, some members left out and some added."""
    with zipfile.ZipFile(packed) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    if about:
        contents["release.json"] = json.dumps(json.loads(contents["release.json"]) | about).encode()
    with zipfile.ZipFile(packed, "w", compression) as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a duplicate name
        for name, content in [*contents.items(), *added.items()]:
            if name not in drop:
                opened.writestr(name, content)


def with_settings(**changes) -> dict:
    return {"settings": SETTINGS | changes}


NO_TABLE = {"files": {"manifest.json": "0" * 64}}
MISTAKES = {
    "another format": (lambda path: rewritten(path, {"format": 7}), "format 7, this workflow reads 1; get the version"),
    "unknown setting": (
        lambda path: rewritten(path, with_settings(magic={})),
        "another version: its settings: .*'magic'",
    ),
    "setting out of range": (lambda path: rewritten(path, with_settings(gpu=2)), "another version: its settings: gpu"),
    "settings of no kind": (lambda path: rewritten(path, {"settings": []}), "lacks the settings"),
    "a hash of no kind": (lambda path: rewritten(path, {"files": {"manifest.json": "abc"}}), "sha256 of a file"),
    "no format": (lambda path: rewritten(path, {"format": "1"}), "no release of Counterweight: its release.json"),
    "a truth for a format": (lambda path: rewritten(path, {"format": True}), "states no format"),
    "no release": (lambda path: rewritten(path, drop=["release.json"]), "no release of Counterweight: it holds no"),
    "a missing member": (lambda path: rewritten(path, drop=[NEEDED[0][8:]]), f"'{NEEDED[0][8:]}' is missing"),
    "a member too many": (lambda path: rewritten(path, **{"x/more.parquet": "1"}), "holds 'x/more.parquet', which"),
    "a way out": (lambda path: rewritten(path, **{"../../x.parquet": "1"}), r"holds '../../x\.parquet', which"),
    "the same name twice": (lambda path: rewritten(path, **{"manifest.json": "1"}), "holds 'manifest.json' twice"),
    "compressed": (lambda path: rewritten(path, compression=zipfile.ZIP_DEFLATED), "compressed or encrypted"),
    "no zip": (lambda path: path.write_text("metrics"), "damaged, cut short or no zip archive"),
    "empty": (lambda path: path.write_bytes(b""), "damaged, cut short or no zip archive"),
    "missing": (lambda path: path.unlink(), "no such release; give its path in the config key released"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "a folder, no release"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_that_names_it(packed, case):
    spoil, words = MISTAKES[case]
    spoil(packed)
    with pytest.raises(UserError, match=words) as error:
        read_release(packed, ROOT)
    assert str(error.value).startswith(str(packed)) and "\n" not in str(error.value)


def test_a_member_of_a_name_that_no_release_has_is_refused_even_if_it_is_listed(tmp_path):
    for name in ("../x.parquet", "/x/x.parquet", "x/../x.parquet", "x/predictions/a.parquet", "x/images.npy", "x\\y"):
        (tmp_path / "content").write_text("1")
        pack(tmp_path / "release.zip", ABOUT, {name: tmp_path / "content"})
        with pytest.raises(UserError, match="which belongs to no release"):
            read_release(tmp_path / "release.zip", ROOT)


def test_a_release_without_a_table_that_a_study_needs_is_of_another_version(files, tmp_path):
    gone = NEEDED[-1].removeprefix("results/")
    pack(tmp_path / "release.zip", ABOUT, {name: path for name, path in files.items() if name != gone})
    with pytest.raises(
        UserError, match=f"another version: it has no {gone}; get the version of .* wrote it \\(0.1.0\\)"
    ):
        read_release(tmp_path / "release.zip", ROOT)


def test_a_release_may_hold_fewer_studies(files, tmp_path):
    settings = {key: value for key, value in SETTINGS.items() if key not in study_names(ROOT)}
    few = {name: path for name, path in files.items() if "/" not in name}
    pack(tmp_path / "release.zip", ABOUT | {"settings": settings}, few)
    assert read_release(tmp_path / "release.zip", ROOT)["settings"] == settings


def test_every_flipped_bit_is_found_or_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_check_settings", lambda *arguments: None)
    (tmp_path / "a").write_bytes(b"the numbers")
    path = tmp_path / "release.zip"
    pack(path, {"settings": {}}, {"x/metrics.parquet": tmp_path / "a", "manifest.json": tmp_path / "a"})
    right, whole = read_release(path, ROOT), path.read_bytes()
    found = []
    for place in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << place % 8
        path.write_bytes(spoilt)
        try:
            assert read_release(path, ROOT) == right, place
        except UserError as error:
            found.append(str(error))
    assert len(found) > 0.7 * len(whole)  # dates and the like may change
    assert any("'x/metrics.parquet' is damaged" in line for line in found)


def test_an_archive_cut_short_anywhere_is_refused(packed):
    whole = packed.read_bytes()
    for length in range(0, len(whole), 97):
        packed.write_bytes(whole[:length])
        with pytest.raises(UserError, match="damaged, cut short"):
            read_release(packed, ROOT)


def test_sizes_that_the_archive_cannot_hold_are_refused_before_anything_is_read(packed):
    content = bytearray(packed.read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # the last member in the central directory
    content[entry + 20 : entry + 28] = (2**29).to_bytes(4, "little") * 2
    packed.write_bytes(content)
    with pytest.raises(UserError, match="bytes are more than a release can hold"):
        read_release(packed, ROOT)


def test_nothing_is_unpacked_if_one_member_is_wrong(packed, files, tmp_path):
    hashes = read_release(packed, ROOT)["files"]
    last = list(files)[-1]
    targets = {name: tmp_path / "out" / name for name in files}
    with pytest.raises(UserError, match=f"'{last}' is damaged"):
        unpack(packed, hashes | {last: "0" * 64}, targets)
    assert not (tmp_path / "out").exists()


def test_predictions_and_images_are_never_packed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("manifest.json").write_text(json.dumps({"project_version": "1", "settings": {}}))
    table = Path("results/x/metrics.parquet")
    for frame, words in [
        (pd.DataFrame({"row_id": [1], "score": [0.5]}), "has a row_id"),
        (pd.DataFrame({"picture": [b"\x89PNG"]}), "column 'picture' may hold images"),
        (pd.DataFrame({"pixels": [[1, 2, 3]]}), "column 'pixels' may hold images"),
    ]:
        parquet.write(frame, table)
        with pytest.raises(UserError, match=words):
            release("manifest.json", [str(table)], "release.zip")
        assert not Path("release.zip").exists()


def test_paths_are_written_as_snakemake_wants_them(monkeypatch):
    monkeypatch.setenv("HOME", "/home/a")
    assert [located(path) for path in ("./a b.zip", "x//y.zip", "~/z.zip")] == ["a b.zip", "x/y.zip", "/home/a/z.zip"]
