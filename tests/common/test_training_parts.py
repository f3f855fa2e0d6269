"""Schedules, batches and weights: what the trainings of the studies share."""

import math

import numpy as np
import pytest
import torch

from scripts.common.batches import in_batches
from scripts.common.schedules import constant, one_cycle, steps
from scripts.common.seeds import shuffled
from scripts.common.weights import read_state, save_state, save_states


def test_one_cycle_rises_for_three_tenths_and_falls_to_zero():
    rate = one_cycle(0.4, 10)
    assert [rate(epoch, 0.0) for epoch in (0, 3)] == pytest.approx([0.4e-3 / 0.3, 0.4])
    assert rate(1, 0.5) == pytest.approx(0.2) and rate(9, 0.999) == pytest.approx(0.0, abs=1e-6)
    assert rate(6, 0.5) == pytest.approx(0.2)  # half way down the cosine
    with_cosine = 0.4 * (1 + math.cos(math.pi * (0.8 - 0.3) / 0.7)) / 2
    assert rate(8, 0.0) == pytest.approx(with_cosine)


def test_steps_drop_to_a_tenth_and_a_constant_stays():
    rate = steps(1.0, 10, [0.3, 0.5, 0.8])
    assert [rate(epoch, 0.5) for epoch in range(10)] == pytest.approx([1] * 3 + [0.1] * 2 + [0.01] * 3 + [0.001] * 2)
    assert constant(0.3)(7, 0.5) == 0.3


def test_an_order_comes_from_its_names_alone():
    first = shuffled(50, "a", 1)
    assert np.array_equal(first, shuffled(50, "a", 1)) and not np.array_equal(first, shuffled(50, "a", 2))
    assert sorted(first) == list(range(50))


@pytest.mark.parametrize(
    ("rows", "whole_only", "sizes"), [(10, False, [4, 4, 2]), (10, True, [4, 4]), (8, True, [4, 4]), (3, True, [3])]
)
def test_batches_follow_the_order(rows, whole_only, sizes):
    for order in (np.arange(rows), torch.arange(rows)):
        batches = in_batches(order, 4, whole_only)
        assert [len(batch) for batch in batches] == sizes
        assert [int(row) for batch in batches for row in batch] == list(range(sum(sizes)))


def test_weights_of_one_and_of_several_models_are_read_back(tmp_path):
    states = {name: {"w": torch.rand(2, 3), "b.c": torch.rand(4)} for name in ("one", "one.more", "two")}
    save_states(states, tmp_path / "all.safetensors", {"output": "logits"})
    save_state(states["two"], tmp_path / "two.safetensors")
    for name in ("one.more", "two"):
        read, metadata = read_state(tmp_path / "all.safetensors", name)
        assert metadata == {"output": "logits"} and read.keys() == states[name].keys()
        assert all(torch.equal(read[key], states[name][key]) for key in read)
    assert torch.equal(read_state(tmp_path / "two.safetensors")[0]["b.c"], states["two"]["b.c"])
