"""The benchmark compares like with like and returns sound rows. No test says how fast anything is."""

import numpy as np
import pytest
import torch

from scripts.common import parquet, timing
from scripts.multitask import bench
from scripts.multitask.fairbranch import FairBranch, Options
from scripts.multitask.gradients import pcgrad, task_gradients
from scripts.multitask.literal import fairbranch_step, pcgrad_step, single_task_network, torchjd_step
from scripts.multitask.pcgrad import PCGrad
from tests.multitask.small import network

TINY = bench.Size(rows=40, inputs=6, widths=(8, 6, 5), tasks=(2, 5), repeats=1, steps=1)


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    bench.bench(str(folder / "multitask.parquet"), str(folder / "multitask"), TINY)
    assert {path.suffix for path in folder.iterdir()} == {".parquet", ".csv", ".md", ".tex"}
    return parquet.read(folder / "multitask.parquet")


def test_every_comparison_is_a_row_with_a_positive_finite_ratio(frame):
    assert list(frame.columns) == timing.COLUMNS
    extra = 2 if torchjd_step(network()) else 0
    assert len(frame) == 4 + 2 + 2 + 2 + 2 + extra and frame["what"].is_unique
    for column in ("ours", "reference", "ratio"):
        assert (frame[column] > 0).all() and np.isfinite(frame[column]).all()
    assert (frame["goal"] != "").all() and frame["met"].notna().all() and (frame["unit"] == "CPU s").all()


def test_remarks_say_how_close_the_two_sides_are(frame):
    gaps = frame["remark"].str.extract(r"difference of \D*?(\d[\d.e+-]*)|difference (\d[\d.e+-]*)").bfill(axis=1)[0]
    assert gaps.notna().all() and (gaps.str.rstrip(",").astype(float) < 1e-3).all()


def rows_of(tasks):
    net, batch = bench.Size(60, 6, (8, 6, 5), (tasks,)).example(tasks)
    rows = type(batch)(batch.features.double(), batch.labels, batch.groups, 2)
    rows.labels[:, 1::2] = 1 - rows.labels[:, :1]  # opposed tasks, so that something is projected
    return net.double(), rows


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_fairbranchs_steps_agree_where_fbgrad_changes_something(levels):
    net, rows = rows_of(5)
    net = bench.branched(net, levels)
    found = []
    for projection in ("branches", "off"):
        method = FairBranch(net, Options(weights="one", projection=projection), torch.Generator(), "abcde")
        found.append(bench.gradients(net, lambda method=method: method.gradients(net, rows)))
    literal = bench.gradients(net, lambda: fairbranch_step(net, rows))
    torch.testing.assert_close(found[0], literal, rtol=0, atol=1e-12)
    assert torch.allclose(*found, rtol=0, atol=1e-9) is (levels == 0)


def test_pairs_are_merged_level_by_level():
    assert bench.branched(network(5), 2).paths[1:] == [[[0, 1, 2, 3], [4]], [[0, 1], [2, 3], [4]]]


def test_pcgrads_steps_agree_where_it_changes_something():
    net, rows = rows_of(4)
    orders = torch.rand(4, 4, generator=torch.Generator().manual_seed(5)).argsort(1).tolist()
    ours = bench.gradients(net, lambda: PCGrad(0.0, torch.Generator().manual_seed(5)).gradients(net, rows))
    literal = bench.gradients(net, lambda: pcgrad_step(net, rows, orders))
    vectors = task_gradients(net, rows, 0.0)[1]
    assert (vectors @ vectors.T < 0).any() and not torch.allclose(pcgrad(vectors, orders), vectors.sum(0))
    torch.testing.assert_close(ours, literal, rtol=0, atol=1e-12)


def test_torchjds_step_is_pcgrad_for_two_tasks():
    pytest.importorskip("torchjd")
    net, rows = rows_of(2)
    pcgrad_step(net, rows, [[1], [0]])
    found = torchjd_step(net)(rows)
    for one, parameter in zip(found, net.shared_parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=0, atol=1e-12)


def test_a_single_network_of_torch_is_the_tasks_path():
    net = network(3, [[[0], [1], [2]]] * 3).double().train()
    x = torch.randn(30, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits = net(x)
    for task in range(3):
        torch.testing.assert_close(single_task_network(net, task)(x), logits[task], rtol=0, atol=1e-12)
