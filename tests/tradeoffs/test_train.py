"""Training from the command line: killed and resumed, overridden, misused; and what a trained run is."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.schemas.metrics import METRICS
from scripts.tradeoffs.images import load_split
from scripts.tradeoffs.models import find, load, load_model
from scripts.tradeoffs.tradeoffs_evaluate import margins, predict
from scripts.tradeoffs.tradeoffs_train import epoch_batches, learning_rate, train
from tests.common.test_config import merged

ROOT = Path(__file__).parents[2]
ROWS = 400
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    """A folder with a small image array in which brightness tells the label."""
    generator = np.random.default_rng(0)
    label = generator.integers(0, 2, ROWS).astype(np.int8)
    images = generator.integers(0, 120, (ROWS, 64, 64, 3)) + 100 * label[:, None, None, None]
    faces = tmp_path / "results/data/faces"
    faces.mkdir(parents=True)
    np.save(faces / "images.npy", images.astype(np.uint8))
    row_id = np.arange(1, ROWS + 1)
    parquet.write(pd.DataFrame({"row_id": row_id, "position": row_id - 1}), faces / "index.parquet")
    split = np.where(row_id <= 256, "train", np.where(row_id <= 320, "valid", "test"))
    frame = {"row_id": row_id, "split": split, "label": label, "male": (row_id % 2).astype(np.int8)}
    parquet.write(pd.DataFrame(frame), tmp_path / "results/tradeoffs/splits/corrected.parquet")
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "scripts.tradeoffs.single", "--set", "epochs=3", "batch_size=16", *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command(*arguments), cwd=folder, env=environment, capture_output=True, encoding="utf-8")


def settings(**changes) -> dict:
    study = merged()["tradeoffs"]
    fixed = {"run": "a", "protocol": "corrected", "network": "small_cnn", "arm": "plain", "seed": 1, "method": "plain"}
    fixed |= {"train_eps": 0.0, "fairness_weight": 0.0, "train_attack": "none", "select": "validation"}
    training = {key: value for key, value in study["training"].items() if key != "runs_per_job"}
    return {**training, **fixed, "epochs": 2, "batch_size": 32, **changes}


def train_job(folder: Path, runs: list[dict], name: str = "a") -> list[dict]:
    faces, out = folder / "results/data/faces", folder / "results/tradeoffs"
    return train(
        str(faces / "images.npy"),
        str(faces / "index.parquet"),
        str(out / "splits/corrected.parquet"),
        runs,
        str(out / f"models/{name}.safetensors"),
        str(out / f"curves/{name}.parquet"),
        str(out / f"models/{name}.json"),
        str(out / f"checkpoints/{name}"),
    )


def train_in(folder: Path, **changes) -> dict:
    return train_job(folder, [settings(**changes)])[0]


def test_a_training_killed_in_its_middle_ends_with_the_same_weights(folder):
    arguments = ("--arm", "adversarial", "--eps", "0.01")
    whole = run(folder, *arguments, "--out", "whole")
    assert whole.returncode == 0, whole.stderr
    name = "corrected.small_cnn.adversarial.eps0.01.seed1"
    process = subprocess.Popen(
        command(*arguments, "--out", "killed"), cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    checkpoints = folder / "killed" / f"{name}.checkpoints"
    while not list(checkpoints.glob("epoch_*.safetensors")):
        assert process.poll() is None, "the training ended before its first checkpoint"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "killed" / f"{name}.safetensors").exists()
    resumed = run(folder, *arguments, "--out", "killed")
    assert "resumed after epoch" in resumed.stderr
    for ending in ("safetensors", "json", "curve.parquet"):
        assert (folder / f"whole/{name}.{ending}").read_bytes() == (folder / f"killed/{name}.{ending}").read_bytes()
    assert not checkpoints.exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--set", "epoch=3"), "epoch=3"),
        (("--set", "epochs=many"), "epochs"),
        (("--arm", "adversarial"), "needs --eps"),
        (("--arm", "plain", "--eps", "0.1"), "does not take --eps"),
        (("--network", "vgg"), "no network 'vgg'"),
        (("--gpu", "1"), "no CUDA device"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(folder, arguments, word):
    if "--gpu" in arguments and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    result = run(folder, *arguments)
    lines = result.stderr.strip().splitlines()
    assert result.returncode == 1 and len(lines) == 1 and word in lines[0], result.stderr
    assert not (folder / "results/tradeoffs/single").exists()


def test_no_images_is_one_line(tmp_path):
    result = run(tmp_path)
    assert result.returncode == 1 and result.stderr.startswith("Error: results/data/faces/images.npy: no images yet")


def test_a_loss_that_is_not_finite_names_run_step_and_checkpoint(folder):
    with pytest.raises(UserError, match=r"^a: the loss became (nan|inf) by step \d+ of epoch \d.*checkpoint is kept"):
        train_in(folder, learning_rate=1e30, optimizer="sgd", schedule="steps")
    assert not (folder / "results/tradeoffs/models").exists()


def test_a_run_learns_and_is_found_by_its_settings(folder):
    record = train_in(folder, epochs=4, learning_rate=0.002)
    out = folder / "results/tradeoffs"
    assert record["selected_epoch"] in (1, 2, 3, 4) and record["train_rows"] == 256
    model = load_model(out / "models/a.safetensors", "small_cnn")
    faces = folder / "results/data/faces"
    data = load_split(faces / "images.npy", faces / "index.parquet", out / "splits/corrected.parquet", "test", CPU)
    found = predict(model, {"test": data}, "a")
    assert (found["y_pred"] == found["y_true"]).mean() > 0.9
    assert found["score"].to_numpy() == pytest.approx(margins(model, data).numpy())
    assert (found["y_pred"] == (found["score"] > 0)).all() and set(found["row_id"]) == set(range(321, 401))
    parquet.write(pd.DataFrame({name: [] for name in METRICS.names}), out / "metrics/a.parquet", METRICS)
    again, loaded, _ = load(out, network="small_cnn", seed=1)
    assert loaded == json.loads((out / "models/a.json").read_text(encoding="utf-8"))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    assert find(out, seed=2) == []
    with pytest.raises(UserError, match="0 runs"):
        load(out, seed=2)


def test_two_trainings_give_the_same_bytes(folder):
    train_in(folder, train_attack="fgsm_random_start", train_eps=0.01, augmentation=["flip", "autoaugment"])
    weights = folder / "results/tradeoffs/models/a.safetensors"
    first = weights.read_bytes()
    train_in(folder, train_attack="fgsm_random_start", train_eps=0.01, augmentation=["flip", "autoaugment"])
    assert weights.read_bytes() == first


def test_weights_of_another_network_are_refused(folder):
    train_in(folder, epochs=1)
    with pytest.raises(UserError, match="no weights of medium_cnn"):
        load_model(folder / "results/tradeoffs/models/a.safetensors", "medium_cnn")


def test_batches_depend_on_seed_and_epoch_and_drop_the_rest():
    first = epoch_batches(100, 32, seed=1, epoch=0)
    assert [len(batch) for batch in first] == [32, 32, 32]
    assert torch.equal(torch.cat(first), torch.cat(epoch_batches(100, 32, seed=1, epoch=0)))
    assert not torch.equal(torch.cat(first), torch.cat(epoch_batches(100, 32, seed=1, epoch=1)))
    assert len(torch.cat(first).unique()) == 96
    assert [len(batch) for batch in epoch_batches(10, 32, seed=1, epoch=0)] == [10]


def test_the_published_schedule_drops_at_epochs_3_5_and_8_of_10():
    rate = learning_rate(
        {"schedule": "steps", "learning_rate": 0.1, "epochs": 10, "learning_rate_drops": [0.3, 0.5, 0.8]}
    )
    rates = [rate(epoch, 0.5) for epoch in range(10)]
    assert rates == pytest.approx([0.1] * 3 + [0.01] * 2 + [0.001] * 3 + [0.0001] * 2)


def test_one_cycle_rises_to_its_highest_rate_and_ends_near_zero():
    rate = learning_rate({"schedule": "one_cycle", "learning_rate": 0.4, "epochs": 10, "learning_rate_drops": []})
    rates = [rate(epoch, share) for epoch in range(10) for share in (0, 0.5)]
    assert max(rates) == pytest.approx(0.4) and rates.index(max(rates)) == 6
    assert rates[0] < 0.01 and rates[-1] < 0.01 and sorted(rates[6:], reverse=True) == rates[6:]
