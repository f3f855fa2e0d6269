"""The grid of trainings."""

from itertools import product

import pytest

from scripts.common.errors import UserError
from scripts.tradeoffs.runs import grid, run_name
from tests.common.test_config import merged


@pytest.mark.parametrize(
    ("name", "protocol", "least"), [("config.yaml", None, 12), ("config.paper.yaml", "as_published", 36)]
)
def test_the_grid_is_as_large_as_promised(name, protocol, least):
    runs = grid(merged(name)["tradeoffs"])
    assert len([run for run in runs.values() if protocol in (None, run["protocol"])]) >= least


def test_the_paper_grid_has_three_seeds_in_both_protocols():
    runs = grid(merged("config.paper.yaml")["tradeoffs"]).values()
    for protocol in ("as_published", "corrected"):
        own = [run for run in runs if run["protocol"] == protocol]
        assert len(own) >= 36 and {run["seed"] for run in own} == {1, 2, 3}


def test_every_combination_has_one_name_and_its_own_settings():
    study = merged()["tradeoffs"]
    study["networks"], study["seeds"] = ["small_cnn", "medium_cnn"], [3, 4]
    study["protocols"]["corrected"]["arms"] = {"plain": {}, "fair_adversarial": {"eps": [0.01, 0.02], "weight": [1]}}
    study["protocols"]["corrected"]["training"] = {"epochs": 9}
    runs = {name: run for name, run in grid(study).items() if run["protocol"] == "corrected"}
    expected = {
        f"corrected.{network}.{arm}.seed{seed}"
        for network, arm, seed in product(
            ["small_cnn", "medium_cnn"],
            ["plain", "fair_adversarial.eps0.01.weight1", "fair_adversarial.eps0.02.weight1"],
            [3, 4],
        )
    }
    assert set(runs) == expected
    assert all(run["run"] == name and run["epochs"] == 9 for name, run in runs.items())
    assert runs["corrected.small_cnn.plain.seed3"]["train_attack"] == "none"


def test_an_unknown_arm_is_named():
    with pytest.raises(UserError, match="no arm 'magic'"):
        run_name("corrected", "small_cnn", "magic", 1)
