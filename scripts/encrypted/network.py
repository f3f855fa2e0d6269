"""Networks that CKKS can run: linear layers with a square between them, biases folded into the weights.

A constant input 1 carries the first bias. A hidden unit that is 1 stays 1 when squared and carries the next one. The
bias after the last product is added in clear terms at the end. So an encrypted network is a list of matrices:

    z_1 = (x, 1) W_1        z_{l+1} = z_l^2 W_{l+1}        logits = z_L + b
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scripts.common.errors import UserError

SMALLEST = 2.0**-20  # an exact 0 in a plain matrix makes TenSEAL lose a level (OpenMined/TenSEAL, issue 449)


@dataclass(frozen=True)
class Network:
    """A network in clear: `matrices` [d_in, d_out] each, with the rows and columns of the constants, `bias` [classes].

    The first matrix has one row more than there are inputs; the normalisation of the inputs is part of it.
    """

    matrices: tuple[np.ndarray, ...]
    bias: np.ndarray

    @property
    def inputs(self) -> int:
        """Return k, the number of inputs without the constant."""
        return len(self.matrices[0]) - 1

    @property
    def products(self) -> int:
        """Return how many products follow one another: the depth that an encryption must allow."""
        return products_of(len(self.matrices) - 1)

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Return the logits in clear, float64 [n, classes], of inputs [n, k]."""
        hidden = with_constant(inputs) @ self.matrices[0]
        for matrix in self.matrices[1:]:
            hidden = hidden**2 @ matrix
        return hidden + self.bias


def products_of(hidden: int) -> int:
    """Return the products in a row of a network with some hidden layers: one per layer, and one per square."""
    return 2 * hidden + 1


def with_constant(inputs: np.ndarray) -> np.ndarray:
    """Return inputs [n, k] with a last column of ones [n, k + 1]."""
    return np.column_stack([inputs, np.ones(len(inputs))])


def folded(
    weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], mean: np.ndarray, spread: np.ndarray
) -> Network:
    """Return the network of layers on standardised inputs (x - mean) / spread.

    Args:
        weights: of each layer [d_in, d_out].
        biases: of each layer [d_out].
        mean, spread: of the inputs, [k]; an input with spread 0 has no effect.
    """
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    first = weights[0] * scale[:, None]
    offset = biases[0] - (mean * scale) @ weights[0]
    matrices, last = [np.vstack([first, offset])], len(weights) - 1
    for place in range(1, last + 1):
        below = matrices[-1]
        if place < last:  # a unit that is 1 in the layer below carries the bias of this one
            one = np.zeros((len(below), 1))
            one[-1] = 1.0
            matrices[-1] = np.hstack([below, one])
            matrices.append(np.vstack([weights[place], biases[place]]))
        else:
            matrices.append(weights[place])
    return Network(tuple(map(without_zeros, matrices)), np.asarray(biases[-1], float))


def without_zeros(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix whose entries are at least 2^-20 from 0, with their sign; 0 becomes +2^-20."""
    small = np.abs(matrix) < SMALLEST
    return np.where(small, np.where(matrix < 0, -SMALLEST, SMALLEST), matrix)


def check_network(network: Network, where: str) -> None:
    """Check that a network can be run encrypted: its layers fit one another, and all numbers are finite.

    Raises:
        UserError: they do not.
    """
    matrices = network.matrices
    shapes = [matrix.shape for matrix in matrices]
    chained = shapes and all(len(shape) == 2 and min(shape) > 0 for shape in shapes) and network.bias.ndim == 1
    widths = [shape[1] for shape in shapes] if chained else []
    if not chained or widths != [*(shape[0] for shape in shapes[1:]), len(network.bias)]:
        raise UserError(f"{where}: layers of shape {shapes} and {network.bias.shape} do not fit one another")
    if not all(np.isfinite(part).all() for part in (*matrices, network.bias)):
        raise UserError(f"{where}: a weight is not finite; train again, with a smaller learning rate")


def check_inputs(inputs: np.ndarray, network: Network, ring: int) -> None:
    """Check that inputs can be encrypted for a network.

    Raises:
        UserError: there is no image, a number is not finite (its row and column are named), there are too many, or they
            do not fit.
    """
    if not len(inputs):
        raise UserError("encrypted: no image to encrypt; give one at least")
    if inputs.ndim != 2 or inputs.shape[1] != network.inputs:
        raise UserError(f"encrypted: inputs of shape {inputs.shape}, the network takes [n, {network.inputs}]")
    if not np.isfinite(inputs).all():
        row, column = np.argwhere(~np.isfinite(inputs))[0]
        raise UserError(f"encrypted: input {column} of image {row} is {inputs[row, column]}; images must be finite")
    if inputs.shape[1] + 1 > ring // 2:
        raise UserError(f"encrypted: {inputs.shape[1]} inputs, a ring of {ring} has {ring // 2} slots; take fewer")
