"""The integers that a client encrypts: pixels of 2 bits, or kept DCT coefficients of 4x4 blocks with 3 bits."""

from dataclasses import dataclass

import numpy as np

from scripts.encrypted.tfhe.nets import Layout
from scripts.encrypted.transforms import dct_matrix, zigzag

BLOCK = 4
PIXEL_LEVELS = 3  # the greatest pixel
COEFFICIENT_LEVELS = 3  # the greatest coefficient; the least is its negative
STEP = 0.7  # of a coefficient's rounding, in standard deviations


def enlarged(images: np.ndarray, side: int) -> np.ndarray:
    """Return square images [n, s, s] enlarged by linear interpolation between the middles of pixels [n, side, side]."""
    old = images.shape[1]
    places = np.clip((np.arange(side) + 0.5) * old / side - 0.5, 0, old - 1)
    low = np.minimum(places.astype(int), old - 2)
    weight = places - low
    matrix = np.zeros((side, old))
    matrix[np.arange(side), low] = 1 - weight
    matrix[np.arange(side), low + 1] += weight
    return matrix @ images @ matrix.T


def block_coefficients(images: np.ndarray, kept: int) -> np.ndarray:
    """Return the lowest frequencies of 4x4 blocks, one channel each: [n, s, s] -> [n, s / 4, s / 4, kept]."""
    t = dct_matrix(BLOCK)
    n, grid = len(images), images.shape[1] // BLOCK
    blocks = images.reshape(n, grid, BLOCK, grid, BLOCK).transpose(0, 1, 3, 2, 4)
    coefficients = t @ blocks @ t.T
    return np.stack([coefficients[..., u, v] for u, v in zigzag(BLOCK)[:kept]], axis=-1)


@dataclass(frozen=True)
class Quantiser:
    """Rounding of numbers to integers: (x - centre) / step per channel, cut to [least, greatest]."""

    centre: np.ndarray
    step: np.ndarray
    least: int
    greatest: int

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Return int64 of the same shape."""
        return np.clip(np.rint((numbers - self.centre) / self.step), self.least, self.greatest).astype(np.int64)


def numbers_of(images: np.ndarray, layout: Layout) -> np.ndarray:
    """Return what a network sees of images [n, side, side] in [0, 1], before rounding: [n, grid, grid, channels]."""
    seen = enlarged(images, layout.enlarged_to) if layout.enlarged_to else images
    return seen[..., None] if layout.transform == "pixels" else block_coefficients(seen, layout.channels)


def quantiser(numbers: np.ndarray, layout: Layout) -> Quantiser:
    """Return the rounding of inputs: fixed for pixels; by mean and spread of training images for the DCT."""
    if layout.transform == "pixels":
        return Quantiser(np.zeros(1), np.full(1, 1 / PIXEL_LEVELS), 0, PIXEL_LEVELS)
    spread = numbers.std(axis=(0, 1, 2))
    step = STEP * np.where(spread > 0, spread, 1)
    return Quantiser(numbers.mean(axis=(0, 1, 2)), step, -COEFFICIENT_LEVELS, COEFFICIENT_LEVELS)
