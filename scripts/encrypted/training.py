"""Training in clear of the small networks that are run encrypted, all seeds of a setting at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from scripts.common.optimizers import Adam
from scripts.common.seeds import seed_from
from scripts.encrypted.network import Network, folded
from scripts.encrypted.quantised import Quantiser

LEAST_SPREAD = 0.1  # of the largest deviation: pixels that hardly vary would be blown up, and handicap pixels
CLASSES_SCALE = 0.5  # initial weights of a layer after a square are smaller, since squares of unit numbers have mean 1


@dataclass(frozen=True)
class Settings:
    """Settings: widths of the hidden layers, passes over the rows, rows per step, Adam's rate and weight decay."""

    hidden: tuple[int, ...] = (32,)
    epochs: int = 12
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4


@dataclass(frozen=True)
class Fitted:
    """Trained layers, weights [seeds, d_in, d_out] and biases [seeds, 1, d_out], on standardised inputs."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    mean: np.ndarray
    spread: np.ndarray
    quantiser: Quantiser | None = None

    def networks(self) -> list[Network]:
        """Return one network per seed, that takes inputs as they are and can be encrypted."""
        weights, biases = ([part.double().numpy() for part in parts] for parts in (self.weights, self.biases))
        return [
            folded([w[place] for w in weights], [b[place, 0] for b in biases], self.mean, self.spread)
            for place in range(len(weights[0]))
        ]

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Return the logits of inputs [n, k] by every seed, float32 [seeds, n, classes]; quantised if trained so."""
        x = standardised(inputs, self.mean, self.spread).expand(len(self.weights[0]), -1, -1)
        with torch.no_grad():
            rounded = x if self.quantiser is None else self.quantiser.inputs(x)
            return forward(rounded, self.weights, self.biases, self.quantiser).numpy()


def standardised(inputs: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> Tensor:
    """Return inputs [n, k] with mean 0 and deviation 1; a constant input is 0."""
    return torch.from_numpy((inputs - mean) / np.where(spread > 0, spread, np.inf)).float()  # all images may be alike


def forward(x: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], quantiser: Quantiser | None) -> Tensor:
    """Return the logits [seeds, n, classes] of standardised inputs [seeds, n, k]; squares lie between the layers.

    Inputs of a quantised network are rounded already.
    """
    hidden = x
    for place, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if place:
            hidden = hidden**2 if quantiser is None else quantiser.activations(hidden**2, place)
        hidden = torch.baddbmm(bias, hidden, weight if quantiser is None else quantiser.weights(weight))
    return hidden


def fit(
    inputs: np.ndarray,
    labels: np.ndarray,
    classes: int,
    seeds: Sequence[int],
    settings: Settings,
    *names: object,
    bits: int | None = None,
) -> Fitted:
    """Return the networks of all seeds, trained by cross-entropy with squares as activations.

    Args:
        inputs: numbers of the training images [n, k]; each is standardised.
        labels: 0 to classes - 1, [n].
        names: what the draws are seeded by, beside the seed.
        bits: of weights and activations of a quantised network; None for one that is not quantised.
    """
    mean, spread = inputs.mean(0, dtype=np.float64), inputs.std(0, dtype=np.float64)
    spread = np.maximum(spread, LEAST_SPREAD * spread.max())
    x, y = standardised(inputs, mean, spread), torch.from_numpy(labels.astype(np.int64))
    quantiser = None if bits is None else Quantiser(bits)
    x = x if quantiser is None else quantiser.inputs(x)
    sizes = [inputs.shape[1], *settings.hidden, classes]
    generators = [torch.Generator().manual_seed(seed_from("encrypted", seed, *names)) for seed in seeds]
    weights, biases = [], []
    for place, (wide, narrow) in enumerate(pairwise(sizes)):
        scale = (CLASSES_SCALE if place else 1.0) / wide**0.5
        drawn = [torch.randn(wide, narrow, generator=generator) * scale for generator in generators]
        weights.append(torch.nn.Parameter(torch.stack(drawn)))
        biases.append(torch.nn.Parameter(torch.zeros(len(generators), 1, narrow)))
    rates = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    optimizer = Adam([*weights, *biases], **rates, fused=True)  # one call per step: two fifths of the time otherwise
    steps = settings.epochs * max(1, len(x) // settings.batch_size)
    done = 0
    for _ in range(settings.epochs):
        orders = torch.stack([torch.randperm(len(x), generator=generator) for generator in generators])
        for start in range(0, max(1, len(x) - settings.batch_size + 1), settings.batch_size):
            rows = orders[:, start : start + settings.batch_size]
            loss = torch.nn.functional.cross_entropy(
                forward(x[rows], weights, biases, quantiser).flatten(0, 1), y[rows].flatten()
            )
            optimizer.param_groups[0]["lr"] = settings.learning_rate * (1 - done / steps)
            optimizer.zero_grad(set_to_none=True)
            (loss * len(generators)).backward()
            optimizer.step()
            done += 1
    layers = [tuple(part.detach() for part in parts) for parts in (weights, biases)]
    fitted = Fitted(*layers, mean, spread, quantiser)
    if quantiser is not None:
        quantiser.calibrate(lambda: fitted.logits(inputs))
    return fitted
