"""Runs that share a job: the same numbers as alone, and none twice after a kill."""

import json

import pandas as pd
import pytest
import torch

from scripts.common import parquet
from scripts.common.parquet import join
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import attributes_of
from scripts.common.weights import read_state
from scripts.tradeoffs import tradeoffs_evaluate, tradeoffs_train
from scripts.tradeoffs.models import find, load
from scripts.tradeoffs.runs import grid, jobs_of
from scripts.tradeoffs.tradeoffs_evaluate import evaluate
from tests.common.test_config import merged
from tests.tradeoffs.test_train import folder, settings, train_job  # noqa: F401 -- a fixture

RUNS = ["a", "b", "c"]
PART = {"eps": 0.05, "norm": "linf"}
ROBUSTNESS = {
    "images": 20,
    "batch_size": 32,
    "threats": [PART],
    "attacks": [{"attack": "apgd", "iterations": 3, "restarts": 1}, {"attack": "square", "queries": 3}],
    "published_iterations": 3,
    "check_images": 8,
    "check_eps": [0.01, 0.02],
    "check_large_eps": 0.9,
    "square_surplus": 1,
}


class Killed(Exception):
    pass


@pytest.fixture
def runs():
    return [settings(run=name, seed=seed, epochs=2) for seed, name in enumerate(RUNS, 1)]


def evaluate_job(folder, runs, name):  # noqa: F811
    faces, out = folder / "results/data/faces", folder / "results/tradeoffs"
    evaluate(
        *(str(faces / "images.npy"), str(faces / "index.parquet"), str(out / "splits/corrected.parquet")),
        *(str(out / f"models/{name}.safetensors"), runs, ["valid", "test"], ROBUSTNESS),
        *(str(out / f"{kind}/{name}.parquet") for kind in ("predictions", "attacks")),
        str(out / f"checkpoints/evaluate.{name}"),
    )


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_every_run_is_in_one_job_with_runs_of_its_protocol_and_network(size):
    study = merged()["tradeoffs"]
    study = study | {"networks": ["small_cnn", "medium_cnn"], "training": study["training"] | {"runs_per_job": size}}
    every = grid(study)
    jobs = jobs_of(every, study)
    assert sorted(run for names in jobs.values() for run in names) == sorted(every)
    for name, names in jobs.items():
        assert 1 <= len(names) <= size
        assert len({(every[run]["protocol"], every[run]["network"]) for run in names}) == 1
        assert size > 1 or [name] == names
    assert list(jobs_of(every, study)) == list(jobs)


def test_a_protocol_may_share_jobs_by_itself():
    study = merged()["tradeoffs"]
    protocols = study["protocols"]
    own = protocols | {"corrected": protocols["corrected"] | {"training": {"runs_per_job": 3}}}
    study = study | {"protocols": own, "training": study["training"] | {"runs_per_job": 1}}
    sizes = {len(names) for job, names in jobs_of(grid(study), study).items() if job.startswith("as_published")}
    assert sizes == {1} and "corrected.small_cnn.job1" in jobs_of(grid(study), study)
    assert all("runs_per_job" not in run for run in grid(study).values())


def test_runs_that_share_a_job_are_the_same_as_alone(folder, runs):  # noqa: F811
    out = folder / "results/tradeoffs"
    for run in runs:
        train_job(folder, [run], run["run"])
        evaluate_job(folder, [run], run["run"])
    train_job(folder, runs, "together")
    evaluate_job(folder, runs, "together")
    for run in RUNS:
        alone = read_state(out / f"models/{run}.safetensors")[0]
        shared = read_state(out / "models/together.safetensors", run)[0]
        assert alone.keys() == shared.keys()
        assert all(torch.equal(alone[name], shared[name]) for name in alone)
    together = json.loads((out / "models/together.json").read_text(encoding="utf-8"))
    assert together == [json.loads((out / f"models/{run}.json").read_text(encoding="utf-8")) for run in RUNS]
    for kind in ("curves", "predictions", "attacks"):
        join([out / f"{kind}/{run}.parquet" for run in RUNS], out / f"{kind}/joined.parquet")
        frames = [parquet.read(out / f"{kind}/{name}.parquet") for name in ("joined", "together")]
        pd.testing.assert_frame_equal(*frames)
    assert (out / "predictions/together.parquet").read_bytes() == (out / "predictions/joined.parquet").read_bytes()
    assert attributes_of(out / "predictions/together.parquet") == ["male"]
    assert not list((out / "checkpoints").glob("*"))


def test_a_run_of_a_shared_job_is_found_by_its_settings(folder, runs):  # noqa: F811
    out = folder / "results/tradeoffs"
    train_job(folder, runs, "together")
    metrics = pd.concat([pd.DataFrame({name: ["0"] for name in METRICS.names}).assign(run=run) for run in RUNS])
    numbers = {field.name: 0 for field in METRICS if str(field.type) not in ("string", "large_string")}
    words = {"metric": "accuracy", "condition": "", "interval": "wilson"}
    parquet.write(metrics.assign(**numbers, **words), out / "metrics/together.parquet", METRICS)
    model, own, table = load(out, seed=2)
    assert own["run"] == "b" and table["run"].tolist() == ["b"] and not model.training
    stored = read_state(out / "models/together.safetensors", "b")[0]
    assert all(torch.equal(value, stored[name]) for name, value in model.state_dict().items())
    assert [settings["run"] for settings in find(out)] == RUNS


def test_a_killed_job_keeps_its_finished_runs(folder, runs, monkeypatch):  # noqa: F811
    train_job(folder, runs, "whole")
    evaluate_job(folder, runs, "whole")
    real, steps = tradeoffs_train.step_loss, []

    def counted(model, data, own, die=False):
        loss = real(model, data, own)

        def one(epoch, step, indices):
            steps.append(own["run"])
            if die and (own["run"], epoch, step) == ("b", 1, 2):
                raise Killed
            return loss(epoch, step, indices)

        return one

    monkeypatch.setattr(tradeoffs_train, "step_loss", lambda *given: counted(*given, die=True))
    with pytest.raises(Killed):
        train_job(folder, runs, "killed")
    steps.clear()
    monkeypatch.setattr(tradeoffs_train, "step_loss", counted)
    train_job(folder, runs, "killed")
    assert "a" not in steps and steps.count("b") == steps.count("c") / 2  # only the epoch that was broken off
    attack, attacked = tradeoffs_evaluate.attack, []

    def dying(model, data, run, robustness):
        attacked.append(run)
        if attacked == ["a", "b"]:
            raise Killed
        return attack(model, data, run, robustness)

    monkeypatch.setattr(tradeoffs_evaluate, "attack", dying)
    with pytest.raises(Killed):
        evaluate_job(folder, runs, "killed")
    evaluate_job(folder, runs, "killed")
    assert attacked == ["a", "b", "b", "c"]
    for kind, ending in (("models", "safetensors"), ("models", "json"), ("curves", "parquet")):
        whole, killed = (folder / f"results/tradeoffs/{kind}/{name}.{ending}" for name in ("whole", "killed"))
        assert whole.read_bytes() == killed.read_bytes()
    for kind in ("predictions", "attacks"):
        whole, killed = (folder / f"results/tradeoffs/{kind}/{name}.parquet" for name in ("whole", "killed"))
        assert whole.read_bytes() == killed.read_bytes()
    assert not list((folder / "results/tradeoffs/checkpoints").glob("*"))


def test_what_was_evaluated_of_other_weights_is_not_taken(folder, runs, monkeypatch):  # noqa: F811
    train_job(folder, runs[:2], "job")
    attack = tradeoffs_evaluate.attack

    def dying(model, data, run, robustness):
        if run == "b":
            raise Killed
        return attack(model, data, run, robustness)

    monkeypatch.setattr(tradeoffs_evaluate, "attack", dying)
    with pytest.raises(Killed):
        evaluate_job(folder, runs[:2], "job")
    monkeypatch.setattr(tradeoffs_evaluate, "attack", attack)
    others = [own | {"epochs": 1} for own in runs[:2]]
    for name in ("job", "fresh"):
        train_job(folder, others, name)
        evaluate_job(folder, others, name)
    out = folder / "results/tradeoffs/attacks"
    assert (out / "job.parquet").read_bytes() == (out / "fresh.parquet").read_bytes()
