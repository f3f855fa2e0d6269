"""Seeds and random orders derived from names, so that no result depends on the order in which jobs run."""

import hashlib

import numpy as np


def seed_from(*names: object) -> int:
    """Return a seed in [0, 2**31) that depends on the names alone: `seed_from(7, "bootstrap", run)`.

    The names are joined as text and hashed (sha256), so the seed is the same on every machine and in
    every Python version; every library used here accepts 31 bits. `1` and `"1"` are the same name.
    """
    joined = "\x1f".join(str(name) for name in names)  # the separator keeps ("a", "bc") and ("ab", "c") apart
    return int.from_bytes(hashlib.sha256(joined.encode()).digest()[:8], "big") % 2**31


def shuffled(rows: int, *names: object) -> np.ndarray:
    """Return the numbers 0 to `rows` - 1 in an order that depends on the names alone, int64 [rows]."""
    return np.random.default_rng(seed_from(*names)).permutation(rows)
