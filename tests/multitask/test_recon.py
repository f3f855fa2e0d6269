"""Recon: conflicts counted by hand, the layers chosen, and tasks that agree or oppose one another."""

import numpy as np
import pytest
import torch

from scripts.multitask.gradients import task_gradients
from scripts.multitask.recon import CountConflicts, conflicts_below, groups_of, recon, worst_layers
from scripts.multitask.training import fit
from tests.multitask.small import batch, network, problem


@pytest.mark.parametrize(("threshold", "count"), [(0.0, 2), (-0.02, 2), (-0.5, 2), (-0.75, 1), (-1.0, 0)])
def test_pairs_below_a_cosine(threshold, count):
    vectors = torch.tensor([[1.0, 0.0], [-3.0, 3.0], [-2.0, 0.0], [0.0, 0.5], [0.0, 0.0]])  # cosines -.71, -1, 0, .71
    assert conflicts_below(vectors, threshold) == count


def test_a_gradient_of_zero_has_no_cosine():
    assert conflicts_below(torch.zeros(3, 4), 0.5) == 0
    assert conflicts_below(torch.tensor([[1.0, 0.0], [1.0, 1.0]]), 0.8) == 1  # of .71


@pytest.mark.parametrize(
    ("counts", "most", "chosen"),
    [
        ([3, 9, 1, 5], 2, [1, 3]),
        ([3, 9, 1, 5], 9, [0, 1, 2, 3]),
        ([3, 9, 0, 0], 3, [0, 1]),  # without a conflict a layer stays shared
        ([4, 4, 4, 4], 1, [3]),  # nearer to the heads
        ([0, 0], 2, []),
        ([1, 2], 0, []),
    ],
)
def test_worst_layers(counts, most, chosen):
    assert worst_layers(counts, most) == chosen


def test_groups_of_layers():
    found = [[list(group) for group in groups] for groups in groups_of(3, 3, [1])]
    assert found == [[[0, 1, 2]], [[0], [1], [2]], [[0, 1, 2]]]


def test_counts_of_a_step_are_those_of_the_layers_gradients():
    net, rows = network(4).train(), batch(tasks=4)
    method = CountConflicts(3, -0.01, 0.5)
    for _ in range(2):
        losses = method.gradients(net, rows)
    trunk = torch.cat([parameter.grad.flatten() for parameter in net.shared_parameters()])
    expected_losses, vectors = task_gradients(net, rows, 0.5)
    assert torch.equal(losses, expected_losses)
    torch.testing.assert_close(trunk, vectors.sum(0))
    start, expected = 0, []
    for layer in net.layers:
        size = sum(parameter.numel() for parameter in layer.parameters())
        own = vectors[:, start : start + size].double().numpy()
        cosines = np.corrcoef(np.hstack([own, -own]))[:4, :4]  # of vectors centred at 0
        expected.append(int((cosines[np.triu_indices(4, 1)] < -0.01).sum()))
        start += size
    assert start == vectors.shape[1]
    assert method.counts == [2 * count for count in expected]
    assert sum(expected) > 0


def same(score):
    return np.repeat((score[:, :1] > 0).astype(np.int8), 3, axis=1)


def opposed(score):
    first = (score[:, :1] > 0).astype(np.int8)
    return np.hstack([first, 1 - first])


def test_tasks_that_agree_stay_together():
    found = recon(problem(labels=same, alike=True), layers=3)
    records = {(r["quantity"], r["layer"]): r["value"] for r in found.curve if "layer" in r}
    assert all(records[name, layer] == 0 for name in ("conflicts_below", "task_specific") for layer in (1, 2, 3))
    assert found.network.size() == problem(labels=same).network().size()


def test_opposed_tasks_part():
    what = problem(labels=opposed, epochs=4)
    found = recon(what, layers=1, fraction=0.25)
    records = {(r["quantity"], r["layer"]): r["value"] for r in found.curve if "layer" in r}
    specific = [layer for layer in (1, 2, 3) if records["task_specific", layer]]
    assert len(specific) == 1
    counts = [records["conflicts_below", layer] for layer in (1, 2, 3)]
    assert counts[specific[0] - 1] == max(counts) == 3  # one pair in each of three steps
    assert [len(layer.weight) for layer in found.network.layers] == [1 + (layer in specific) for layer in (1, 2, 3)]
    assert found.steps == 3 + 12
    assert found.passes == 2 * 3 + 12
    assert {r["epoch"] for r in found.curve} == {0, 1, 2, 3, 4}


def test_the_network_starts_from_scratch(monkeypatch):
    starts = []

    def spy(problem, network, method, **options):
        starts.append({name: value.clone() for name, value in network.state_dict().items()})
        return fit(problem, network, method, **options)

    monkeypatch.setattr("scripts.multitask.recon.fit", spy)
    what = problem(labels=opposed)
    found = recon(what, layers=2)
    groups = [[[0], [1]] if len(layer.weight) == 2 else [[0, 1]] for layer in found.network.layers]
    fresh = what.network(groups).state_dict()
    assert len(starts) == 2
    assert all(torch.equal(fresh[name], value) for name, value in starts[1].items())
