"""The outlier test on mask norms: the MAD index, its law where nothing is infected, and the verdict on a model."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scripts.common.errors import UserError
from scripts.common.seeds import seed_from

CONSISTENT = 1.4826  # makes the median absolute deviation of a normal law its standard deviation
SIGMA = 0.35  # of the log-normal norms in the simulation
SMALLEST_NORM = 1 / 255
MEDIANS = ("true", "lower")


def median_of(values: ArrayLike, median: str = "true") -> np.ndarray:
    """Return the median over the last axis.

    true: the mean of the two middle values of an even count (NumPy's). lower: the lower of them (torch's), which the
    notebook and other implementations take.
    """
    values = np.sort(np.asarray(values, dtype=float), axis=-1)
    count = values.shape[-1]
    lower, upper = values[..., (count - 1) // 2], values[..., count // 2]
    return {"true": (lower + upper) / 2, "lower": lower}[median]


def anomaly_index(norms: ArrayLike, median: str = "true") -> np.ndarray:
    """Return how far every norm lies below the median, in scaled median absolute deviations; negative above it.

    Published: |norm - median| / (1.4826 median |norm - median|), and flagged only below the median, so the sign says
    which side. Where at least half of the norms are equal the deviation is 0 and the others' index infinite.

    Args:
        norms: [..., labels].

    Raises:
        UserError: a norm is NaN or infinite.
    """
    norms = np.asarray(norms, dtype=float)
    if not np.isfinite(norms).all():
        count = int((~np.isfinite(norms)).sum())
        raise UserError(
            f"mask norms: {count} are NaN or infinite: the search diverged; lower backdoor.search.learning_rate, or "
            "check the model's weights"
        )
    centre = median_of(norms, median)[..., None]
    spread = CONSISTENT * median_of(abs(norms - centre), median)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norms == centre, 0.0, (centre - norms) / spread)


def log_norms(norms: ArrayLike) -> np.ndarray:
    """Return the logarithm of mask norms (in pixels); what no 8-bit image can show counts as the smallest that one can.

    A label to which a model sends every image needs no trigger at all, and its mask shrinks to 0.
    """
    return np.log(np.maximum(np.asarray(norms, dtype=float), SMALLEST_NORM))


def smallest_index(norms: ArrayLike, median: str = "true") -> np.ndarray:
    """Return the index of the smallest norm, [...]: the one that a model is judged by."""
    return anomaly_index(norms, median).max(axis=-1)


def null_indices(law: str, median: str, labels: int, draws: int, seed: int) -> np.ndarray:
    """Return the index of the smallest of `labels` norms for many models without a backdoor, [draws].

    law: `normal` norms (location and scale cancel; log-norms of log-normal norms have the same law), or `log-normal`
    norms with sigma 0.35.
    """
    random = np.random.default_rng(seed_from("backdoor", "null", law, seed))
    norms = random.standard_normal((draws, labels))
    return smallest_index(norms if law == "normal" else np.exp(SIGMA * norms), median)


def resampled_indices(log_norms: ArrayLike, labels: int, draws: int, median: str, logs: bool, seed: int) -> np.ndarray:
    """Return the same for models whose log-norms are drawn from those of real control models, with replacement.

    Args:
        log_norms: [models, labels]; every model's median is taken off first, so that a draw mixes models.
    """
    log_norms = np.asarray(log_norms, dtype=float)
    pool = (log_norms - median_of(log_norms)[:, None]).ravel()
    draw = np.random.default_rng(seed_from("backdoor", "resampled", seed)).choice(pool, (draws, labels))
    return smallest_index(draw if logs else np.exp(draw), median)


def null_table(labels: int, draws: int, seed: int) -> pd.DataFrame:
    """Return for both laws and both medians P(index > 2), P(index > 3) and the 95th percentile of the index."""
    rows = []
    for law in ("normal", "log-normal"):
        for median in MEDIANS:
            index = null_indices(law, median, labels, draws, seed)
            rows.append((law, median, *summary(index), labels, draws))
    return pd.DataFrame(rows, columns=["law", "median", "above_2", "above_3", "quantile_95", "labels", "draws"])


def summary(index: np.ndarray) -> tuple[float, float, float]:
    """Return P(index > 2), P(index > 3) and the 95th percentile."""
    return float((index > 2).mean()), float((index > 3).mean()), float(np.quantile(index, 0.95))


@dataclass(frozen=True)
class Rule:
    """When a model is called infected; see `verdict`."""

    index: float  # the published threshold of the index on norms
    log_index: float  # the threshold on log-norms: exceeded by a share `false_alarm` of models without a backdoor
    success: float  # least success of a reversed trigger on held-out images


def rule_of(settings: Mapping, labels: int) -> Rule:
    """Return the rule of a config block: its threshold on log-norms is simulated for this number of labels."""
    null = null_indices("normal", "true", labels, settings["null_draws"], settings["null_seed"])
    return Rule(settings["index"], float(np.quantile(null, 1 - settings["false_alarm"])), settings["success"])


def verdict(norms: ArrayLike, success: ArrayLike, rule: Rule) -> tuple[str, list[int], str]:
    """Return the verdict on a model, its suspected labels, and the reason.

    A label is suspected if its norm is an outlier below the median on log-norms (threshold with a known false-alarm
    rate) and its reversed trigger works on held-out images. The published index on norms accuses nobody by itself: no
    norm is below 0, so it never exceeds median / (1.4826 MAD), which is below 2 where clean labels differ widely.

        infected label t   t alone is suspected, and nothing else is an outlier on log-norms.
        clean              no label is an outlier, on norms or on log-norms.
        undecided          anything else: several suspects, an outlier on norms alone, or one whose trigger fails.
    """
    norms, success = np.asarray(norms, dtype=float), np.asarray(success, dtype=float)
    plain, logs = anomaly_index(norms) > rule.index, anomaly_index(log_norms(norms)) > rule.log_index
    works = success >= rule.success
    suspects = np.flatnonzero(logs & works).tolist()
    outliers = np.flatnonzero(plain | logs).tolist()
    if not outliers:
        return "clean", [], "no outlier"
    if len(suspects) == 1 and np.flatnonzero(logs).tolist() == suspects:
        return f"infected label {suspects[0]}", suspects, "one outlier, and its trigger works"
    if len(suspects) > 1:
        return "undecided", suspects, f"several suspects: {', '.join(map(str, suspects))}"
    fails = [label for label in outliers if not works[label]]
    if fails:
        return "undecided", suspects, f"the trigger of outlier {fails[0]} fails on held-out images"
    return "undecided", suspects, f"label {outliers[0]} is an outlier on norms alone"
