"""Attacks that guess a person's group from what a model exposes, fitted on one set of people and judged on another.

Every `fit_...` takes the exposed values and groups of the attack-training rows and returns a function from values to
guessed groups. All aim at balanced accuracy, so groups count the same however large they are.
"""

from collections.abc import Callable

import numpy as np
from threadpoolctl import ThreadpoolController

Guess = Callable[[np.ndarray], np.ndarray]
BINS = 20
ROWS_PER_BIN = 50  # of the rarer group, on average: fewer make bins noisy
BOOSTING_ROWS = 4000  # more make it slower and hardly stronger on one score
THREADS = ThreadpoolController()
BOOSTING = {"max_iter": 30, "max_leaf_nodes": 6, "learning_rate": 0.15, "early_stopping": False}


def fit_map(outputs: np.ndarray, groups: np.ndarray, k: int) -> np.ndarray:
    """Return the best map from outputs 0 .. m - 1 to groups on these rows, int64 [m]; ties go to the lower group."""
    m = int(outputs.max()) + 1
    counts = np.bincount(outputs * k + groups, minlength=m * k).reshape(m, k)
    return (counts / counts.sum(0)).argmax(1)


def fit_label(outputs: np.ndarray, groups: np.ndarray, k: int) -> Guess:
    """Return the label attack: the best map; a label that the training rows lack is told to be group 0."""
    best = fit_map(outputs, groups, k)

    def guess(values: np.ndarray) -> np.ndarray:
        known = values < len(best)
        return np.where(known, best[np.where(known, values, 0)], 0)

    return guess


def fit_threshold(scores: np.ndarray, groups: np.ndarray, upward: bool) -> Guess:
    """Return Youden's threshold for two groups: above it group 1 if `upward`, else group 0. float [n], int [n]."""
    order = np.argsort(scores, kind="stable")
    ordered, member = scores[order], groups[order]
    ones, zeros = np.cumsum(member == 1), np.cumsum(member == 0)
    below = np.concatenate([[0.0], zeros / zeros[-1] - ones / ones[-1]])  # P(s <= cut | 0) - P(s <= cut | 1)
    ends = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])  # a cut lies between different values
    gain = np.where(ends, below if upward else -below, -np.inf)
    place = int(gain.argmax())
    edges = np.concatenate([[-np.inf], ordered, [np.inf]])
    with np.errstate(invalid="ignore"):  # beyond the ends: half of two infinities of one sign, or nan of both
        cut = edges[place] if place in (0, len(ordered)) else (edges[place] + edges[place + 1]) / 2
    above = 1 if upward else 0
    return lambda values: np.where(values > cut, above, 1 - above)


def bin_edges(scores: np.ndarray, bins: int) -> np.ndarray:
    """Return the inner edges of quantile bins, sorted and distinct, float64 [bins - 1 or fewer]."""
    return np.unique(np.quantile(scores, np.arange(1, bins) / bins, method="lower"))


def fit_bins(scores: np.ndarray, groups: np.ndarray, k: int) -> Guess:
    """Return the best map from quantile bins to groups: at most 20 bins, 50 rows of the rarest group to a bin."""
    rarest = int(np.bincount(groups, minlength=k).min())
    edges = bin_edges(scores, max(2, min(BINS, rarest // ROWS_PER_BIN)))
    guess = fit_label(np.searchsorted(edges, scores, side="left"), groups, k)
    return lambda values: guess(np.searchsorted(edges, values, side="left"))


def fit_boosting(values: np.ndarray, groups: np.ndarray, k: int, seed: int) -> Guess:
    """Return gradient-boosted trees with balanced weights on values [n, d]; at most `BOOSTING_ROWS` rows are used."""
    # sklearn takes 0.7 s to import, and jobs that only compare or draw use other functions of this file
    from sklearn.ensemble import HistGradientBoostingClassifier

    if len(values) > BOOSTING_ROWS:
        chosen = np.random.default_rng(seed).choice(len(values), BOOSTING_ROWS, replace=False)
        if len(np.unique(groups[chosen])) == k:
            values, groups = values[chosen], groups[chosen]
    leaf = max(20, len(values) // 100)
    settings = {**BOOSTING, "min_samples_leaf": leaf, "class_weight": "balanced", "random_state": seed}
    with THREADS.limit(limits=1, user_api="openmp"):  # on a busy machine many threads wait for one another
        model = HistGradientBoostingClassifier(**settings).fit(values, groups)

    def guess(those: np.ndarray) -> np.ndarray:
        with THREADS.limit(limits=1, user_api="openmp"):
            return model.predict(those).astype(np.int64)

    return guess


def group_hits(guessed: np.ndarray, groups: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how many people of each group are told right, and how many there are; int64 [k] each."""
    return np.bincount(groups[guessed == groups], minlength=k), np.bincount(groups, minlength=k)


def balanced(guessed: np.ndarray, groups: np.ndarray, k: int) -> float:
    """Return the balanced accuracy over the k declared groups; nan if one of them is absent."""
    hits, sizes = group_hits(guessed, groups, k)
    return float(np.mean(hits / sizes)) if sizes.all() else float("nan")


def battery(
    values: np.ndarray, labels: np.ndarray | None, groups: np.ndarray, k: int, seed: int
) -> dict[str, Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]]:
    """Return the attacks on exposed numbers: name to a function from training rows to a function from rows to guesses.

    Rows are positions in `values` [n, d]. Thresholds and bins need one number (d = 1), thresholds two groups.

    Args:
        labels: the label of every row where it is exposed with the numbers, else None.
    """
    attacks: dict[str, Callable] = {}
    if labels is not None:
        attacks["label"] = _on(labels, groups, lambda x, s: fit_label(x, s, k))
    single = values[:, 0]
    if values.shape[1] == 1 and k == 2:
        attacks["threshold, upward"] = _on(single, groups, lambda x, s: fit_threshold(x, s, True))
        attacks["threshold, downward"] = _on(single, groups, lambda x, s: fit_threshold(x, s, False))
    if values.shape[1] == 1:
        attacks["quantile bins"] = _on(single, groups, lambda x, s: fit_bins(x, s, k))
    attacks["boosting"] = _on(values, groups, lambda x, s: fit_boosting(x, s, k, seed))
    return attacks


def _on(values: np.ndarray, groups: np.ndarray, fit: Callable) -> Callable:
    """Return an attack on positions instead of values."""

    def fitted(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        guess = fit(values[rows], groups[rows])
        return lambda others: guess(values[others])

    return fitted


def strongest(attacks: dict[str, Callable], train: np.ndarray, groups: np.ndarray, k: int) -> tuple[str, Callable]:
    """Choose the attack that does best out of fold on the training rows, and fit it on all of them.

    Two folds, alternating rows within each group; ties go to the first. The rows that judge the attack are not seen.

    Args:
        train: positions of the attack-training rows; every group has at least four of them.
    """
    order = train[np.argsort(groups[train], kind="stable")]
    folds = order[::2], order[1::2]
    reached = {}
    for name, fit in attacks.items():
        guessed = np.concatenate([fit(folds[1])(folds[0]), fit(folds[0])(folds[1])])
        reached[name] = balanced(guessed, groups[np.concatenate(folds)], k)
    name = max(reached, key=lambda name: reached[name])
    return name, attacks[name](train)
