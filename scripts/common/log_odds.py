"""Log-odds of probabilities, finite also at 0 and 1."""

import numpy as np


def log_odds(probability: np.ndarray, margin: float = 1e-9) -> np.ndarray:
    """Return log(p / (1 - p)), float64 [n].

    Args:
        probability: [n] in [0, 1]; nan stays nan.
        margin: probabilities are kept this far from 0 and 1; with 0 the ends are infinite. It decides
            the scores of those that are certain.
    """
    kept = np.clip(np.asarray(probability, np.float64), margin, 1 - margin)  # in float32 the upper end would be 1
    return np.log(kept) - np.log1p(-kept)
