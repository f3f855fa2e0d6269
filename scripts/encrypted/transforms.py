"""What is encrypted of a grey image: k numbers by the discrete cosine transform, or by a rival at the same cost.

All are linear maps of the pixels, so each is a matrix [k, height * width]; one encrypted input costs the same whatever
it holds. Roy and Roy (ICLR 2025) keep low frequencies of blocks; the rivals are mean pooling (which is the lowest
frequency of each block), the centre of the image, every n-th pixel, and all pixels.
"""

from collections.abc import Callable

import numpy as np

from scripts.common.errors import UserError

TRANSFORMS: dict[str, Callable[[int, int], np.ndarray]] = {}
PUBLISHED_LUMA_4 = tuple(i for i in range(16) if i not in (10, 11, 14, 15))  # of 4x4 blocks, indices row by row
PUBLISHED_CHROMA_4 = (0, 1, 2, 4, 5, 8)
PUBLISHED_LUMA_8 = (*range(6), 8, 9, 10, 16, 17, 18, 24, 32)
PUBLISHED_CHROMA_8 = (0, 1, 3, 8, 24)


def dct_matrix(n: int) -> np.ndarray:
    """Return T of the orthonormal DCT-II, float64 [n, n].

    T[0, j] = 1/sqrt(n), T[i, j] = sqrt(2/n) cos((2j + 1) i pi / 2n).

    T X T' has the coefficients of a block X; T T' = I.
    """
    i, j = np.arange(n)[:, None], np.arange(n)
    matrix = np.sqrt(2 / n) * np.cos((2 * j + 1) * i * np.pi / (2 * n))
    matrix[0] = 1 / np.sqrt(n)
    return matrix


def zigzag(n: int) -> list[tuple[int, int]]:
    """Return the places (u, v) of the coefficients of an n x n block, low frequencies first, as JPEG orders them."""
    places = [(u, v) for u in range(n) for v in range(n)]
    return sorted(places, key=lambda place: (sum(place), place[0] if sum(place) % 2 else place[1]))


def whole_dct(side: int, k: int) -> np.ndarray:
    """Return the matrix of the k lowest frequencies of the whole image in zigzag order [k, side * side]."""
    check_fit("dct", side, k)
    t = dct_matrix(side)
    return np.stack([np.outer(t[u], t[v]).ravel() for u, v in zigzag(side)[:k]])


def block_size(side: int, k: int) -> tuple[int, int]:
    """Return block size n and coefficients kept per block for k numbers: the largest blocks below the whole image.

    Raises:
        UserError: no block size divides the image so that k is a multiple of the number of blocks.
    """
    for n in sorted((n for n in range(2, side) if side % n == 0), reverse=True):
        blocks = (side // n) ** 2
        if k % blocks == 0 and 0 < k // blocks <= n * n and k // blocks < n * n:
            return n, k // blocks
    raise UserError(f"encrypted: no blocks of a {side}x{side} image give {k} numbers; take another k or transform")


def block_dct(side: int, k: int) -> np.ndarray:
    """Return the matrix of the lowest frequencies of all blocks [k, side * side], block after block."""
    n, kept = block_size(side, k)
    t, rows = dct_matrix(n), []
    for top in range(0, side, n):
        for left in range(0, side, n):
            for u, v in zigzag(n)[:kept]:
                image = np.zeros((side, side))
                image[top : top + n, left : left + n] = np.outer(t[u], t[v])
                rows.append(image.ravel())
    return np.stack(rows)


def pooling(side: int, k: int) -> np.ndarray:
    """Return the matrix of the means of a grid of equal blocks [k, side * side]."""
    grid = round(np.sqrt(k))
    check_fit("pooling", side, k)
    n = side // grid
    rows = np.zeros((grid, grid, side, side))
    for row in range(grid):
        for column in range(grid):
            rows[row, column, row * n : (row + 1) * n, column * n : (column + 1) * n] = 1 / n**2
    return rows.reshape(k, -1)


def centre_crop(side: int, k: int) -> np.ndarray:
    """Return the matrix of the pixels of the central square [k, side * side]."""
    grid = round(np.sqrt(k))
    check_fit("crop", side, k)
    first = (side - grid) // 2
    places = np.arange(side * side).reshape(side, side)[first : first + grid, first : first + grid]
    return np.eye(side * side)[places.ravel()]


def subsampling(side: int, k: int) -> np.ndarray:
    """Return the matrix of a grid of single pixels, from the middle of each of k equal parts [k, side * side]."""
    grid = round(np.sqrt(k))
    check_fit("subsampling", side, k)
    lines = ((np.arange(grid) + 0.5) * side / grid).astype(int)
    places = np.arange(side * side).reshape(side, side)[np.ix_(lines, lines)]
    return np.eye(side * side)[places.ravel()]


def pixels(side: int, k: int) -> np.ndarray:
    """Return the identity [k, side * side]; k is the number of pixels."""
    check_fit("pixels", side, k)
    return np.eye(side * side)


TRANSFORMS |= {
    "dct": whole_dct,
    "block_dct": block_dct,
    "pooling": pooling,
    "subsampling": subsampling,
    "crop": centre_crop,
    "pixels": pixels,
}


def matrix_of(name: str, side: int, k: int) -> np.ndarray:
    """Return the matrix of a transform, float64 [k, side * side].

    Raises:
        UserError: there is no such transform, or it cannot give k numbers.
    """
    check_fit(name, side, k)
    return TRANSFORMS[name](side, k)


def kept_energy(matrix: np.ndarray, images: np.ndarray) -> float:
    """Return the sum of squares of the numbers over that of the pixels, for a matrix with orthonormal rows (Parseval).

    Args:
        images: [n, side * side].
    """
    return float(((images @ matrix.T) ** 2).sum() / (images**2).sum())


def reconstruction(matrix: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the image of least norm with these numbers [n, side * side]: the transform's pseudo-inverse."""
    return numbers @ np.linalg.pinv(matrix).T


def check_fit(name: str, side: int, k: int) -> None:
    """Check that a transform can give k numbers of an image.

    Raises:
        UserError: there is no such transform, or it cannot.
    """
    if name not in TRANSFORMS:
        raise UserError(f"encrypted: no transform {name!r}; there are {', '.join(TRANSFORMS)}")
    grid, whole = max(1, round(np.sqrt(k))), side * side
    if name == "block_dct" and k > 0:
        block_size(side, k)
        return
    holds, why = {
        "block_dct": (False, "at least one is needed"),
        "dct": (k <= whole, f"an image of {side}x{side} has {whole} coefficients"),
        "pooling": (grid**2 == k and side % grid == 0, "pooling needs k = g * g with g a divisor of the side"),
        "subsampling": (grid**2 == k and grid <= side, "sub-sampling needs k = g * g with g at most the side"),
        "crop": (grid**2 == k and grid <= side, "a crop needs k = g * g with g at most the side"),
        "pixels": (k == whole, f"an image of {side}x{side} has {whole} pixels"),
    }[name]
    if not holds or k < 1:
        raise UserError(f"encrypted: {k} numbers of a {side}x{side} image: {why}")
