"""A release is packed to the same bytes, read back safely, and refused in one line where anything is wrong with it."""

import hashlib
import io
import json
import os
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from scripts.common import parquet
from scripts.common.config import in_order
from scripts.common.errors import UserError
from scripts.common.studies import describe, released_paths, study_names
from scripts.provenance import archive
from scripts.provenance.archive import located, pack, read_release, read_releases, settings_of, unpack
from scripts.provenance.compact import compact
from scripts.provenance.crate import files_of
from scripts.provenance.release import release
from tests.common.test_config import ROOT, merged

CONFIG = in_order(merged("config.test.yaml"))
SETTINGS = {"gpu": 0, "income": CONFIG["income"]}
RUN = {"commit": "c0ffee", "made": "2026-01-02T03:04:05+00:00"}
ABOUT = {"project": "Counterweight", "version": "0.1.0", "study": "income", "settings": SETTINGS, "run": RUN}
TABLES = [path.removeprefix("results/") for path in released_paths("income", ROOT)]
NEEDED = TABLES[0]


def contents_of(study: str) -> dict[str, bytes]:
    """Return every member that a release of a study must have."""
    tables = [path.removeprefix("results/") for path in released_paths(study, ROOT)]
    return {name: f"content of {name}".encode() for name in ["ro-crate-metadata.json", *tables]}


CONTENTS = contents_of("income")


@pytest.fixture
def packed(tmp_path) -> Path:
    pack(tmp_path / "release.zip", ABOUT, CONTENTS)
    return tmp_path / "release.zip"


def test_what_was_packed_is_read_back(packed, tmp_path):
    about = read_release(packed, ROOT)
    assert {key: about[key] for key in ABOUT} == ABOUT and about["format"] == 2
    assert about["files"].keys() == CONTENTS.keys()
    unpack(packed, about["files"], {name: tmp_path / "out" / name for name in CONTENTS})
    assert {name: (tmp_path / "out" / name).read_bytes() for name in CONTENTS} == CONTENTS


def test_the_bytes_depend_on_the_content_alone(packed, tmp_path):
    pack(tmp_path / "again.zip", ABOUT, dict(reversed(CONTENTS.items())))
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()
    with zipfile.ZipFile(packed) as opened:
        assert {member.date_time for member in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert opened.namelist() == ["release.json", *sorted(CONTENTS)]


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


MISTAKES = {
    "another format": (lambda path: rewritten(path, {"format": 7}), "format 7, this workflow reads 2; get the version"),
    "the format before": (
        lambda path: rewritten(path, {"format": 1}),
        "format 1, this workflow reads 2; get the version",
    ),
    "unknown setting": (
        lambda path: rewritten(path, with_settings(magic={})),
        "another version: its settings: .*'magic'",
    ),
    "setting out of range": (lambda path: rewritten(path, with_settings(gpu=2)), "another version: its settings: gpu"),
    "settings of no kind": (lambda path: rewritten(path, {"settings": []}), "lacks the study, its settings"),
    "no run": (lambda path: rewritten(path, {"run": None}), "lacks the study, its settings, its run"),
    "a study of no kind": (lambda path: rewritten(path, {"study": ["income"]}), "lacks the study"),
    "an unknown study": (lambda path: rewritten(path, {"study": "astrology"}), "belongs to no release of one study"),
    "another study's settings": (
        lambda path: rewritten(path, with_settings(frtrain=CONFIG["frtrain"])),
        "holds settings of 'frtrain', which a release of 'income' does not",
    ),
    "a place of its own": (lambda path: rewritten(path, with_settings(released="x.zip")), "settings of 'released'"),
    "no settings of the study": (lambda path: rewritten(path, {"settings": {"gpu": 0}}), "'income' is a required"),
    "a hash of no kind": (
        lambda path: rewritten(path, {"files": {"income/metrics.parquet": "abc"}}),
        "sha256 of a file",
    ),
    "no format": (lambda path: rewritten(path, {"format": "1"}), "no release of Counterweight: its release.json"),
    "a truth for a format": (lambda path: rewritten(path, {"format": True}), "states no format"),
    "no release": (lambda path: rewritten(path, drop=["release.json"]), "no release of Counterweight: it holds no"),
    "a missing member": (lambda path: rewritten(path, drop=[NEEDED]), f"'{NEEDED}' is missing"),
    "a member too many": (lambda path: rewritten(path, **{"income/x.parquet": "1"}), "holds 'income/x.parquet', which"),
    "a way out": (lambda path: rewritten(path, **{"../../x.parquet": "1"}), r"holds '../../x\.parquet', which"),
    "the same name twice": (lambda path: rewritten(path, **{NEEDED: "1"}), f"holds '{NEEDED}' twice"),
    "compressed": (lambda path: rewritten(path, compression=zipfile.ZIP_DEFLATED), "compressed or encrypted"),
    "no zip": (lambda path: path.write_text("metrics", encoding="utf-8"), "damaged, cut short or no zip archive"),
    "empty": (lambda path: path.write_bytes(b""), "damaged, cut short or no zip archive"),
    "missing": (lambda path: path.unlink(), "no such release; give its path in the config key released"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "a folder with the name of a release"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_that_names_it(packed, case):
    spoil, words = MISTAKES[case]
    spoil(packed)
    with pytest.raises(UserError, match=words) as error:
        read_release(packed, ROOT)
    assert str(error.value).startswith(str(packed)) and "\n" not in str(error.value)


def test_a_member_of_a_name_that_no_release_has_is_refused_even_if_it_is_listed(tmp_path):
    names = ("../x.parquet", "/x/x.parquet", "income/../x.parquet", "income/predictions/a.parquet", "income/images.npy")
    for name in (*names, "income\\x.parquet", "frtrain/metrics.parquet", "manifest.json", "income/figures/a.parquet"):
        pack(tmp_path / "release.zip", ABOUT, {name: b"1"})
        with pytest.raises(UserError, match="which belongs to no release of one study"):
            read_release(tmp_path / "release.zip", ROOT)


def test_a_release_without_a_table_that_its_study_needs_is_of_another_version(tmp_path):
    gone = TABLES[-1]
    pack(tmp_path / "release.zip", ABOUT, {name: content for name, content in CONTENTS.items() if name != gone})
    with pytest.raises(
        UserError, match=f"another version: it has no {gone}; get the version of .* wrote it \\(0.1.0\\)"
    ):
        read_release(tmp_path / "release.zip", ROOT)


def test_a_release_of_a_study_that_is_gone_is_of_another_version(tmp_path):
    about = ABOUT | {"study": "astrology", "settings": {"astrology": {}}}
    pack(tmp_path / "release.zip", about, {"astrology/metrics.parquet": b"1"})
    with pytest.raises(UserError, match="another version: no study 'astrology' here; get the version"):
        read_release(tmp_path / "release.zip", ROOT)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Releases of two studies in a folder, beside files that are none."""
    made = tmp_path / "preview"
    for study, shared in (("tradeoffs", ["faces", "gpu"]), ("backdoor", ["gpu"])):
        settings = {key: CONFIG[key] for key in [study, *shared]}
        pack(made / f"{study}.zip", ABOUT | {"study": study, "settings": settings}, contents_of(study))
    (made / "notes.txt").write_text("no release", encoding="utf-8")
    (made / ".tradeoffs.1.part.zip").write_bytes(b"left by a killed job")
    return made


def test_a_folder_holds_a_study_per_zip_and_a_zip_is_one_study(folder):
    found = read_releases(folder, ROOT)
    assert list(found) == ["backdoor", "tradeoffs"]
    assert {study: about["archive"] for study, about in found.items()} == {
        study: str(folder / f"{study}.zip") for study in found
    }
    assert list(read_releases(folder / "backdoor.zip", ROOT)) == ["backdoor"]


def test_the_config_to_redraw_with_has_the_released_studies_and_no_other(folder):
    mine = CONFIG | {"gpu": 1, "faces": CONFIG["faces"] | {"seed": 7}}
    found = settings_of(read_releases(folder / "backdoor.zip", ROOT), mine, ROOT)
    assert found == {
        "gpu": 0,
        "faces": mine["faces"],
        "released": "",
        "tables": {},
        "audits": {},
        "backdoor": CONFIG["backdoor"],
    }
    whole = settings_of(read_releases(folder, ROOT), mine, ROOT)
    assert whole.keys() == {"gpu", "faces", "released", "tables", "audits", "backdoor", "tradeoffs"}
    assert whole["faces"] == CONFIG["faces"]


def test_one_damaged_member_in_a_folder_is_named_with_its_zip(folder):
    content = bytearray((folder / "tradeoffs.zip").read_bytes())
    content[content.index(b"content of tradeoffs/runs.parquet")] ^= 1
    (folder / "tradeoffs.zip").write_bytes(content)
    with pytest.raises(
        UserError, match=r"tradeoffs\.zip: 'tradeoffs/runs\.parquet' is damaged .*get the release again"
    ):
        read_releases(folder, ROOT)
    (folder / "tradeoffs.zip").write_bytes(content[:1000])
    with pytest.raises(UserError, match=r"tradeoffs\.zip: damaged, cut short or no zip archive"):
        read_releases(folder, ROOT)


def test_zips_that_do_not_belong_together_are_one_line(folder, tmp_path):
    settings = {key: CONFIG[key] for key in ("backdoor", "gpu")}
    about = ABOUT | {"study": "backdoor", "settings": settings}
    pack(folder / "z.zip", about, contents_of("backdoor"))
    with pytest.raises(UserError, match=r"z\.zip: holds 'backdoor', as does .*backdoor\.zip; keep one"):
        read_releases(folder, ROOT)
    (folder / "z.zip").unlink()
    pack(folder / "backdoor.zip", about | {"settings": settings | {"gpu": 1}}, contents_of("backdoor"))
    words = r"tradeoffs\.zip: made with other settings of 'gpu' than .*backdoor\.zip; redraw them one at a time"
    with pytest.raises(UserError, match=words):
        read_releases(folder, ROOT)


def test_a_folder_without_a_zip_and_no_folder_at_all_are_one_line(tmp_path):
    with pytest.raises(UserError, match="no release in this folder: it holds no zip"):
        read_releases(tmp_path, ROOT)
    with pytest.raises(UserError, match="no such release; give its path in the config key released"):
        read_releases(tmp_path / "nowhere", ROOT)


def test_a_study_says_which_shared_settings_it_uses():
    """What its rule file reads of the config, and the faces where it reads their files."""
    for study in study_names(ROOT):
        rules = (ROOT / f"rules/{study}.smk").read_text(encoding="utf-8")
        used = set(re.findall(r'config\["(\w+)"\]', rules)) - {study, "released"}
        used |= {"faces"} if "results/data/faces" in rules else set()
        assert set(describe(study, ROOT).get("shared_settings", [])) == used, study


def test_every_flipped_bit_is_found_or_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_check_settings", lambda *arguments: None)
    path, about = tmp_path / "release.zip", {"study": "x", "settings": {}, "run": {}}
    pack(path, about, {"x/metrics.parquet": b"the numbers", "ro-crate-metadata.json": b"the numbers"})
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


def test_nothing_is_unpacked_if_one_member_is_wrong(packed, tmp_path):
    hashes = read_release(packed, ROOT)["files"]
    last = list(CONTENTS)[-1]
    targets = {name: tmp_path / "out" / name for name in CONTENTS}
    with pytest.raises(UserError, match=f"'{last}' is damaged"):
        unpack(packed, hashes | {last: "0" * 64}, targets)
    assert not (tmp_path / "out").exists()


NUMBERS = pd.DataFrame({"metric": ["error", "gap", "error"], "value": [0.25, float("nan"), -0.0], "n": [1, 2, 3]})
STUDY = {"name": "x", "title": "A title", "question": "A question?"}


def released(tables: list[str], run: dict = RUN, **files: list[str]) -> Path:
    """Pack some tables, which lie below results/x, and return the archive."""
    paths = {"rules": ROOT / "rules/income.smk", "citation": ROOT / "CITATION.cff"}
    release("release.zip", STUDY, {"x": {}}, run, tables, files.get("data", []), files.get("hashed", []), **paths)
    return Path("release.zip")


def test_predictions_and_images_are_never_packed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = Path("results/x/metrics.parquet")
    for frame, words in [
        (pd.DataFrame({"row_id": [1], "score": [0.5]}), "has a row_id"),
        (pd.DataFrame({"picture": [b"\x89PNG"]}), "column 'picture' may hold images"),
        (pd.DataFrame({"pixels": [[1, 2, 3]]}), "column 'pixels' may hold images"),
    ]:
        parquet.write(frame, table)
        with pytest.raises(UserError, match=words):
            released([str(table)])
        assert not Path("release.zip").exists()


def test_a_release_says_everything_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parquet.write(NUMBERS, "results/x/metrics.parquet")
    for name in ("results/data/a.parquet", "results/x/models/m.safetensors"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name, encoding="utf-8")
    path = released(
        ["results/x/metrics.parquet"], data=["results/data/a.parquet"], hashed=["results/x/models/m.safetensors"]
    )
    with zipfile.ZipFile(path) as opened:
        assert opened.namelist() == ["release.json", "ro-crate-metadata.json", "x/metrics.parquet"]
        about, crate = (json.loads(opened.read(name)) for name in opened.namelist()[:2])
        table = opened.read("x/metrics.parquet")
    assert list(about) == ["format", "project", "version", "study", "settings", "run", "files"]
    assert about["run"] == RUN and about["settings"] == {"x": {}}
    sha256 = hashlib.sha256(table).hexdigest()
    assert about["files"]["x/metrics.parquet"] == sha256
    entry = {name: {"sha256": hashlib.sha256(name.encode()).hexdigest(), "bytes": len(name)} for name in (
        "results/data/a.parquet", "results/x/models/m.safetensors"
    )}  # fmt: skip
    assert files_of(crate) == {"x/metrics.parquet": {"sha256": sha256, "bytes": len(table)}, **entry}
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(table)), NUMBERS)
    first = path.read_bytes()
    os.utime("results/data/a.parquet", (1e9, 1e9))
    assert (
        released(
            ["results/x/metrics.parquet"], data=["results/data/a.parquet"], hashed=["results/x/models/m.safetensors"]
        ).read_bytes()
        == first
    )


def test_a_compact_table_has_the_same_rows_types_and_checksums(tmp_path):
    dice = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "name": dice.choice(["a", "b", None], 3000),
            "measured": dice.normal(size=3000),
            "repeated": dice.choice([0.1, float("nan"), -0.0, float("inf")], 3000),
            "single": dice.normal(size=3000).astype("float32"),
            "count": dice.integers(0, 9, 3000),
            "yes": dice.integers(0, 2, 3000).astype(bool),
            "maybe": pd.array(dice.choice([1, 2, None], 3000), dtype="Int64"),
        }
    )
    parquet.write(frame, tmp_path / "t.parquet")
    content = compact(str(tmp_path / "t.parquet"))
    before, after = pq.read_table(tmp_path / "t.parquet"), pq.read_table(io.BytesIO(content))
    assert before.schema == after.schema
    pd.testing.assert_frame_equal(before.to_pandas(), after.to_pandas(), check_exact=True)
    assert (np.signbit(before["repeated"]) == np.signbit(after["repeated"])).all()
    assert len(content) < 0.95 * (tmp_path / "t.parquet").stat().st_size
    assert compact(str(tmp_path / "t.parquet")) == content
    spoilt = bytearray(content)
    spoilt[len(content) // 2] ^= 1
    (tmp_path / "spoilt.parquet").write_bytes(spoilt)
    with pytest.raises(UserError, match="damaged"):
        parquet.read(tmp_path / "spoilt.parquet")


def test_an_empty_table_is_packed_too(tmp_path):
    parquet.write(NUMBERS.head(0), tmp_path / "t.parquet")
    assert pq.read_table(io.BytesIO(compact(str(tmp_path / "t.parquet")))).num_rows == 0


def test_paths_are_written_as_snakemake_wants_them(monkeypatch):
    monkeypatch.setenv("HOME", "/home/a")
    assert [located(path) for path in ("./a b.zip", "x//y.zip", "~/z.zip")] == ["a b.zip", "x/y.zip", "/home/a/z.zip"]


def test_the_name_of_an_older_release_leads_to_the_folder(tmp_path):
    (tmp_path / "preview").mkdir()
    assert located(f"{tmp_path}/preview.zip") == f"{tmp_path}/preview"
    assert located(f"{tmp_path}/night.zip") == f"{tmp_path}/night.zip"
    (tmp_path / "preview.zip").touch()
    assert located(f"{tmp_path}/preview.zip") == f"{tmp_path}/preview.zip"
