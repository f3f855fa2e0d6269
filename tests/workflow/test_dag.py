"""The whole DAG at test scale: it finishes, does nothing a second time, and repeats its bytes."""

import json
import re

import pandas as pd
import pytest
import yaml

from scripts.tradeoffs.runs import grid, jobs_of
from tests.common.test_config import merged
from tests.workflow.conftest import ROOT, snakemake

RUNS = grid(merged("config.test.yaml")["tradeoffs"])


def planned(folder, *arguments, config="config.test.yaml") -> dict[str, int]:
    """Return how many jobs of each rule a dry run plans."""
    result = snakemake(folder, "--dry-run", "--quiet", "rules", *arguments, config=config)
    assert result.returncode == 0, result.stdout[-3000:]
    table = result.stdout.split("Job stats:")[-1] if "Job stats:" in result.stdout else ""
    return {name: int(count) for name, count in re.findall(r"^(\w+)\s+(\d+)$", table, re.M) if name != "total"}


def test_every_promised_file_is_there(study):
    results = study / "results/tradeoffs"
    for run in RUNS:
        for name in (f"models/{run}.safetensors", f"curves/{run}.parquet", f"predictions/{run}.parquet"):
            assert (results / name).exists(), name
    metrics = pd.read_parquet(results / "metrics.parquet")
    constants = {
        f"{protocol}.constant_{kind}" for protocol in ("as_published", "corrected") for kind in ("reject", "accept")
    }
    assert set(metrics["run"]) == {*RUNS, *constants}
    assert set(metrics["dataset"]) == {"rendered faces"}
    pictures = {path.stem for path in (results / "figures").glob("*.png")}
    assert {"fairness_frontier_plain", "robustness_frontier", "training_curves"} <= pictures
    assert all((results / f"figures/{name}.pdf").exists() for name in pictures)


def test_a_second_run_has_nothing_to_do(study):
    result = snakemake(study)
    assert result.returncode == 0 and "Nothing to be done" in result.stdout


def test_no_job_leaves_half_written_files_or_checkpoints(study):
    assert not list(study.rglob("*.part*"))
    assert not list((study / "results/tradeoffs/checkpoints").glob("*"))


def test_a_repeated_training_and_all_that_follows_have_the_same_bytes(workshop):
    results = workshop / "results/tradeoffs"
    run = next(run for run in RUNS if run.startswith("corrected") and ".adversarial" in run)
    files = [f"models/{run}.safetensors", f"models/{run}.json", f"curves/{run}.parquet", f"attacks/{run}.parquet"]
    files += [f"predictions/{run}.parquet", f"metrics/{run}.parquet", f"frontiers/{run}.parquet", "metrics.parquet"]
    before = {name: (results / name).read_bytes() for name in files}
    for name in files:
        (results / name).unlink()
    result = snakemake(workshop, *(f"results/tradeoffs/{name}" for name in files))
    assert result.returncode == 0, result.stdout[-3000:]
    assert [name for name in files if (results / name).read_bytes() != before[name]] == []


def test_a_trained_run_is_found_by_its_settings(study):
    from scripts.tradeoffs.models import load

    model, settings, metrics = load(study / "results/tradeoffs", protocol="corrected", arm="fair", seed=1)
    assert settings["fairness_weight"] == 0.5 and not model.training
    assert set(metrics["run"]) == {settings["run"]}


@pytest.mark.parametrize("name", ["config.yaml", "config.paper.yaml"])
def test_the_plan_has_one_training_per_run_of_the_grid(tmp_path, name):
    config = name
    if name == "config.paper.yaml":  # without its images, which a user downloads
        paper = yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) | {"faces": {"source": "rendered"}}
        config = tmp_path / "paper.yaml"
        config.write_text(yaml.safe_dump(paper), encoding="utf-8")
    jobs = planned(tmp_path, config=str(config))
    study = merged(name)["tradeoffs"]
    shared = len(jobs_of(grid(study), study))
    assert jobs["tradeoffs_train"] == jobs["tradeoffs_evaluate"] == shared
    assert jobs["tradeoffs_measure"] == shared + 2  # the constants of each protocol


def test_settings_beside_the_weights_say_how_they_were_made(study):
    for run, settings in RUNS.items():
        record = json.loads((study / f"results/tradeoffs/models/{run}.json").read_text(encoding="utf-8"))
        assert {key: record[key] for key in settings} == settings


def test_a_changed_setting_retrains_only_the_runs_that_it_touches(study, tmp_path):
    changed = yaml.safe_load((ROOT / "config.test.yaml").read_text(encoding="utf-8"))
    changed["tradeoffs"]["protocols"]["corrected"]["arms"]["fair"] = {"weight": [0.25]}
    overlay = tmp_path / "changed.yaml"
    overlay.write_text(yaml.safe_dump(changed), encoding="utf-8")
    jobs = planned(study, config=str(overlay))
    assert (jobs["tradeoffs_train"], jobs["tradeoffs_evaluate"]) == (1, 1)
    assert jobs["tradeoffs_measure"] == 1 and "render_faces" not in jobs and "tradeoffs_label" not in jobs


def test_the_manifest_names_every_data_file_model_and_prediction(study):
    """What the rules list must be all that there is: a file that a rule forgot to list would be missing here."""
    manifest = json.loads((study / "results/manifest.json").read_text(encoding="utf-8"))
    results = study / "results"
    aside = {"logs", "benchmarks", "figures"}
    data = {path for path in (results / "data").rglob("*") if path.is_file() and path.parts[-2] not in aside}
    data = {path.relative_to(study).as_posix() for path in data if not aside & {*path.relative_to(results).parts}}
    assert data - manifest["data_files"].keys() == set()
    kept = {
        path.relative_to(study).as_posix() for kind in ("models", "predictions") for path in results.glob(f"*/{kind}/*")
    }
    assert kept == manifest["hashes"].keys()
