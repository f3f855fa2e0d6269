"""Weighted logistic regression by Newton's method, the building block of LR, FC, LBC and the poisoner."""

import numpy as np
from numpy.typing import ArrayLike

from scripts.common.errors import UserError


def with_constant(x: ArrayLike) -> np.ndarray:
    """Return features [n, d] in float64 with a last column of ones."""
    x = np.asarray(x, dtype=float)
    return np.column_stack([x, np.ones(len(x))])


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return the logistic function without overflow."""
    tail = np.exp(-np.abs(values))
    return np.where(values >= 0, 1, tail) / (1 + tail)


def loss_and_gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Return sum weights * log(1 + exp(-y f)) and its gradient [d + 1]; x is [n, d + 1], y is -1/+1."""
    margin = y * (x @ theta)
    return float(weights @ np.logaddexp(0, -margin)), x.T @ (-weights * y * sigmoid(-margin))


def newton_move(
    curvature: np.ndarray, gradient: np.ndarray, normal: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return Newton's move [d + 1] within the plane of a normal, if any, and what is left of the gradient there."""
    if normal is None:
        return np.linalg.solve(curvature, gradient), gradient
    free, straight = np.linalg.solve(curvature, np.column_stack([gradient, normal])).T
    move = free - straight * (normal @ free) / (normal @ straight)
    return move, gradient - normal * (normal @ gradient)


def fit_logistic(
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None = None,
    penalty: float = 1.0,
    start: np.ndarray | None = None,
    steps: int = 200,
    plane: tuple[np.ndarray, float] | None = None,
) -> np.ndarray:
    """Minimise sum weights * log(1 + exp(-y f)) + penalty / 2 |theta|^2, the constant unpenalised.

    With penalty 1 this is scikit-learn's default. Newton's method takes some seven solutions of a (d + 1)-sized system
    here, and a close `start` makes it two, which the hundred fits of label-bias correction live on.

    Args:
        x: [n, d + 1] with a last column of ones.
        y: -1/+1 [n].
        weights: at least 0 [n]; ones by default.
        plane: a vector of length 1 [d + 1] and the value that its product with theta must have, if any.

    Returns:
        theta float64 [d + 1].

    Raises:
        UserError: the gradient (in the plane, if any) does not vanish.
    """
    theta = np.zeros(x.shape[1]) if start is None else start.copy()
    if plane is not None:
        theta += plane[0] * (plane[1] - plane[0] @ theta)
    weights = np.ones(len(y)) if weights is None else weights
    ridge = np.full(len(theta), float(penalty))
    ridge[-1] = 0.0

    def objective(parameters: np.ndarray) -> float:
        return float(weights @ np.logaddexp(0, -y * (x @ parameters)) + 0.5 * ridge @ parameters**2)

    value = objective(theta)
    for _ in range(steps):
        p = sigmoid(x @ theta)
        gradient = x.T @ (weights * (p - (y > 0))) + ridge * theta
        curvature = (x * (weights * p * (1 - p))[:, None]).T @ x + np.diag(ridge + 1e-10)
        move, gradient = newton_move(curvature, gradient, None if plane is None else plane[0])
        size = 1.0
        while (new := objective(theta - size * move)) > value + 1e-12 * abs(value) and size > 1e-12:
            size /= 2
        theta, value = theta - size * move, new
        if np.abs(gradient).max() < 1e-9 * max(len(y), 1):
            return theta
    raise UserError(
        f"frtrain: a logistic regression has not converged in {steps} steps; give it more rows or fewer columns"
    )
