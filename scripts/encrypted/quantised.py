"""Quantised networks, as the published protocol simulates them: few bits for weights and activations, in clear.

Rounding passes gradients on unchanged (the straight-through estimator of Bengio et al. 2013).
"""

from collections.abc import Callable

import torch
from torch import Tensor

CLIPPED = 3.0  # standardised inputs beyond so many deviations are clipped


class Quantiser:
    """Rounding to 2^bits levels: weights by the largest of each network, inputs clipped, squares from 0 up.

    Squares are scaled by their largest value, of the minibatch in training, and of all training images afterwards
    (`calibrate`): no test image decides on a scale.
    """

    def __init__(self, bits: int) -> None:
        self.signed, self.unsigned = 2 ** (bits - 1) - 1, 2**bits - 1
        self.largest: dict[int, Tensor] = {}
        self._seen: dict[int, Tensor] | None = None

    def weights(self, weight: Tensor) -> Tensor:
        """Return rounded weights [seeds, d_in, d_out]."""
        return _rounded(weight, weight.detach().abs().amax((1, 2), keepdim=True) / self.signed, self.signed)

    def inputs(self, x: Tensor) -> Tensor:
        """Return rounded standardised inputs."""
        return _rounded(x, torch.tensor(CLIPPED / self.signed), self.signed)

    def activations(self, squares: Tensor, layer: int) -> Tensor:
        """Return rounded activations [seeds, n, width] of a layer, none below 0."""
        found = squares.detach().amax((1, 2), keepdim=True)
        if self._seen is not None:
            self._seen[layer] = found
        return _rounded(squares, self.largest.get(layer, found) / self.unsigned, self.unsigned)

    def calibrate(self, compute: Callable[[], object]) -> None:
        """Fix the scales of squares to the largest ones that a computation meets."""
        self._seen = {}
        compute()
        self.largest, self._seen = self._seen, None


def _rounded(values: Tensor, step: Tensor, levels: int) -> Tensor:
    """Return values rounded to multiples of a step, at most `levels` steps from 0; gradients pass unchanged."""
    step = step.clamp_min(torch.finfo(values.dtype).tiny)
    rounded = (values / step).round().clamp(-levels, levels) * step
    return values + (rounded - values).detach()
