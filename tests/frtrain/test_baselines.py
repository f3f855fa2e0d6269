"""The other methods, each against its equation, another library or a made case."""

import numpy as np
import pytest
import torch
from scipy.optimize import LinearConstraint, minimize
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from scripts.common.errors import UserError
from scripts.frtrain import adversarial, covariance, label_bias, reweight
from scripts.frtrain.datasets import synthetic_data
from scripts.frtrain.logistic import fit_logistic, loss_and_gradient, with_constant
from scripts.frtrain.methods import Fitter
from scripts.frtrain.plan import Cell
from scripts.frtrain.reductions import fit_reductions


@pytest.fixture(scope="module")
def parts(table):
    """Features with ones, labels as seen, groups of the poisoned training part; and the clean part."""
    data = synthetic_data(table, 0.1)
    x, y, z = data.part("train")
    x_clean, y_clean, _ = data.part("clean")
    return with_constant(x), y.astype(float), z.astype(float), with_constant(x_clean), y_clean.astype(float)


def evaluate(theta, data):
    test = data.parts["test"]
    accepted = with_constant(data.x[test]) @ theta > 0
    rates = [accepted[data.z[test] == group].mean() for group in (0, 1)]
    return min(rates) / max(rates), (accepted == (data.y[test] > 0)).mean()


@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_regression_is_that_of_scikit_learn(parts, weighted):
    x, y = parts[:2]
    weights = np.random.default_rng(1).random(len(y)) if weighted else None
    theirs = LogisticRegression(tol=1e-10, max_iter=1000).fit(x[:, :-1], y, sample_weight=weights)
    ours = fit_logistic(x, y, weights)
    assert ours == pytest.approx(np.append(theirs.coef_[0], theirs.intercept_), abs=2e-5)


@pytest.mark.parametrize(("rate", "expected"), [(0.0, (0.409, 0.885)), (0.1, (0.446, 0.819))])
def test_logistic_regression_has_the_printed_row_to_the_third_digit(table, rate, expected):
    data = synthetic_data(table, rate)
    theta = Fitter(data, 1, None).fit(Cell("synthetic", "clean", "lr", 1))["classifier"]
    assert tuple(round(value, 3) for value in evaluate(theta, data)) == expected


@pytest.mark.parametrize("bound", [0.1, 0.02, 0.0, -0.05])
def test_fc_holds_its_bound_and_is_the_constrained_optimum(parts, bound):
    x, y, z, *_ = parts
    theta = covariance.fit_covariance(x, y, z, bound)
    vector = x.T @ (z - z.mean()) / len(z)
    held = vector @ theta
    assert (abs(held) <= bound + 1e-6) if bound >= 0 else (held <= bound + 1e-6)
    low = -abs(bound) if bound >= 0 else -np.inf
    theirs = minimize(
        lambda t: np.array(loss_and_gradient(t, x, y, np.full(len(y), 1 / len(y)))[0]),
        np.zeros(4),
        jac=lambda t: loss_and_gradient(t, x, y, np.full(len(y), 1 / len(y)))[1],
        method="trust-constr",
        hess=lambda t: (x * (lambda p: p * (1 - p))(1 / (1 + np.exp(-x @ t)))[:, None]).T @ x / len(y),
        constraints=[LinearConstraint(vector[None], low, bound)],
        options={"gtol": 1e-9, "xtol": 1e-10, "maxiter": 500},
    )
    ours = loss_and_gradient(theta, x, y, np.full(len(y), 1 / len(y)))[0]
    assert ours == pytest.approx(theirs.fun, abs=1e-5)


def test_fc_is_at_its_optimum_where_rows_are_nearly_separable():
    for d, spread, seed in [(4, 3, 10), (6, 10, 19), (12, 3, 48)]:  # a start on the plane would lie where all is flat
        random, n = np.random.default_rng(seed), 60
        x = np.column_stack([random.normal(0, spread, (n, d)), np.ones(n)])
        z = (random.random(n) < 0.5).astype(float)
        y = np.where(x[:, :3].sum(axis=1) + 2 * z + random.normal(size=n) > 0, 1.0, -1.0)
        theta = covariance.fit_covariance(x, y, z, 0.0)
        normal = x.T @ (z - z.mean())
        normal /= np.linalg.norm(normal)
        _, gradient = loss_and_gradient(theta, x, y, np.ones(n))
        gradient[:-1] += covariance.NO_PENALTY * theta[:-1]
        assert np.abs(gradient - normal * (normal @ gradient)).max() < 1e-6, d


def test_a_logistic_regression_that_has_not_converged_is_an_error(parts):
    x, y = parts[:2]
    with pytest.raises(UserError, match="has not converged in 2 steps"):
        fit_logistic(x, y, steps=2)


def test_a_group_that_nothing_goes_along_with_is_no_case_for_a_negative_bound():
    x, y, z = np.array([[-1, 1], [1, 1], [-1, 1], [1.0, 1]]), np.array([-1, 1, 1, 1.0]), np.array([0, 0, 1, 1.0])
    with pytest.raises(UserError, match="nothing goes along with the group"):
        covariance.fit_covariance(x, y, z, -0.1)


def test_fc_with_a_penalty_does_not_buy_its_bound_with_rows_that_cost_nothing():
    random = np.random.default_rng(0)
    n, rare = 600, np.arange(600) < 6
    z = (random.random(n) < 0.5).astype(float)
    x = np.column_stack([random.normal(z, 1), rare, np.ones(n)])
    y = np.where(random.random(n) < 1 / (1 + np.exp(-2 * x[:, 0] + 1)), 1.0, -1.0)
    y[rare], z[rare] = 1, 0  # a column that separates: these rows take any high score without loss
    ordinary = ~rare

    def group_difference(**penalty):
        f = x @ covariance.fit_covariance(x, y, z, 0.0, **penalty)
        assert abs(((z - z.mean()) * f).mean()) <= 1e-6
        return f[ordinary & (z == 1)].mean() - f[ordinary & (z == 0)].mean()

    unconstrained = x @ fit_logistic(x, y)
    before = unconstrained[ordinary & (z == 1)].mean() - unconstrained[ordinary & (z == 0)].mean()
    assert group_difference() > 0.9 * before  # nobody else's scores have moved
    assert abs(group_difference(penalty=1.0)) < 0.3 * before


def test_fc_for_odds_bounds_both_covariances(parts):
    x, y, z, *_ = parts
    theta = covariance.fit_covariance(x, y, z, 0.01, odds=True)
    margin = y * (x @ theta)
    for label in (1, -1):
        own = (z - z.mean()) * np.minimum(0, margin) * (y == label)
        assert abs(own.mean()) <= 0.01 + 1e-6


def test_lbc_weights_are_those_of_the_equation():
    y, z = np.array([1, 1, -1, -1.0]), np.array([0, 1, 0, 1.0])
    mu = np.array([[0.3, -0.2], [0.3, -0.2]])
    expected = [1 / (1 + np.exp(-0.6)), 1 / (1 + np.exp(0.4)), 1 / (1 + np.exp(0.6)), 1 / (1 + np.exp(-0.4))]
    assert label_bias.correction(mu, y, z) == pytest.approx(expected, rel=1e-12)


def test_lbc_follows_its_published_rounds_with_scikit_learn(parts):
    x, y, z, *_ = parts
    mu, path = np.zeros(2), []
    for _ in range(4):
        signed = 2 * (mu[0] * (z == 0) + mu[1] * (z == 1))
        weights = np.where(y > 0, 1 / (1 + np.exp(-signed)), 1 / (1 + np.exp(signed)))
        model = LogisticRegression(tol=1e-10, max_iter=1000).fit(x[:, :-1], y, sample_weight=weights)
        accepted = model.predict(x[:, :-1]) > 0
        mu = mu + np.array([accepted.mean() - accepted[z == group].mean() for group in (0, 1)])
        path.append(np.append(model.coef_[0], model.intercept_))
    assert label_bias.label_bias_path(x, y, z, 4) == pytest.approx(np.array(path), abs=2e-4)


def test_lbc_violations_for_odds_are_per_label():
    accepted, y, z = np.array([1, 0, 1, 0.0]), np.array([1, 1, -1, -1.0]), np.array([0, 1, 0, 1.0])
    found = label_bias.violations(accepted, y, z, np.ones(4), odds=True)
    assert found == pytest.approx(np.array([[-0.5, 0.5], [-0.5, 0.5]]))


@pytest.mark.parametrize("odds", [False, True])
def test_ad_gradients_are_those_of_autograd(parts, odds):
    x, y, z, *_ = parts
    random = np.random.default_rng(2)
    w, a = random.normal(0, 0.5, 4), random.normal(0, 0.5, 5)
    shares, fair = (own / own.sum() for own in random.random((2, len(y))))
    arrays = [np.ascontiguousarray(v, np.float32) for v in (x[:, :-1].T, y > 0, z, shares, fair)]
    room = [np.empty(len(y), np.float32) for _ in range(4)]
    ours = adversarial.gradients(w, a, *arrays, odds, *room)
    rows, t, group, s_p, s_a = (torch.tensor(v) for v in (x, (y > 0).astype(float), z, shares, fair))
    theta, adversary = torch.tensor(w, requires_grad=True), torch.tensor(a, requires_grad=True)
    logit = rows @ theta
    s = torch.sigmoid((1 + adversary[0].abs()) * logit)
    guess = adversary[1] * s + adversary[2]
    if odds:
        guess = guess + adversary[3] * s * t + adversary[4] * s * (1 - t)
    own = (bce(logit, t, reduction="none") * s_p).sum()
    other = (bce(guess, group, reduction="none") * s_a).sum()
    theirs = [torch.autograd.grad(own, theta, retain_graph=True)[0], *torch.autograd.grad(other, [theta, adversary])]
    for mine, exact in zip(ours, theirs, strict=True):
        assert mine == pytest.approx(exact.numpy(), abs=2e-6)


def test_ad_removes_what_helps_the_adversary():
    gp, ga = np.array([1.0, 2.0]), np.array([1.0, 0.0])
    assert adversarial.update_direction(gp, ga, 0.5, True).tolist() == [-0.5, 2.0]
    assert adversarial.update_direction(gp, ga, 0.5, False).tolist() == [0.5, 2.0]


def test_rml_weights_are_the_derivative_of_the_validation_loss(parts):
    x, y, _, x_clean, y_clean = parts
    theta = np.random.default_rng(4).normal(0, 0.5, 4)
    targets = [(labels > 0).astype(float) for labels in (y, y_clean)]
    rooms = [np.empty(size, np.float32) for size in (len(y), len(y), len(y_clean), len(y))]
    given = (x[:, :-1].T, targets[0], x_clean[:, :-1].T, targets[1])
    given = [np.array(value, np.float32, order="C") for value in given]
    gradient = reweight.row_weights(theta, *given, *rooms)
    weights = rooms[-1]
    rows, t, rows_clean, t_clean = (torch.tensor(v) for v in (x, targets[0], x_clean, targets[1]))
    at, eps = torch.tensor(theta, requires_grad=True), torch.zeros(len(y), dtype=torch.float64, requires_grad=True)
    inner = (eps * bce(rows @ at, t, reduction="none")).sum()
    moved = at - torch.autograd.grad(inner, at, create_graph=True)[0]
    slope = torch.autograd.grad(bce(rows_clean @ moved, t_clean), eps)[0]
    expected = torch.clamp(-slope, min=0)
    expected = expected / expected.sum()
    assert weights == pytest.approx(expected.numpy(), rel=1e-5, abs=1e-9)  # single precision
    loss = (expected * bce(rows @ at, t, reduction="none")).sum()
    assert gradient == pytest.approx(torch.autograd.grad(loss, at)[0].numpy(), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rml_gives_flipped_rows_hardly_any_weight(table, seed):
    data = synthetic_data(table, 0.1)
    found = Fitter(data, seed, None).reweighted
    train = data.parts["train"]
    flipped = data.labels[train] != data.y[train]
    assert flipped.sum() == 200 and found.average[flipped].sum() <= 0.05


def test_weights_are_handed_over_with_mean_one():
    found = reweight.Reweighted(np.zeros(2), np.array([0, 0, 1.0, 0]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert reweight.handed_over(found, "average").tolist() == pytest.approx([0.4, 0.8, 1.2, 1.6])
    assert reweight.handed_over(found, "last").tolist() == [0, 0, 4, 0]
    assert reweight.handed_over(found, "filter").tolist() == pytest.approx([0, 4 / 3, 4 / 3, 4 / 3])
    with pytest.raises(ValueError, match="no handover 'first'"):
        reweight.handed_over(found, "first")


def test_the_outside_reference_is_fairer_than_logistic_regression(table):
    data = synthetic_data(table, 0.0)
    x, y, z = data.part("train")
    score, accepted = fit_reductions(x[:600], y[:600], z[:600], data.x, 0.05, False, 1)
    test = data.parts["test"]
    rates = [accepted[test][data.z[test] == group].mean() for group in (0, 1)]
    assert min(rates) / max(rates) > 0.6 and ((score > 0) == accepted)[test].mean() > 0.6
