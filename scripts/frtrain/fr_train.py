"""FR-Train (Roh et al., ICML 2020): settings of the two published loops, initial weights and one fit."""

from typing import NamedTuple

import numpy as np
from safetensors.numpy import load_file

from scripts.common.seeds import seed_from
from scripts.frtrain.loop import train
from scripts.frtrain.robustness import TOGETHER

HIDDEN = 16


class Loop(NamedTuple):
    """One of the two published training loops."""

    epochs: int
    every: int  # the classifier moves in every such epoch after the pre-training
    scale: float  # of the loss in the pre-training
    rates: tuple[float, float, float]  # of classifier, fairness and robustness discriminator
    robust_weight: float  # lambda_r
    push: bool  # whether the robustness discriminator's gradient reaches the classifier
    pretrain: int = 500


LOOPS = {
    "clean": Loop(4000, 3, 1.0, (0.005, 0.01, 0.001), 0.1, push=False),
    "poisoned": Loop(10000, 5, 0.1, (0.001, 0.001, 0.001), 0.4, push=True),
}


class Networks(NamedTuple):
    """Classifier [d + 1], fairness discriminator [3], robustness discriminator and row weights [n] of one fit."""

    classifier: np.ndarray
    fairness: np.ndarray
    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray
    row_weights: np.ndarray


def published_initial(path: str, seed: int) -> dict[str, np.ndarray]:
    """Return the initial weights of a seed from the file of rule `frtrain_initial`."""
    tensors = load_file(path)
    return {name: tensors[f"{seed}.{name}"] for name in ("g", "df", "w1", "w2")}


def drawn_initial(seed: int, features: int) -> dict[str, np.ndarray]:
    """Return initial weights for data without published ones: the same distribution, NumPy's generator."""
    random = np.random.default_rng(seed_from("frtrain initial", seed))
    shapes = {"g": features, "df": 1, "w1": (HIDDEN, features + 1), "w2": HIDDEN}
    return {name: random.normal(0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}


def fit_fr_train(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    x_clean: np.ndarray,
    y_clean: np.ndarray,
    initial: dict[str, np.ndarray],
    loop: Loop,
    fair_weight: float,
    odds: bool = False,
    reweight: bool = True,
) -> Networks:
    """Fit FR-Train once.

    Args:
        x, y, z: training rows float32 [n, d], labels -1/+1 and groups 0/1 [n].
        x_clean, y_clean: validation rows [v, d] and labels [v].
        initial: `g`, `df`, `w1`, `w2`; biases start at 0.
        fair_weight: lambda_f.
        odds: the fairness discriminator sees the training label too (its weight on it starts at 0).
        reweight: whether the robustness discriminator's outputs weigh the rows.

    Raises:
        ValueError: lambda_f and lambda_r leave no weight to the classifier's own loss.
    """
    if fair_weight + loop.robust_weight >= 1:
        raise ValueError(f"lambda_f {fair_weight:g} + lambda_r {loop.robust_weight:g} must stay below 1")
    rows = [np.array(v, np.float32, order="C") for v in (x.T, y, z, x_clean.T, y_clean)]  # writable: one signature
    g = np.append(initial["g"].astype(float), 0.0)
    df = np.array([float(initial["df"][0]), 0.0, 0.0])
    width = x.shape[1] + 1  # of what the robustness discriminator sees
    w1, w2 = np.pad(initial["w1"], ((0, 0), (0, -width % TOGETHER))), initial["w2"].copy()
    b1, b2 = np.zeros(len(w2), np.float32), np.zeros(1, np.float32)
    weights = train(
        *rows, g, df, w1, b1, w2, b2, float(fair_weight), loop.robust_weight, loop.epochs, loop.every, loop.pretrain,
        loop.scale, loop.rates, (reweight, loop.push, odds),
    )  # fmt: skip
    return Networks(g, df, w1[:, :width].copy(), b1, w2, b2, weights)
