"""The training loop: resume gives the same weights, NaN stops it, damaged checkpoints are skipped."""

import logging

import pytest
import torch
from torch import nn

from scripts.common.checkpoints import Checkpoints, Progress
from scripts.common.device import choose_device, generator
from scripts.common.errors import UserError
from scripts.common.training import fit

X = torch.randn(64, 5, generator=torch.Generator().manual_seed(1))
Y = (X[:, 0] > 0).long()


class Interrupted(Exception):
    pass


def start(
    folder,
    epochs=6,
    stop_at=None,
    rate=0.1,
    validate=None,
    fingerprint="a",
    poison_at=None,
    adam=False,
    every=None,
    keep=False,
    seen=None,
):
    """Train a small network for some epochs; optionally break off in the middle of one."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    if adam:
        optimizer = torch.optim.AdamW(model.parameters(), lr=rate)

    def loss(epoch, step, indices):
        (seen if seen is not None else []).append((epoch, step))
        if (epoch, step) == stop_at:
            raise Interrupted
        noise = torch.randn(len(indices), 5, generator=generator(torch.device("cpu"), "noise", epoch, step))
        loss = nn.functional.cross_entropy(model(X[indices] + 0.1 * noise), Y[indices])
        return loss * float("nan") if (epoch, step) == poison_at else loss

    progress = fit(
        model,
        optimizer,
        epochs,
        lambda epoch: torch.randperm(64, generator=torch.Generator().manual_seed(epoch)).split(16),
        loss,
        lambda epoch, share: rate,
        Checkpoints(folder, fingerprint),
        validate(model) if validate else None,
        every=every,
        keep_finished=keep,
    )
    return model.state_dict(), progress


def equal(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("adam", [False, True])
@pytest.mark.parametrize("stop_at", [(0, 2), (1, 0), (3, 3), (5, 1)])
def test_a_broken_off_training_ends_with_the_same_weights(tmp_path, stop_at, adam):
    whole, progress = start(tmp_path / "whole", adam=adam)
    with pytest.raises(Interrupted):
        start(tmp_path / "broken", stop_at=stop_at, adam=adam)
    resumed, again = start(tmp_path / "broken", adam=adam)
    assert equal(whole, resumed)
    assert progress == again


@pytest.mark.parametrize("adam", [False, True])
def test_a_training_goes_on_in_the_middle_of_an_epoch(tmp_path, adam):
    whole, progress = start(tmp_path / "whole", adam=adam)
    with pytest.raises(Interrupted):
        start(tmp_path / "broken", stop_at=(3, 3), adam=adam, every=2)
    assert sorted(path.name for path in (tmp_path / "broken").iterdir())[-1] == "epoch_00003_step_0000002.safetensors"
    seen = []
    resumed, again = start(tmp_path / "broken", adam=adam, every=2, seen=seen)
    assert seen[:3] == [(3, 2), (3, 3), (4, 0)]
    assert equal(whole, resumed) and progress == again


def test_a_finished_training_that_is_kept_takes_no_step_again(tmp_path):
    whole, progress = start(tmp_path, keep=True)
    seen = []
    again, same = start(tmp_path, keep=True, seen=seen)
    assert seen == [] and equal(whole, again) and progress == same


def test_checkpoints_too_soon_after_another_are_left_out(tmp_path):
    checkpoints = Checkpoints(tmp_path, "a", seconds=1000.0)
    assert checkpoints.save(Progress(1), {"model.w": torch.ones(2)}) is None and checkpoints.load() is None
    checkpoints.last -= 1001
    assert checkpoints.save(Progress(1), {"model.w": torch.ones(2)}).exists()


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, caplog):
    whole, _ = start(tmp_path / "whole")
    with pytest.raises(Interrupted):
        start(tmp_path / "broken", stop_at=(4, 0))
    newest = sorted((tmp_path / "broken").iterdir())[-1]
    newest.write_bytes(newest.read_bytes()[:100])
    logging.getLogger("counterweight").propagate = True
    with caplog.at_level(logging.WARNING, "counterweight"):
        resumed, _ = start(tmp_path / "broken")
    assert newest.name in caplog.text and "damaged" in caplog.text
    assert equal(whole, resumed)


def test_a_checkpoint_of_other_settings_is_not_used(tmp_path):
    with pytest.raises(Interrupted):
        start(tmp_path, stop_at=(4, 0), rate=0.5)
    other, _ = start(tmp_path, fingerprint="b")
    whole, _ = start(tmp_path / "whole", fingerprint="b")
    assert equal(whole, other)


def test_nan_names_the_step_and_keeps_the_checkpoint(tmp_path):
    with pytest.raises(UserError, match=r"loss became nan by step 1 of epoch 2.*kept in"):
        start(tmp_path, poison_at=(1, 0))
    assert [path.name for path in tmp_path.iterdir()] == ["epoch_00001.safetensors"]


def test_the_epoch_with_the_lowest_validation_objective_is_kept(tmp_path):
    seen = []

    def validate(model):
        def numbers():
            seen.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
            return {"valid_objective": abs(len(seen) - 3.0)}

        return numbers

    weights, progress = start(tmp_path, validate=validate)
    assert progress.best_epoch == 3
    assert equal(weights, seen[2])
    with pytest.raises(Interrupted):
        seen.clear()
        start(tmp_path / "broken", stop_at=(4, 1), validate=validate)
    resumed, again = start(tmp_path / "broken", validate=validate)
    assert again.best_epoch == 3 and equal(weights, resumed)


def test_two_checkpoints_are_kept_and_cleared(tmp_path):
    with pytest.raises(Interrupted):
        start(tmp_path, stop_at=(5, 0))
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["epoch_00004.safetensors", "epoch_00005.safetensors"]
    Checkpoints(tmp_path, "a").clear()
    assert not tmp_path.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_an_error_and_not_a_cpu_run():
    with pytest.raises(UserError, match="no CUDA device"):
        choose_device(gpu=1, threads=1)
