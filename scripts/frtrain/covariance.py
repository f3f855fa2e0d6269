"""FC: logistic regression whose scores hardly covary with the group (Zafar et al., AISTATS and WWW 2017).

Demographic parity: minimise the mean logistic loss subject to |cov(z, f)| <= c. The covariance is linear in theta and
the loss convex, so where the unconstrained solution exceeds the bound, the constrained one lies on it, on the same
side: Newton's method within a plane, two (synthetic) to twenty times (Adult) as fast as SLSQP. Equalized odds: the
same with the covariances of z and min(0, y f), the distance of the misclassified rows from the boundary, over the
rows of each label. That is continuous and piecewise linear but not convex; the solver starts from the unconstrained
solution and stops at a local optimum, where the published code uses a heuristic for such problems.

Three choices of ours. A negative bound asks for a covariance beyond zero, of the opposite sign: on the synthetic data
zero leaves a disparate impact just below 0.8. Features include the group, as the published numbers need. On real
tables the loss carries the penalty of LR: rows of a rare category that all have one label can be given any score at no
loss, and without a penalty such a score alone bought the whole covariance (600 rows of COMPAS) and nobody else's moved.
"""

from typing import NamedTuple

import numpy as np

from scripts.common.errors import UserError
from scripts.frtrain.logistic import fit_logistic, loss_and_gradient

TOLERANCE = 1e-6  # of the bound, in units of the covariance
NO_PENALTY = 1e-6  # all but none: theta stays finite where a plane separates the labels


class Problem(NamedTuple):
    """What FC minimises: the loss of rows x [n, d + 1], labels -1/+1 and weights [n], with a penalty, under a bound."""

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    penalty: float
    covariances: "Covariances"
    bound: float


class Covariances:
    """The covariances of group and score to be bounded, [1] for parity and [2] for odds, as functions of theta.

    Args:
        x: [n, d + 1] with a last column of ones.
        y, z: labels -1/+1 and groups 0/1 [n].
        weights: of the rows in the means [n].
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, weights: np.ndarray, odds: bool) -> None:
        shares = weights / weights.sum()
        self.x, self.y, self.odds = x, y, odds
        self.centred = shares * (z - shares @ z)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """Return the derivatives [k, d + 1]; the covariances are these times theta."""
        if not self.odds:
            return (self.x.T @ self.centred)[None]
        wrong = self.y * (self.x @ theta) < 0
        rows = [self.centred * self.y * (wrong & (self.y == label)) for label in (1, -1)]
        return np.stack([self.x.T @ row for row in rows])

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """Return the covariances [k]."""
        return self.jacobian(theta) @ theta


def fit_covariance(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    bound: float,
    weights: np.ndarray | None = None,
    odds: bool = False,
    fair_weights: np.ndarray | None = None,
    penalty: float = NO_PENALTY,
) -> np.ndarray:
    """Return theta float64 [d + 1] of FC.

    Args:
        x: [n, d + 1] with a last column of ones.
        y, z: labels -1/+1 and groups 0/1 [n].
        bound: largest |covariance|; below zero: the covariance goes at least that far to the other side.
        weights: of the rows in the loss.
        odds: equalized odds in place of demographic parity.
        fair_weights: of the rows in the covariances; ones by default.
        penalty: times |theta|^2 / 2, added to the sum of losses; the constant goes free.

    Raises:
        UserError: the solver finds no point that holds the bound to 1e-6.
    """
    ones = np.ones(len(y))
    weights = ones if weights is None else weights
    covariances = Covariances(x, y, z, ones if fair_weights is None else fair_weights, odds)
    problem = Problem(x, y, weights, penalty, covariances, bound)
    start = fit_logistic(x, y, weights, penalty=penalty)
    theta = bounded_odds(problem, start) if odds else bounded_parity(problem, start)
    missed = float((sides_of(covariances(start), bound) @ covariances(theta) - bound).max())
    if missed > TOLERANCE:
        raise UserError(f"frtrain: FC misses its covariance bound {bound:g} by {missed:.1e}; take another bound")
    return theta


def sides_of(held: np.ndarray, bound: float) -> np.ndarray:
    """Return the signs [m, k] with which covariances [k] must not exceed the bound.

    Both signs, and for a negative bound the one that the unconstrained solution's covariances `held` have.
    """
    both = np.vstack([np.eye(len(held)), -np.eye(len(held))])
    return both if bound >= 0 else np.diag(np.where(held < 0, -1.0, 1.0))


def bounded_parity(problem: Problem, start: np.ndarray) -> np.ndarray:
    """Return the optimum theta [d + 1] under one linear bound, from the unconstrained one.

    Raises:
        UserError: the bound is negative, and no column covaries with the group.
    """
    (held,) = problem.covariances(start)
    if abs(held) <= problem.bound:
        return start
    (vector,) = problem.covariances.jacobian(start)
    if not (size := np.linalg.norm(vector)):
        raise UserError("frtrain: FC: nothing goes along with the group in these rows; take a bound of at least zero")
    plane = vector / size, problem.bound / size * (-1.0 if held < 0 else 1.0)
    # not from `start`: far from the plane, its projection can lie where the loss has no curvature left
    return fit_logistic(problem.x, problem.y, problem.weights, penalty=problem.penalty, plane=plane)


def bounded_odds(problem: Problem, start: np.ndarray) -> np.ndarray:
    """Return a local optimum theta [d + 1] under bounds that are not convex, by sequential quadratic programs."""
    from scipy.optimize import minimize  # only the runs for equalized odds need it; it takes 0.15 s to import

    covariances, total = problem.covariances, problem.weights.sum()
    sides = sides_of(covariances(start), problem.bound)
    # the solver likes constraints of order one
    scale = np.abs(sides) @ np.maximum(np.linalg.norm(covariances.jacobian(start), axis=1), 1e-12)
    ridge = np.append(np.full(len(start) - 1, problem.penalty), 0.0)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient = loss_and_gradient(theta, problem.x, problem.y, problem.weights)
        return (loss + 0.5 * ridge @ theta**2) / total, (gradient + ridge * theta) / total

    constraint = {
        "type": "ineq",
        "fun": lambda theta: (problem.bound - sides @ covariances(theta)) / scale,
        "jac": lambda theta: -(sides @ covariances.jacobian(theta)) / scale[:, None],
    }
    options = {"maxiter": 1000, "ftol": 1e-12}
    return minimize(objective, start, jac=True, method="SLSQP", constraints=[constraint], options=options).x
