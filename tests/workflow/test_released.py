"""From a finished run to a release, and from the release back to every figure and table, without training."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from rocrate.rocrate import ROCrate

from tests.workflow.conftest import snakemake
from tests.workflow.test_replanning import MEASURING, TRAINING, planned_jobs

RELEASE = "results/release/counterweight-release.zip"
SHOWN = ["*/figures/*.parquet", "*/tables/*", "claims.parquet"]


@pytest.fixture(scope="module")
def released(study, tmp_path_factory) -> Path:
    """A copy of the finished clone, with its release."""
    folder = tmp_path_factory.mktemp("released") / "clone"
    shutil.copytree(study, folder, symlinks=True)
    result = snakemake(folder, "release")
    assert result.returncode == 0, result.stdout[-3000:]
    return folder


def overlay(folder: Path, release: str) -> Path:
    """Write the config of a reader who has nothing but a release."""
    path = folder / "overlay.yaml"
    path.write_text(yaml.safe_dump({"released": release}))
    return path


@pytest.fixture(scope="module")
def reader(released, tmp_path_factory) -> Path:
    """A folder with a release and nothing else."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copy2(released / RELEASE, folder / "their release.zip")
    overlay(folder, "./their release.zip")
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


def test_a_release_is_made_once_and_always_of_the_same_bytes(released):
    assert "Nothing to be done" in snakemake(released, "release").stdout
    before = (released / RELEASE).read_bytes()
    (released / RELEASE).unlink()
    assert snakemake(released, "release").returncode == 0
    assert (released / RELEASE).read_bytes() == before


def test_a_release_holds_the_numbers_and_no_row_per_person(released):
    with zipfile.ZipFile(released / RELEASE) as archive:
        names = set(archive.namelist())
        tables = {name: pq.read_schema(io.BytesIO(archive.read(name))) for name in names if name.endswith(".parquet")}
        manifest = json.loads(archive.read("manifest.json"))
    assert names - tables.keys() == {"release.json", "manifest.json", "ro-crate-metadata.json"}
    assert {"claims.parquet", "tradeoffs/metrics.parquet", "tradeoffs/figures/three_way.parquet"} <= tables.keys()
    assert [name for name, schema in tables.items() if "row_id" in schema.names] == []
    assert manifest["released_files"].keys() == {f"results/{name}" for name in tables}
    assert any(name.endswith(".safetensors") for name in manifest["hashes"])
    assert any("/predictions/" in name for name in manifest["hashes"])
    assert "results/data/faces/images.npy" in manifest["data_files"]


def test_the_metadata_beside_the_results_name_every_released_file(released):
    crate = ROCrate(released / "results")
    manifest = json.loads((released / "results/manifest.json").read_text())
    for path, entry in manifest["released_files"].items():
        assert crate.get(path.removeprefix("results/"))["sha256"] == entry["sha256"], path
    times = manifest["run_times"]
    assert times["tradeoffs"]["tradeoffs_train"]["jobs"] == 6 and times["data"]["render_faces"]["seconds"] > 0
    assert manifest["seeds"]["faces"] == {"seed": 1306}
    assert manifest["seeds"]["tradeoffs"] == {"label_seed": 1306, "seeds": [1]}


def test_from_a_release_nothing_is_fetched_trained_or_measured(reader):
    jobs = planned_jobs(reader, reader / "overlay.yaml")
    drawing = {name for name in jobs if re.search("figure|table", name)}
    assert drawing >= {"tradeoffs_figure_fairness", "tradeoffs_tables", "figure_claims"}
    assert jobs.keys() - drawing == {"claims", "unpack_release", "manifest", "report"}
    assert not jobs.keys() & (TRAINING | MEASURING)


def test_redrawn_numbers_tables_and_claims_have_the_same_bytes(redrawn, released):
    found, expected = shown(redrawn), shown(released)
    assert found.keys() == expected.keys() and len(found) > 20
    assert [name for name in expected if found[name] != expected[name]] == []
    assert not (redrawn / "results/data").exists() and not (redrawn / "results/tradeoffs/models").exists()
    assert "Nothing to be done" in snakemake(redrawn, "figures", config=redrawn / "overlay.yaml").stdout


def test_a_redrawn_manifest_is_that_of_the_release_and_names_it(redrawn, released):
    found, expected = (json.loads((folder / "results/manifest.json").read_text()) for folder in (redrawn, released))
    assert found.pop("redrawn_from")["archive"] == "their release.zip"
    assert expected.pop("redrawn_from") is None
    assert found == expected


def refusal(folder: Path, config: Path) -> str:
    """Return the one line by which a release is refused before anything is planned."""
    result = snakemake(folder, "figures", config=config)
    lines = [line for line in result.stdout.splitlines() if line.startswith("Error: ")]
    assert result.returncode == 1 and len(lines) == 1 and "Traceback" not in result.stdout, result.stdout[-3000:]
    assert not (folder / "results").exists()
    return lines[0]


def test_a_damaged_release_is_refused_by_the_name_of_its_member(released, tmp_path):
    content = bytearray((released / RELEASE).read_bytes())
    with zipfile.ZipFile(released / RELEASE) as archive:
        member = archive.getinfo("tradeoffs/metrics.parquet")
    content[member.header_offset + 30 + len(member.filename) + member.file_size // 2] ^= 1
    (tmp_path / "bad.zip").write_bytes(content)
    line = refusal(tmp_path, overlay(tmp_path, "bad.zip"))
    assert line.startswith("Error: bad.zip: 'tradeoffs/metrics.parquet' is damaged") and "get the release again" in line


def test_a_release_of_another_version_is_refused(released, tmp_path):
    with zipfile.ZipFile(released / RELEASE) as archive:
        about = json.loads(archive.read("release.json")) | {"format": 7}
    with zipfile.ZipFile(tmp_path / "next.zip", "w") as archive:
        archive.writestr("release.json", json.dumps(about))
    line = refusal(tmp_path, overlay(tmp_path, "next.zip"))
    assert "a release of another version: format 7, this workflow reads 1" in line


def test_a_missing_release_is_named(tmp_path):
    assert "nowhere.zip: no such release" in refusal(tmp_path, overlay(tmp_path, "nowhere.zip"))
