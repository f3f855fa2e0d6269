"""Quantisation-aware training of the integer networks: rounded forwards, straight-through backwards."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from scripts.common.optimizers import Adam
from scripts.common.seeds import seed_from
from scripts.encrypted.tfhe.nets import KERNEL, Layout, Net

LEVELS = 3  # the greatest activation: 2 bits
DEAD_ZONE = 0.7  # weights below this share of their mean size become 0 (ternary weight networks, Li et al. 2016)
PENALTY = 1.0  # on the loss, for every unit by which a sum leaves its width, summed over an image
MARGIN = 1 / 8  # of a width, kept free at both ends for images that training does not see
LAYERS = ("conv_1", "conv_2", "classifier")


@dataclass(frozen=True)
class Settings:
    """Passes over the images, images per step and Adam's rate."""

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 5e-3


def rounded(values: torch.Tensor) -> torch.Tensor:
    """Return the nearest integers, halves upwards, with the gradient of the identity."""
    return values + (torch.floor(values + 0.5) - values).detach()


def ternary(weights: torch.Tensor) -> torch.Tensor:
    """Return -1, 0 or 1 per weight, with the gradient of the identity where the weight is inside [-1, 1]."""
    near = weights.clamp(-1, 1)
    size = DEAD_ZONE * weights.detach().abs().mean()
    return near + (torch.sign(weights) * (weights.abs() > size) - near).detach()


class FakeQuantised(torch.nn.Module):
    """A network of floats that computes with the integers of its integer network; maps are [n, channels, g, g]."""

    def __init__(self, layout: Layout, generator: torch.Generator) -> None:
        super().__init__()
        self.layout = layout
        places = (layout.grid // layout.stride) ** 2
        shapes = {
            "conv_1": (layout.filters, layout.channels, layout.kernel, layout.kernel),
            "conv_2": (layout.filters, layout.filters, KERNEL, KERNEL),
            "classifier": (layout.classes, places * layout.filters),
        }
        drawn = {name: torch.randn(shape, generator=generator) * 0.5 for name, shape in shapes.items()}
        self.weights = torch.nn.ParameterDict(drawn)
        self.biases = torch.nn.ParameterDict({name: torch.zeros(shape[0]) for name, shape in shapes.items()})
        # Widths of a step of both look-ups and of the softmax, as logarithms so that they stay positive.
        self.log_steps = torch.nn.Parameter(torch.zeros(len(LAYERS)))

    def step(self, place: int) -> torch.Tensor:
        """Return the width of a step of the look-up, or of the softmax for the last place."""
        return self.log_steps[place].exp()

    def relu(self, sums: torch.Tensor, place: int) -> torch.Tensor:
        """Return activations 0 to 3 of integer sums."""
        return rounded((sums / self.step(place)).clamp(0, LEVELS))

    def sums(self, maps: torch.Tensor) -> list[torch.Tensor]:
        """Return the sums before both look-ups and the logits; all are integers where the maps are."""
        weights = {name: ternary(self.weights[name]) for name in LAYERS}
        biases = {name: rounded(self.biases[name]) for name in LAYERS}
        layout = self.layout
        first = functional.conv2d(maps, weights["conv_1"], biases["conv_1"], padding=layout.kernel // 2)
        seen = self.relu(first, 0) if layout.first_relu else first
        second = functional.conv2d(seen, weights["conv_2"], biases["conv_2"], layout.stride, KERNEL // 2)
        features = self.relu(second, 1).permute(0, 2, 3, 1).flatten(1)
        return [first, second, functional.linear(features, weights["classifier"], biases["classifier"])]

    def excess(self, sums: list[torch.Tensor]) -> torch.Tensor:
        """Return by how much the sums of an image leave the signed integers of their width, mean over images."""
        beyond = torch.zeros(())
        for values, width in zip(sums, self.layout.widths, strict=False):
            if width:
                room = (1 - MARGIN) * 2 ** (width - 1) - 0.5
                beyond = beyond + functional.relu((values + 0.5).abs() - room).flatten(1).sum(1).mean()
        return beyond

    @torch.no_grad()
    def fit_steps(self, maps: torch.Tensor) -> None:
        """Set the steps so that activations at the beginning cover all levels: by the spread of the sums."""
        for place in range(len(LAYERS)):
            self.log_steps[place] = self.sums(maps)[place].std().clamp(min=1).log()

    def as_integers(self, reach: int) -> Net:
        """Return the integer network; thresholds are right for sums up to `reach` in size."""
        values = torch.arange(-reach, reach + 1)
        with torch.no_grad():
            tables = [self.relu(values.float(), place).long() for place in range(2)]
            kernels = [ternary(self.weights[name]).long().numpy() for name in LAYERS]
            biases = [rounded(self.biases[name]).long().numpy() for name in LAYERS]
        thresholds = [
            np.array(
                [int(values[table >= level].min()) if (table >= level).any() else reach + 1 for level in (1, 2, 3)]
            )
            for table in tables
        ]
        rows = [kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel)) for kernel in kernels[:2]]
        return Net(
            self.layout, rows[0], biases[0], thresholds[0], rows[1], biases[1], thresholds[1], kernels[2].T, biases[2]
        )


def reach_of(layout: Layout, greatest_input: int) -> int:
    """Return a bound of all sums before look-ups, biases left out."""
    first = layout.kernel**2 * layout.channels * greatest_input
    return max(first, KERNEL**2 * layout.filters * (LEVELS if layout.first_relu else first))


def train(
    inputs: np.ndarray, labels: np.ndarray, layout: Layout, settings: Settings, *names: object
) -> tuple[FakeQuantised, Net]:
    """Return the trained network as floats and as integers.

    Args:
        inputs: integers of the training images [n, grid, grid, channels].
        labels: 0 to classes - 1, [n].
        names: what the draws are seeded by.
    """
    generator = torch.Generator().manual_seed(seed_from("encrypted", "tfhe", *names))
    maps = torch.from_numpy(inputs.astype(np.float32)).permute(0, 3, 1, 2).contiguous()
    targets = torch.from_numpy(labels.astype(np.int64))
    network = FakeQuantised(layout, generator)
    network.fit_steps(maps)
    optimizer = Adam(list(network.parameters()), lr=settings.learning_rate)
    steps = settings.epochs * -(-len(maps) // settings.batch_size)
    done = 0
    for _ in range(settings.epochs):
        order = torch.randperm(len(maps), generator=generator)
        for rows in order.split(settings.batch_size):
            sums = network.sums(maps[rows])
            loss = functional.cross_entropy(sums[-1] / network.step(2), targets[rows])
            optimizer.param_groups[0]["lr"] = settings.learning_rate * (1 - done / steps)
            optimizer.zero_grad(set_to_none=True)
            (loss + PENALTY * network.excess(sums)).backward()
            optimizer.step()
            done += 1
    greatest_bias = int(max(rounded(bias).abs().max() for bias in network.biases.values()))
    reach = reach_of(layout, int(np.abs(inputs).max()))
    return network, network.as_integers(reach + (1 + reach) * greatest_bias)
