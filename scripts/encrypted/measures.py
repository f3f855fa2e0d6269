"""Numbers of the study from predictions and decrypted logits: accuracy, agreement, paired differences, noise."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common.interval_kinds import NORMAL, WILSON
from scripts.common.intervals import proportion_interval
from scripts.common.seeds import shuffled

Z = 1.959963984540054
SUBSETS, SUBSET = 10, 200  # as published: ten subsets of so many images
POOLED = {"block_dct-48": "49"}  # no blocks of 28x28 give 49 numbers but single ones


def proportion(hits: np.ndarray) -> dict:
    """Return a share with its Wilson interval, as columns of METRICS."""
    low, high = proportion_interval(hits.sum(), len(hits))
    return {"value": hits.mean(), "ci_low": low, "ci_high": high, "interval": WILSON, "n": len(hits)}


def mcnemar(first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """Return how often the first alone is right, the second alone, and the exact two-sided p-value (McNemar 1947).

    The p-value is that of a fair coin for the images on which they differ; 1 where they differ on none.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    n, least = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(n, k) for k in range(least + 1))
    return only_first, only_second, min(1.0, 2 * tail / 2**n)


def paired(first: np.ndarray, second: np.ndarray) -> dict:
    """Return the mean difference of two numbers per image with its normal interval, as columns of COMPARISONS.

    Args:
        first, second: [n], or [n, seeds], of which the mean over seeds is taken.
    """
    gaps = (np.asarray(first, float) - np.asarray(second, float)).reshape(len(first), -1)
    by_image, seeds = gaps.mean(1), gaps.shape[1]
    half = Z * by_image.std(ddof=1) / math.sqrt(len(by_image))
    value = by_image.mean()
    bounds = {"ci_low": value - half, "ci_high": value + half, "interval": NORMAL}
    return {"value": value, "n": len(by_image), "seeds": seeds} | bounds


def noise(clear: np.ndarray, decrypted: np.ndarray, labels: np.ndarray) -> dict:
    """Return how far decrypted logits [n, classes] are off those in clear, and what it changes.

    `precision_bits` is -log2 of the largest error over the largest logit; `flips` counts predictions that differ.
    """
    error = np.abs(decrypted - clear)
    largest = error.max()
    return {
        "n": len(clear),
        "max_error": largest,
        "median_error": np.median(error),
        "logit_deviation": clear.std(),
        "precision_bits": math.inf if largest == 0 else -math.log2(largest / np.abs(clear).max()),
        "flips": int((clear.argmax(1) != decrypted.argmax(1)).sum()),
        "wrong_in_clear": int((clear.argmax(1) != labels).sum()),
    }


def subset_spread(hits: np.ndarray, *names: object) -> dict[str, float]:
    """Return the deviation of accuracy over subsets of the test images, and the binomial one, by condition.

    As published, the spread over ten subsets of 200 images stands for reliability under encryption; it is that of
    sampling images.
    """
    size = min(SUBSET, len(hits))
    found = [hits[shuffled(len(hits), "encrypted", "subset", place, *names)[:size]].mean() for place in range(SUBSETS)]
    share = hits.mean()
    return {"subsets": float(np.std(found, ddof=1)), "binomial": math.sqrt(share * (1 - share) / size)}


def equal_cost_pairs(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return pairs of settings to compare: DCT with every rival at the same k, and DCT and pooling with all pixels.

    Args:
        settings: names of a dataset's settings on the plain network, with their k as text.
    """
    kinds = {name: (name.rpartition("-")[0], POOLED.get(name, k)) for name, k in settings.items()}
    found = []
    for name, (kind, k) in kinds.items():
        if kind != "dct":
            continue
        found += [
            (name, other) for other, (rival, same) in kinds.items() if same == k and rival not in ("dct", "pixels")
        ]
    whole = [name for name, (kind, _) in kinds.items() if kind == "pixels"]
    found += [(name, pixels) for name, (kind, _) in kinds.items() if kind in ("dct", "pooling") for pixels in whole]
    return found


def wide(logits: pd.DataFrame) -> np.ndarray:
    """Return the columns logit_0 .. logit_{K-1} of a frame, as far as they are given, float64 [n, K]."""
    columns = [name for name in logits if name.startswith("logit_")]
    values = logits[sorted(columns, key=lambda name: int(name[6:]))].to_numpy(float)
    return values[:, ~np.isnan(values).all(0)]
