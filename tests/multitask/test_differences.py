"""Paired differences count the seeds that both methods were fitted with, and rest on these alone."""

import pandas as pd
import pytest

from scripts.multitask.measures import COMPARED
from scripts.multitask.transfer import crossed_interval, differences, wide

SEEDS = {"stl": (1, 2, 3), "ours": (1, 2, 3), "few": (1,), "majority": (0,)}


def metrics() -> pd.DataFrame:
    rows = [
        (name, seed, task, metric, 0.1 * seed + 0.01 * place * (name == "ours") - 0.02 * (name == "few"))
        for name, seeds in SEEDS.items()
        for seed in seeds
        for place, task in enumerate("abc")
        for metric in COMPARED
    ]
    return pd.DataFrame(rows, columns=["method", "seed", "task", "metric", "value"]).assign(subgroup="all")


def test_seeds_that_only_others_have_do_not_count():
    found = differences(wide(metrics()), "ours", "stl")
    mean = found[(found["task"] == "mean") & (found["metric"] == "accuracy")].iloc[0]
    assert (set(found["seeds"]), set(found["undefined"])) == ({3}, {0})
    matrix = pd.DataFrame([[0.0, 0.01, 0.02]] * 3).to_numpy()
    assert mean["value"] == pytest.approx(0.01)
    assert (mean["ci_low"], mean["ci_high"]) == pytest.approx(crossed_interval(matrix))


def test_a_method_with_fewer_seeds_is_paired_on_them():
    found = differences(wide(metrics()), "few", "stl")
    assert (set(found["seeds"]), set(found["undefined"])) == ({1}, {0})
    assert found["value"].to_numpy() == pytest.approx(-0.02)
    assert found[found["task"] == "mean"]["ci_low"].to_numpy() == pytest.approx(-0.02)
