"""The benchmark compares like with like and returns sound rows. No test says how fast anything is."""

import copy
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from scripts.common import timing
from scripts.common.attacks import attack_ensemble, pgd
from scripts.common.device import choose_device, generator
from scripts.common.errors import UserError
from scripts.data.decoding import downscale
from scripts.tradeoffs.bench import gpu, reference
from scripts.tradeoffs.bench.material import kilobytes, prepare
from scripts.tradeoffs.bench.speed import Size, bench, dry_run
from scripts.tradeoffs.bench.training import SETTINGS, epoch_of, unfused_loss, with_attack
from scripts.tradeoffs.images import load_split, to_float
from scripts.tradeoffs.networks import build
from scripts.tradeoffs.tradeoffs_train import augment, optimizer_of, step_loss

PLAN = ({"attack": "apgd", "iterations": 5}, {"attack": "fab", "iterations": 3}, {"attack": "square", "queries": 10})
TINY = Size(distinct=16, copies=8, photographs=4, repeats=1, workers=0, adversarial_images=16, training_epochs=1)
TINY = Size(**{**TINY.__dict__, "attacked": 8, "plan": PLAN})
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("bench") / "drawn", distinct=16, copies=2)


@pytest.fixture(scope="module")
def data(material):
    choose_device(0, 1)
    return load_split(str(material.array), str(material.index), str(material.splits), "train", CPU)


@pytest.fixture
def model():
    return build("small_cnn", 1).to(memory_format=torch.channels_last)


@pytest.fixture(scope="module")
def benchmark(material, tmp_path_factory):
    """The files of a whole run at tiny size, with drawn JPEGs in place of photographs."""
    folder = tmp_path_factory.mktemp("results")
    with zipfile.ZipFile(folder / "photographs.zip", "w") as archive:
        for path in material.paths[:4]:
            archive.write(path, path.name)
    bench(str(folder / "speed.parquet"), str(folder / "speed"), str(folder / "photographs.zip"), sys.executable, TINY)
    return folder


def test_every_comparison_is_a_row_with_a_positive_finite_ratio(benchmark):
    frame = pd.read_parquet(benchmark / "speed.parquet")
    assert list(frame.columns) == timing.COLUMNS
    counts = frame["what"].value_counts()
    assert counts["decode and downscale"] == 2 and counts["evaluation by three attacks"] == 2
    expected = {"plain epoch, by the clock", "plain epoch, CPU time", "planning the paper-scale workflow"}
    expected |= {f"{attack} epoch over a plain one" for attack in ("fgsm_random_start", "pgd_2", "published_apgd")}
    assert expected | {"PGD-2 epoch, unfused attack over ours"} <= set(counts.index)
    numbers = frame[["ours", "reference", "ratio", "ratio_low", "ratio_high"]].to_numpy()
    assert np.isfinite(numbers).all() and (numbers > 0).all()
    assert (frame["ratio_low"] <= frame["ratio"]).all() and (frame["ratio"] <= frame["ratio_high"]).all()
    assert frame["met"].isna().equals(frame["goal"] == "")


def test_the_table_names_what_was_not_run(benchmark):
    text = (benchmark / "speed.md").read_text(encoding="utf-8")
    assert ("torch sees no CUDA device" in text) is not torch.cuda.is_available()
    assert "none are at hand" not in text
    assert (benchmark / "speed.csv").exists() and (benchmark / "speed.tex").exists()


def test_works_take_turns_after_a_warm_up():
    calls = []
    works = {name: lambda name=name: calls.append(name) for name in "ab"}
    costs = timing.interleave(works, 2)
    assert "".join(calls) == "ab" + "abab" and [len(series) for series in costs.values()] == [2, 2]


def test_cpu_seconds_include_those_of_children():
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    assert timing.measure(lambda: subprocess.run([sys.executable, "-c", burn], check=True)).cpu >= 0.3


def series(*walls):
    return [timing.Seconds(wall, 10 * wall) for wall in walls]


def test_a_speedup_is_the_references_time_over_ours():
    row = timing.compare("x", series(1, 2, 4), series(3, 4, 20), "wall", items=100, at_least=2.5)
    assert (row["ratio"], row["ratio_low"], row["ratio_high"]) == (3, 2, 5)
    assert (row["ours"], row["reference"], row["unit"]) == (50, 25, "images/s")
    assert (row["goal"], row["met"], row["repeats"]) == ("≥ 2.5", True, 3)
    assert (row["ours_wall_s"], row["ours_cpu_s"], row["reference_cpu_s"]) == (2, 20, 40)


def test_a_cost_is_our_time_over_the_references():
    row = timing.compare("x", series(3, 6), series(2, 3), "cpu", at_most=1.7)
    assert (row["ratio"], row["met"], row["goal"], row["unit"]) == (1.75, False, "≤ 1.7", "CPU s")
    assert timing.compare("x", series(3), series(2), "cpu")["met"] is None


def test_a_fixed_cost_is_taken_out():
    assert timing.without(series(5, 6), series(1, 2, 9)) == series(3, 4)


def test_the_drawn_jpegs_are_like_the_real_ones(material):
    assert 6.5 < kilobytes(material.paths) < 8.5  # CelebA's have 7.3 kB
    with Image.open(material.paths[0]) as image:
        assert (image.size, image.mode, image.quantization[0][:4]) == ((178, 218), "RGB", [8, 6, 5, 8])
    assert material.rows["label"].iloc[:16].tolist() == material.rows["label"].iloc[16:].tolist()
    assert material.paths[0].read_bytes() != material.paths[16].read_bytes()


def test_both_decode_to_the_same_pixels(material, data):
    images = reference.Photographs(material.paths, [0] * 32, reference.decoding())
    theirs = torch.stack([image for image, _ in images])
    ours = torch.from_numpy(np.stack([downscale(path.read_bytes()) for path in material.paths]))
    assert torch.equal(ours, data.array)
    difference = (theirs - ours.permute(0, 3, 1, 2) / 255).abs() * 255
    assert difference.mean() < 1 and difference.amax() < 16  # grey levels: ours is halved inside the decoder


def test_one_step_from_the_same_batch_gives_the_same_loss_and_weights(model, data):
    before, indices = copy.deepcopy(model), torch.arange(16)
    plain = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
    loss = step_loss(model.train(), data, SETTINGS)(0, 0, indices)
    optimizer = optimizer_of(model, SETTINGS)
    loss.backward()
    optimizer.step()
    x = to_float(augment(data.bytes_of(indices), SETTINGS["augmentation"], generator(CPU, "augment", 1, 0, 0)))
    theirs = reference.training_step(plain.train(), optimizer_of(plain, SETTINGS), x.contiguous(), data.labels[indices])
    assert theirs == pytest.approx(loss.item(), rel=1e-5)
    start, own, other = (torch.cat([p.detach().flatten() for p in net.parameters()]) for net in (before, model, plain))
    assert (own - other).norm() < 0.01 * (own - start).norm()  # the memory formats round differently


def test_the_plain_epoch_trains(model, material):
    before = copy.deepcopy(model.state_dict())
    labels = material.rows["label"].tolist()
    loss = reference.epoch(model, optimizer_of(model, SETTINGS), material.paths, labels, 16, workers=0)
    assert np.isfinite(loss) and not torch.equal(before["0.weight"], model.state_dict()["0.weight"])


def test_the_unfused_attack_is_ours_where_batch_statistics_do_not_matter(model, data):
    x, y, model = data.centre(torch.arange(8)), data.labels[:8], model.eval()
    theirs = reference.unfused_pgd(model, x, y, 0.03, 2, generator(CPU, "start"))
    assert next(model.parameters()).grad is not None  # what makes it unfused
    ours = pgd(model, x, y, 0.03, 2, generator(CPU, "start"))
    assert (theirs - x).abs().max() <= 0.03 + 1e-6 and ((theirs - ours).abs() > 1e-6).float().mean() < 1e-3


def test_every_call_trains_for_the_whole_epoch(model, data):
    settings, seen = with_attack("pgd_2") | {"epochs": 2}, []
    loss = unfused_loss(model, data, settings)

    def noted(epoch, step, indices):
        seen.extend(indices.tolist())
        return loss(epoch, step, indices)

    work = epoch_of(model, data, settings, noted)
    work()
    work()
    assert sorted(seen) == sorted(4 * list(range(32)))


def test_one_attack_after_the_other_leaves_the_same_images_standing(model, data):
    x, common = data.centre(torch.arange(32)), {"seed": 1, "batch_size": 16, "ids": data.row_ids}
    with torch.no_grad():  # an untrained network that tells the images apart is right by definition
        logits = model.eval()(x)
        model[-1].bias[1] -= (logits[:, 1] - logits[:, 0]).median()
        y = model(x).argmax(1)
    plan, eps = PLAN[::-1], 0.003  # the weakest first, so that more than one attack breaks something
    found = attack_ensemble(model, x, y, "linf", eps, plan, **common)
    theirs = reference.one_after_the_other(model, x, y, "linf", eps, plan, **common)
    assert found["broken_by_square"].sum() and found["broken_by_fab"].sum() and found["robust"].sum()
    assert (theirs.numpy() != found["robust"].to_numpy()).sum() <= 1  # up to rounding in batches of other sizes


def test_the_gpu_part_runs_on_any_device(material):
    size = {"images": 40, "batch_sizes": (16,), "compiled": (False,), "matrix_side": 64, "repeats": 1, "workers": 0}
    frame = timing.frame_of(gpu.compare_all(CPU, material, "small_cnn", **size))
    assert len(frame) == 5 and (frame["ratio"] > 0).all() and np.isfinite(frame["ratio"]).all()
    share = frame[frame["unit"] == "TFLOP/s"].iloc[0]
    assert share["goal"] == "≥ 0.35" and share["ratio"] == pytest.approx(share["ours"] / share["reference"])


def test_flops_per_image_of_the_published_network():
    assert gpu.training_flops("published_resnet") / 1e9 == pytest.approx(11.03, abs=0.005)


def test_a_workflow_that_cannot_be_planned_is_named(tmp_path):
    (tmp_path / "Snakefile").write_text("rule broken\n", encoding="utf-8")
    with pytest.raises(UserError, match="cannot plan"):
        dry_run(sys.executable, tmp_path / "Snakefile", tmp_path / "plan")


def test_ordinary_torch_puts_the_deterministic_mode_back():
    choose_device(0, 1)
    with reference.ordinary_torch():
        assert not torch.are_deterministic_algorithms_enabled()
    assert torch.are_deterministic_algorithms_enabled()
