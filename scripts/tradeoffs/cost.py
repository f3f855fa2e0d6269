"""How many FLOPs the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py).

In forward passes (F) per image: a training step 3, a step of an attack 2, since it needs no gradient of the weights.
"""

from collections.abc import Callable

from scripts.tradeoffs.runs import grid

# Half of every batch is attacked. The published APGD takes up to seven steps on it and two passes more for each.
STEP = {"none": 3.0, "fgsm_random_start": 3 + 0.5 * 2, "pgd_2": 3 + 0.5 * 4, "published_apgd": 9.0}


def flops(study: dict, images: dict[str, dict[str, int]], forward: Callable[[str], float]) -> tuple[int, float, float]:
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
