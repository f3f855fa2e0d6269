"""Conflicts of gradients: numbers of pairs, cosines against autograd, and which pairs meet."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from scripts.multitask.conflicts import conflict_count, conflict_records, layer_cosines, pair_count, weight_gradients
from scripts.multitask.losses import cross_entropies, fairness_losses
from tests.multitask.small import batch, network

SEPARATE = [[[0], [1], [2]]] * 3


@pytest.mark.parametrize(("tasks", "pairs"), [(2, 6), (5, 45), (17, 561), (31, 1891)])
def test_number_of_pairs(tasks, pairs):
    assert pair_count(tasks) == pairs


@pytest.mark.parametrize("tasks", [2, 5])
def test_all_pairs_meet_on_a_layer_that_all_share(tasks):
    records = conflict_records(network(tasks), batch(tasks=tasks))
    for layer in (1, 2, 3):
        own = {r["kind"]: r["value"] for r in records if r["layer"] == layer and r["quantity"] == "pairs"}
        assert own == {"accuracy": tasks * (tasks - 1) / 2, "fairness": tasks * (tasks - 1) / 2, "both": tasks**2}
        assert sum(own.values()) == pair_count(tasks)


def test_separate_tasks_meet_their_other_loss_alone():
    records = conflict_records(network(3, SEPARATE), batch(tasks=3))
    pairs = {(r["layer"], r["kind"]): r["value"] for r in records if r["quantity"] == "pairs"}
    assert all(value == (3 if kind == "both" else 0) for (_, kind), value in pairs.items())


def test_a_branch_is_where_tasks_meet():
    cosines = layer_cosines(network(3, [[[0, 1, 2]], [[0, 1], [2]], [[0, 1], [2]]]), batch(tasks=3))
    assert not np.isnan(cosines[0]).any()
    apart = np.isnan(cosines[1])
    assert np.array_equal(apart, np.isnan(cosines[2]))
    assert apart[0, 2] and apart[2, 4] and not apart[0, 1] and not apart[0, 3] and not apart[3, 4] and not apart[2, 5]


def test_cosines_are_those_of_autograd_in_evaluation_mode_with_statistics_of_the_batch():
    net, rows = network(3), batch(tasks=3)
    found = layer_cosines(net, rows)[1]
    again = copy.deepcopy(net).train()
    entropies = cross_entropies(again(rows.features), rows.labels)
    losses = [*entropies.mean(1), *fairness_losses(entropies, rows.labels, rows.groups, 2)]
    vectors = [torch.autograd.grad(loss, again.layers[1].weight, retain_graph=True)[0].flatten() for loss in losses]
    expected = [[float(torch.cosine_similarity(a, b, dim=0)) for b in vectors] for a in vectors]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "groups",
    [
        None,
        [[[0, 1, 2]], [[0, 2], [1]], [[0], [1], [2]]],
        [[[0, 1, 2]], [[0], [1], [2]], [[0, 1], [2]]],  # shared weights above layers of single tasks
        SEPARATE,
    ],
)
def test_gradients_by_hand_are_autograds_in_branches_too(groups):
    net, rows = network(3, groups).double(), batch(tasks=3)
    rows = replace(rows, features=rows.features.double())
    found = weight_gradients(net, rows)
    entropies = cross_entropies(net(rows.features, True), rows.labels)
    losses = [*entropies.mean(1), *fairness_losses(entropies, rows.labels, rows.groups, 2)]
    for place, loss in enumerate(losses):
        own = torch.autograd.grad(loss, [layer.weight for layer in net.layers], retain_graph=True)
        for layer, gradient, by_hand in zip(net.layers, own, found, strict=True):
            (block,) = gradient.flatten(1).any(1).nonzero()[0].tolist()
            assert by_hand.shape == (6, *layer.weight.shape[1:])
            torch.testing.assert_close(by_hand[place], gradient[block], rtol=0, atol=1e-12)


def test_measuring_moves_nothing_and_leaves_training_mode_on():
    net = network(3)
    before = copy.deepcopy(net.state_dict())
    conflict_records(net, batch(tasks=3))
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())


def test_conflicts_and_angles_of_known_cosines(monkeypatch):
    cosines = np.array([[1, -0.5, 0.5, 0], [-0.5, 1, np.nan, -1], [0.5, np.nan, 1, 1], [0, -1, 1, 1]])
    monkeypatch.setattr("scripts.multitask.conflicts.layer_cosines", lambda *_: [cosines])
    records = {(r["kind"], r["quantity"]): r["value"] for r in conflict_records(None, None)}
    assert records["accuracy", "pairs"] == 1 and records["accuracy", "conflicts"] == 1
    assert records["accuracy", "angle"] == pytest.approx(120)
    assert records["fairness", "pairs"] == 1 and records["fairness", "conflicts"] == 0
    assert records["fairness", "angle"] == 0
    assert records["both", "pairs"] == 3 and records["both", "conflicts"] == 1
    assert records["both", "angle"] == pytest.approx((60 + 90 + 180) / 3)
    assert conflict_count(conflict_records(None, None)) == 2
