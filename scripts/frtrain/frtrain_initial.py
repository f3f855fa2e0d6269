"""Rule `frtrain_initial`: the published initial weights of the three networks, for every seed.

They come out of torch's generator: one seed, then Normal(0, 0.2) draws for the weights of the classifier, the
fairness discriminator and the two layers of the robustness discriminator, in this order; biases are 0. This is the
one thing that the published numbers need torch for, and importing it costs seconds, so it is a job of its own.
"""

import numpy as np
import torch
from safetensors.numpy import save_file

from scripts.common.files import atomic_path

SPREAD, HIDDEN = 0.2, 16


def initial_weights(seed: int, features: int = 3) -> dict[str, np.ndarray]:
    """Return float32 `g` [d], `df` [1], `w1` [16, d + 1] and `w2` [16] of a seed."""
    random = torch.Generator().manual_seed(seed)
    shapes = {"g": (1, features), "df": (1, 1), "w1": (HIDDEN, features + 1), "w2": (1, HIDDEN)}
    drawn = {name: torch.empty(shape).normal_(0, SPREAD, generator=random) for name, shape in shapes.items()}
    return {name: (tensor if name == "w1" else tensor.ravel()).numpy() for name, tensor in drawn.items()}


def write_initial(seeds: list[int], output: str) -> None:
    """Write the weights of all seeds into one safetensors file, named SEED.NAME."""
    tensors = {f"{seed}.{name}": array for seed in seeds for name, array in initial_weights(seed).items()}
    with atomic_path(output) as temporary:
        save_file(tensors, temporary)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        write_initial(snakemake.params.seeds, snakemake.output[0])
