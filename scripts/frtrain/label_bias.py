"""LBC: label-bias correction (Jiang and Nachum, AISTATS 2020), rows reweighted until the groups agree.

The number of rounds is the knob, as in the published code. Weights meet a logistic regression with scikit-learn's
default penalty. Example weights of another method multiply the correction's own.
"""

import numpy as np

from scripts.frtrain.logistic import fit_logistic, sigmoid

STEP = 1.0


def correction(mu: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the row weights [n] for multipliers [2, 2] (label positive or not, group).

    w = sigmoid(2 m) for y = +1 and sigmoid(-2 m) for y = -1, m being the multiplier of the row's label and group.
    Demographic parity has the same multipliers for both labels.
    """
    own = mu[(y <= 0).astype(int), z.astype(int)]
    return sigmoid(2 * own * np.where(y > 0, 1, -1))


def violations(accepted: np.ndarray, y: np.ndarray, z: np.ndarray, weights: np.ndarray, odds: bool) -> np.ndarray:
    """Return the mean acceptance minus the group's [2, 2] (label, group); for parity both labels are alike."""
    found = np.zeros((2, 2))
    for row, label in enumerate((1, -1)):
        among = weights * (y == label) if odds else weights
        for group in (0, 1):
            own = among * (z == group)
            found[row, group] = accepted @ among / among.sum() - (accepted @ own / own.sum() if own.any() else 0.0)
    return found


def label_bias_path(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    rounds: int,
    weights: np.ndarray | None = None,
    odds: bool = False,
    fair_weights: np.ndarray | None = None,
) -> np.ndarray:
    """Return theta after each round, float64 [rounds, d + 1].

    Args:
        x: [n, d + 1] with a last column of ones.
        y, z: labels -1/+1 and groups 0/1 [n].
        weights: of the rows, from another method.
        odds: equalized odds: a multiplier per group and label in place of one per group.
        fair_weights: of the rows in the means that are compared; ones by default.
    """
    ones = np.ones(len(y))
    given, counted = ones if weights is None else weights, ones if fair_weights is None else fair_weights
    mu, theta, path = np.zeros((2, 2)), None, []
    for _ in range(rounds):
        theta = fit_logistic(x, y, given * correction(mu, y, z), start=theta)
        path.append(theta)
        mu = mu + STEP * violations((x @ theta > 0).astype(float), y, z, counted, odds)
    return np.array(path)
