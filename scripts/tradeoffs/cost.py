"""How many FLOPs the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py).

In forward passes (F) per image: a training step 3, a step of an attack 2, since it needs no gradient of the weights.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from scripts.tradeoffs.runs import grid

# Half of every batch is attacked. The published APGD takes up to seven steps on it and two passes more for each.
STEP = {"none": 3.0, "fgsm_random_start": 3 + 0.5 * 2, "pgd_2": 3 + 0.5 * 4, "published_apgd": 9.0}


INPUTS = [f"results/tradeoffs/splits/{protocol}.parquet" for protocol in ("as_published", "corrected")]


def flops(study: dict) -> tuple[int, float, float]:
    """Return the number of runs and the FLOPs of training and of the attacks; reads `INPUTS`."""
    return count_flops(study, image_counts(INPUTS), forward_flops)


@cache
def forward_flops(network: str) -> float:
    """Return the FLOPs of one forward pass on one 64x64 image: convolutions and products, 2 per multiply-add."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from scripts.tradeoffs.networks import build

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        build(network, 1)(torch.zeros(1, 3, 64, 64))
    return float(counter.get_total_flops())


def image_counts(splits: list[str]) -> dict[str, dict[str, int]]:
    """Return {protocol: {part: images}} of the labelled splits, which hold all of CelebA at any scale."""
    return {
        Path(path).stem: pd.read_parquet(path, columns=["split"])["split"].value_counts().to_dict() for path in splits
    }


def count_flops(
    study: dict, images: Mapping[str, Mapping[str, int]], forward: Callable[[str], float]
) -> tuple[int, float, float]:
    """Return the number of runs and the FLOPs of training and, at most, of the attacks of the evaluation.

    At most: an attack sees only images that none before has broken; here all of them stand to the end.

    Args:
        images: {protocol: {train, valid, test: number of images}}.
        forward: FLOPs of one forward pass of a network on one image.
    """
    runs, training, attacks = grid(study), 0.0, 0.0
    for run in runs.values():
        sizes, single = images[run["protocol"]], forward(run["network"])
        passes = STEP[run["train_attack"]] * sizes["train"]
        passes += sizes.get("valid", 0) if run["select"] == "validation" else 0
        training += run["epochs"] * passes * single
        attacked = min(sizes["test"], study["robustness"]["images"] or sizes["test"])
        attacks += attacked * attack_passes(study["robustness"]) * single
    return len(runs), training, attacks


def attack_passes(robustness: dict) -> float:
    """Return the forward passes that the evaluation spends at most on one image."""
    per_threat = 0.0
    for entry in robustness["attacks"]:
        if entry["attack"] == "square":
            per_threat += entry["queries"]
        else:  # APGD and FAB: forward and input gradient; FAB looks once more at every point
            passes = 2 if entry["attack"] == "apgd" else 3
            per_threat += passes * entry["iterations"] * entry["restarts"]
    return per_threat * len(robustness["threats"]) + 2 * robustness["published_iterations"]
