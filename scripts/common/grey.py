"""Colour images in grey, and square images shrunk to means of blocks."""

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as image libraries turn colours to grey


def middle_grey(images: np.ndarray, side: int) -> np.ndarray:
    """Return the middle squares of colour images as grey values in [0, 1], float32 [n, side, side].

    Args:
        images: uint8 [n, height, width, 3], neither below the side.
    """
    top, left = (images.shape[1] - side) // 2, (images.shape[2] - side) // 2
    return images[:, top : top + side, left : left + side].astype(np.float32) @ LUMA / 255


def block_means(images: np.ndarray, side: int) -> np.ndarray:
    """Return square images [n, s, s] as means of equal blocks [n, side * side]; the side divides s."""
    size = images.shape[1] // side
    return images.reshape(len(images), side, size, side, size).mean(axis=(2, 4)).reshape(len(images), -1)
