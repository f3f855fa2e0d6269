"""One-hot columns of categories over their full declared range."""

from collections.abc import Sequence

import numpy as np


def one_hot(codes: np.ndarray, sizes: Sequence[int], dtype: type = np.float32) -> np.ndarray:
    """Return one column of zeros and ones per category of each column, [n, sum of sizes], in the order of the codes.

    Args:
        codes: int [n, q], column k holding 0 .. sizes[k] - 1; a missing value, -1, has zeros only.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    columns = np.zeros((len(codes), starts[-1]), dtype)
    rows, places = np.nonzero(codes >= 0)
    columns[rows, starts[places] + codes[rows, places]] = 1
    return columns
