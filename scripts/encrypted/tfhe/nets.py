"""Small integer networks (convolution, ReLU, convolution, ReLU, classifier), exactly as they are run under TFHE.

Every ReLU is a look-up of 2 bits: the number of thresholds that an accumulator reaches. Under TFHE each is one
programmable bootstrap; products with clear weights cost almost nothing beside it.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scripts.common.errors import UserError
from scripts.common.files import atomic_path

KERNEL = 3  # of the second convolution, and of the first one on pixels
ARRAYS = ("conv_1", "bias_1", "thresholds_1", "conv_2", "bias_2", "thresholds_2", "classifier", "bias_3")


@dataclass(frozen=True)
class Layout:
    """Shapes of a network: what it sees of an image of side `side`, on a grid of side `grid` with `channels` numbers.

    `kernel` is that of the first convolution and `stride` that of the second; without `first_relu` nothing is between
    the two. `enlarged_to` is the side that images are enlarged to before their transform, 0 for none. `widths` are the
    bits that training keeps the sums of both convolutions within, 0 for no bound: a look-up's cost doubles per bit.
    """

    name: str
    dataset: str
    side: int
    transform: str
    grid: int
    channels: int
    kernel: int
    stride: int
    filters: int = 8
    classes: int = 10
    first_relu: bool = True
    enlarged_to: int = 0
    widths: tuple[int, int] = (5, 6)

    @property
    def bootstraps(self) -> int:
        """Return the number of look-ups of one image."""
        return self.filters * (self.grid**2 * self.first_relu + (self.grid // self.stride) ** 2)

    def at_grid(self, grid: int) -> "Layout":
        """Return the layout for images of another size, whose side changes like that of the grid."""
        return replace(self, grid=grid, side=self.side * grid // self.grid)


def pixels_layout(name: str, dataset: str, side: int, **further: bool) -> Layout:
    """Return the layout for pixels: the second convolution halves the grid."""
    return Layout(name, dataset, side, "pixels", side, 1, KERNEL, 2, **further)


def dct_layout(
    name: str, dataset: str, side: int, block: int, kept: int, enlarged_to: int = 0, **further: object
) -> Layout:
    """Return the layout for kept coefficients of blocks: the first convolution is 1x1, the grid stays (Roy, Roy)."""
    grid = (enlarged_to or side) // block
    return Layout(name, dataset, side, "dct", grid, kept, 1, 1, enlarged_to=enlarged_to, **further)


MNIST, DIGITS, FREE, PRUNED = "mnist", "digits", (0, 0), (0, 7)
ENLARGED = "8x8 digits enlarged to 16x16, DCT 8 coefficients"
_enlarged = {"dataset": DIGITS, "side": 8, "block": 4, "kept": 8, "enlarged_to": 16}
# "Free" networks have sums as wide as training makes them, so that what a removed ReLU costs is seen with and without.
LAYOUTS = {
    "mnist_pixels": pixels_layout("16x16 pixels", MNIST, 16),
    "mnist_dct": dct_layout("16x16 DCT 8 coefficients", MNIST, 16, 4, 8),
    "digits_pixels": pixels_layout("8x8 digits pixels", DIGITS, 8),
    "digits_dct": dct_layout(ENLARGED, **_enlarged),
    "digits_pixels_pruned": pixels_layout(
        "8x8 digits pixels, no first ReLU", DIGITS, 8, first_relu=False, widths=PRUNED
    ),
    "digits_dct_pruned": dct_layout(f"{ENLARGED}, no first ReLU", **_enlarged, first_relu=False, widths=PRUNED),
    "digits_dct_free": dct_layout(f"{ENLARGED}, free widths", **_enlarged, widths=FREE),
    "digits_dct_pruned_free": dct_layout(
        f"{ENLARGED}, no first ReLU, free widths", **_enlarged, first_relu=False, widths=FREE
    ),
}


def patches(maps: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    """Return the surroundings of the places of maps with zeros around, int [n, g, g, c] -> [n, g', g', kernel^2 * c].

    Row by row, as `torch.nn.functional.conv2d` with padding (kernel - 1) / 2 reads them; channels vary fastest.
    """
    edge = kernel // 2
    padded = np.pad(maps, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    side = maps.shape[1]
    shifted = [
        padded[:, top : top + side : stride, left : left + side : stride]
        for top in range(kernel)
        for left in range(kernel)
    ]
    return np.concatenate(shifted, axis=-1)


def relu(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return how many of the rising thresholds each integer reaches: 0 to len(thresholds)."""
    return sum((values >= threshold).astype(np.int64) for threshold in thresholds)


def bits_of(values: np.ndarray) -> int:
    """Return the width of the signed integers that hold all values."""
    return max(int(values.max()).bit_length(), int(-values.min() - 1).bit_length() if values.min() < 0 else 0) + 1


@dataclass(frozen=True)
class Net:
    """A layout with integer weights.

    `conv_1` [kernel^2 * channels, filters], `conv_2` [9 * filters, filters] and `classifier`
    [places * filters, classes] hold -1, 0 and 1; a bias per column; `thresholds_1` and `thresholds_2` [3].
    """

    layout: Layout
    conv_1: np.ndarray
    bias_1: np.ndarray
    thresholds_1: np.ndarray
    conv_2: np.ndarray
    bias_2: np.ndarray
    thresholds_2: np.ndarray
    classifier: np.ndarray
    bias_3: np.ndarray

    def accumulators(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Return the exact sums before both look-ups and the logits, for integer inputs [n, grid, grid, channels]."""
        first = patches(inputs.astype(np.int64), self.layout.kernel, 1) @ self.conv_1 + self.bias_1
        maps = relu(first, self.thresholds_1) if self.layout.first_relu else first
        second = patches(maps, KERNEL, self.layout.stride) @ self.conv_2 + self.bias_2
        features = relu(second, self.thresholds_2).reshape(len(inputs), -1)
        return [first, second, features @ self.classifier + self.bias_3]

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Return the exact integer logits [n, classes], which a faultless encrypted run gives too."""
        return self.accumulators(inputs)[-1]

    def inside(self, inputs: np.ndarray) -> np.ndarray:
        """Return which rows keep all sums within the widths of the layout, bool [n]."""
        within = np.ones(len(inputs), bool)
        for sums, width in zip(self.accumulators(inputs), self.layout.widths, strict=False):
            half = 2 ** (width - 1) if width else np.inf
            within &= ((sums >= -half) & (sums < half)).reshape(len(inputs), -1).all(1)
        return within

    def extremes(self, inputs: np.ndarray) -> np.ndarray:
        """Return the rows whose sums are the least and greatest of all inputs.

        A compiler that is shown these chooses the same widths as one that is shown all.
        """
        sums = [part.reshape(len(inputs), -1) for part in (inputs, *self.accumulators(inputs))]
        return np.unique([chosen for part in sums for chosen in (part.min(1).argmin(), part.max(1).argmax())])


def at_grid(net: Net, inputs: np.ndarray, grid: int, seed: int = 0) -> tuple[Net, np.ndarray]:
    """Return a network and inputs for images of another size, for the cost alone.

    Its convolutions are the network's. The classifier's weights are drawn, and inputs are repeated or left out.
    """
    old = net.layout
    if grid == old.grid:
        return net, inputs
    rows = np.arange(grid) * old.grid // grid
    layout = old.at_grid(grid)
    weights = np.random.default_rng(seed).integers(-1, 2, ((grid // old.stride) ** 2 * old.filters, old.classes))
    return replace(net, layout=layout, classifier=weights), inputs[:, rows][:, :, rows]


def write(arrays: dict[str, np.ndarray], path: str | Path) -> None:
    """Write integer arrays by name in NumPy's archive format, without pickle.

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file of `write`.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # zip, zlib and NumPy raise seven kinds for damaged archives
        raise UserError(f"{path}: missing or damaged ({error}); delete it and run the workflow") from error


def named(net: Net, key: str) -> dict[str, np.ndarray]:
    """Return the arrays of a network with the names that they have in a file."""
    return {f"{key}/{name}": getattr(net, name) for name in ARRAYS}


def from_arrays(arrays: dict[str, np.ndarray], key: str) -> Net:
    """Return a network from the arrays of a file.

    Raises:
        UserError: an array of it is missing.
    """
    missing = [name for name in ARRAYS if f"{key}/{name}" not in arrays]
    if key not in LAYOUTS or missing:
        raise UserError(f"encrypted: no weights of the TFHE network {key!r}; delete them and run the workflow")
    return Net(LAYOUTS[key], **{name: arrays[f"{key}/{name}"] for name in ARRAYS})
