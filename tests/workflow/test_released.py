"""From a finished run to releases, and from the releases back to every figure and table, without training."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from scripts.common.studies import released_paths, study_names
from scripts.provenance.crate import files_of
from tests.workflow.conftest import snakemake
from tests.workflow.test_replanning import CLAIMS, MEASURING, TRAINING, planned_jobs

FOLDER = "results/release"
TRADEOFFS = f"{FOLDER}/tradeoffs.zip"
SHOWN = ["*/figures/*.parquet", "*/tables/*", "claims.parquet"]


@pytest.fixture(scope="module")
def released(study, tmp_path_factory) -> Path:
    """A copy of the finished clone, with its releases."""
    folder = tmp_path_factory.mktemp("released") / "clone"
    shutil.copytree(study, folder, symlinks=True)
    result = snakemake(folder, "release")
    assert result.returncode == 0, result.stdout[-3000:]
    return folder


def overlay(folder: Path, release: str) -> Path:
    """Write the config of a reader who has nothing but a release."""
    path = folder / "overlay.yaml"
    path.write_text(yaml.safe_dump({"released": release}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def reader(released, tmp_path_factory) -> Path:
    """A folder with releases and nothing else."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(released / FOLDER, folder / "their releases")
    overlay(folder, "./their releases/")
    return folder


@pytest.fixture(scope="module")
def redrawn(reader, released) -> Path:
    """The same folder after `make figures`, with the rules of the clone that the release was made with."""
    result = snakemake(reader, "figures", config=reader / "overlay.yaml")
    assert result.returncode == 0, result.stdout[-3000:]
    return reader


def shown(folder: Path) -> dict[str, bytes]:
    """Return the bytes of plotted numbers, tables and claims."""
    results = folder / "results"
    files = sorted(path for pattern in SHOWN for path in results.glob(pattern))
    return {path.relative_to(results).as_posix(): path.read_bytes() for path in files if "released" not in path.parts}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / FOLDER).iterdir()}


def test_a_release_is_made_once_and_always_of_the_same_bytes(released):
    assert "Nothing to be done" in snakemake(released, "release").stdout
    before = contents(released)
    assert before.keys() == {f"{study}.zip" for study in study_names(released)}
    for name in before:
        (released / FOLDER / name).unlink()
    assert snakemake(released, "release").returncode == 0
    assert contents(released) == before


def test_a_release_holds_the_numbers_of_one_study_and_no_row_per_person(released):
    for study in study_names(released):
        with zipfile.ZipFile(released / FOLDER / f"{study}.zip") as archive:
            names = set(archive.namelist())
            tables = {name: pq.read_table(io.BytesIO(archive.read(name))) for name in names if "/" in name}
            about = json.loads(archive.read("release.json"))
            files = files_of(json.loads(archive.read("ro-crate-metadata.json")))
        assert names - tables.keys() == {"release.json", "ro-crate-metadata.json"}
        expected = [path.removeprefix("results/") for path in released_paths(study, released)]
        assert tables.keys() == set(expected) == files.keys() - {name for name in files if name.startswith("results/")}
        assert [name for name, table in tables.items() if "row_id" in table.column_names] == []
        for name, table in tables.items():  # the same rows in fewer bytes
            assert table.to_pandas().equals(pd.read_parquet(released / "results" / name)), name
        assert about["files"].keys() == names - {"release.json"} and about["run"]["run_times"], study
        assert any(f"results/{study}/" in name for name in files)
    assert about["settings"].keys() == {"tradeoffs", "faces", "gpu"} and study == "tradeoffs"
    assert about["run"]["run_times"]["tradeoffs_train"]["jobs"] == 6
    assert {"results/data/faces/images.npy", "results/data/celeba/attributes.parquet"} <= files.keys()
    assert any(name.endswith(".safetensors") for name in files) and any("/predictions/" in name for name in files)
    assert not any("/income/" in name or "/logs/" in name for name in files)


def test_the_manifest_beside_the_results_tells_of_the_whole_run(released):
    manifest = json.loads((released / "results/manifest.json").read_text(encoding="utf-8"))
    expected = {path for study in study_names(released) for path in released_paths(study, released)}
    assert manifest["released_files"].keys() == expected
    times = manifest["run_times"]
    assert times["tradeoffs"]["tradeoffs_train"]["jobs"] == 6 and times["data"]["render_faces"]["seconds"] > 0
    assert manifest["seeds"]["faces"] == {"seed": 1306}
    assert manifest["seeds"]["tradeoffs"] == {"label_seed": 1306, "seeds": [1]}
    assert "results/data/faces/images.npy" in manifest["data_files"]


def test_from_a_release_nothing_is_fetched_trained_or_measured(reader):
    jobs = planned_jobs(reader, reader / "overlay.yaml")
    drawing = {name for name in jobs if re.search("draw|figure", name)}
    assert drawing >= {"tradeoffs_draw", "tradeoffs_figure_three_way", "claims_draw"}
    assert jobs.keys() - drawing == {"claims", "unpack_release", "manifest", "report"}
    assert not jobs.keys() & (TRAINING | MEASURING)


def test_redrawn_numbers_tables_and_claims_have_the_same_bytes(redrawn, released):
    found, expected = shown(redrawn), shown(released)
    assert found.keys() == expected.keys() and len(found) > 20
    assert [name for name in expected if found[name] != expected[name]] == []
    assert not (redrawn / "results/data").exists() and not (redrawn / "results/tradeoffs/models").exists()
    assert "Nothing to be done" in snakemake(redrawn, "figures", config=redrawn / "overlay.yaml").stdout


def test_a_redrawn_manifest_is_that_of_the_run_and_names_the_releases(redrawn, released):
    found, expected = (
        json.loads((folder / "results/manifest.json").read_text(encoding="utf-8")) for folder in (redrawn, released)
    )
    assert found["redrawn_from"]["archives"].keys() == set(study_names(released))
    assert found["redrawn_from"]["archives"]["income"]["archive"] == "income.zip"
    assert found.keys() == expected.keys()
    for key in ("project_version", "python", "packages", "hardware", "settings", "seeds"):
        assert found[key] == expected[key], key
    assert found["run_times"] == {study: expected["run_times"][study] for study in study_names(released)}
    assert found["hashes"].items() >= expected["hashes"].items()


def test_one_zip_redraws_one_study(released, tmp_path):
    shutil.copy2(released / FOLDER / "income.zip", tmp_path)
    jobs = planned_jobs(tmp_path, overlay(tmp_path, "income.zip"))
    own = {"income_draw"}
    assert jobs.keys() == own | CLAIMS | {"unpack_release", "manifest", "report"}


def refusal(folder: Path, config: Path) -> str:
    """Return the one line by which a release is refused before anything is planned."""
    result = snakemake(folder, "figures", config=config)
    lines = [line for line in result.stdout.splitlines() if line.startswith("Error: ")]
    assert result.returncode == 1 and len(lines) == 1 and "Traceback" not in result.stdout, result.stdout[-3000:]
    assert not (folder / "results").exists()
    return lines[0]


def test_a_damaged_release_is_refused_by_the_name_of_its_member(released, tmp_path):
    shutil.copytree(released / FOLDER, tmp_path / "bad")
    content = bytearray((released / TRADEOFFS).read_bytes())
    with zipfile.ZipFile(released / TRADEOFFS) as archive:
        member = archive.getinfo("tradeoffs/metrics.parquet")
    content[member.header_offset + 30 + len(member.filename) + member.file_size // 2] ^= 1
    (tmp_path / "bad/tradeoffs.zip").write_bytes(content)
    line = refusal(tmp_path, overlay(tmp_path, "bad"))
    assert line.startswith("Error: bad/tradeoffs.zip: 'tradeoffs/metrics.parquet' is damaged")
    assert "get the release again" in line


def test_a_release_of_another_version_is_refused(released, tmp_path):
    with zipfile.ZipFile(released / TRADEOFFS) as archive:
        about = json.loads(archive.read("release.json")) | {"format": 1}
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.writestr("release.json", json.dumps(about))
    line = refusal(tmp_path, overlay(tmp_path, "old.zip"))
    assert "a release of another version: format 1, this workflow reads 2" in line


def test_a_missing_release_and_an_empty_folder_are_named(tmp_path):
    assert "nowhere.zip: no such release" in refusal(tmp_path, overlay(tmp_path, "nowhere.zip"))
    (tmp_path / "empty").mkdir()
    assert "empty: no release in this folder" in refusal(tmp_path, overlay(tmp_path, "empty"))
