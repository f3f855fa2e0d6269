"""Classifiers whose attacks can be checked, and exact answers for the linear one."""

import numpy as np
import torch
from scipy.optimize import LinearConstraint, linprog, minimize
from torch import nn

from scripts.common.attacks.norms import lengths


class Linear(nn.Module):
    """Two logits whose difference is a . x + b, split unevenly so that neither logit alone is it."""

    def __init__(self, a: torch.Tensor, b: float):
        super().__init__()
        self.a, self.b = nn.Parameter(a), b

    def forward(self, x):
        score = x.flatten(1) @ self.a + self.b
        return torch.stack([0.3 * score - 0.7 * score, 0.6 * score], dim=1)


class Counting(nn.Module):
    """Counts the images a classifier is asked about, and those whose gradient is prepared."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.images, self.calls, self.gradients = inner, 0, 0, 0

    def forward(self, x):
        self.images += len(x)
        self.calls += 1
        self.gradients += len(x) * x.requires_grad
        return self.inner(x)


def linear(shape=(3, 4, 4), seed=0, scale=1.0) -> Linear:
    """A random linear classifier whose score is 0 at the grey image."""
    a = torch.randn(int(np.prod(shape)), generator=torch.Generator().manual_seed(seed)) * scale
    return Linear(a, -0.5 * float(a.sum())).eval()


def small_net(shape=(3, 8, 8), seed=0, norm=True) -> nn.Sequential:
    """A small convolutional network with BatchNorm and random weights; it puts half of the images in each class."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Conv2d(shape[0], 8, 3, padding=1), nn.BatchNorm2d(8) if norm else nn.Identity(), nn.ReLU()]
        layers += [nn.Conv2d(8, 8, 3, padding=1, stride=2), nn.ReLU(), nn.Flatten()]
        layers += [nn.Linear(8 * (shape[1] // 2) * (shape[2] // 2), 2)]
    net = nn.Sequential(*layers).eval()
    with torch.no_grad():
        scores = net(images(64, shape))
        net[-1].bias[1] -= (scores[:, 1] - scores[:, 0]).median()
    return net.train()


def images(count: int, shape=(3, 4, 4), seed=1, low=0.0, high=1.0) -> torch.Tensor:
    """Uniform random images."""
    return low + (high - low) * torch.rand((count, *shape), generator=torch.Generator().manual_seed(seed))


def inside(z, x, norm, eps) -> bool:
    """Whether every image of z is in the eps-ball around x, up to float32 rounding, and in [0, 1]."""
    far = lengths(z.double() - x.double(), norm)
    return bool((far <= eps * (1 + 1e-5) + 1e-7).all() and z.min() >= 0 and z.max() <= 1)


def predicted(model, x) -> torch.Tensor:
    with torch.no_grad():
        return model(x).argmax(1)


def exact_margin(a, b, x, y, norm: str, eps: float) -> float:
    """The smallest margin of sign(y) (a . z + b) over the eps-ball around x and the box, by scipy."""
    a, x = np.asarray(a, float), np.asarray(x, float)
    sign = 1 if y else -1
    gain, size = sign * a, len(a)  # minimise gain . d for a perturbation d
    if norm == "linf":
        d = np.clip(-eps * np.sign(gain), -x, 1 - x)
    elif norm == "l1":  # d = up - down, both non-negative
        bounds = [(0, 1 - v) for v in x] + [(0, v) for v in x]
        found = linprog(np.r_[gain, -gain], np.ones((1, 2 * size)), [eps], bounds=bounds)
        d = found.x[:size] - found.x[size:]
    else:
        ball = {"type": "ineq", "fun": lambda d: eps**2 - d @ d, "jac": lambda d: -2 * d}
        bounds = list(zip(-x, 1 - x, strict=True))
        start = np.clip(-gain * eps / np.linalg.norm(gain) / 2, -x, 1 - x)
        options = {"ftol": 1e-12, "maxiter": 500}
        d = minimize(
            lambda d: gain @ d,
            start,
            jac=lambda d: gain,
            bounds=bounds,
            constraints=ball,
            method="SLSQP",
            options=options,
        ).x
    return float(sign * (a @ x + b) + gain @ d)


def exact_distance(a, b, x, norm: str) -> float:
    """The smallest distance from x to a point of the box with a . z + b = 0, by scipy."""
    a, x = np.asarray(a, float), np.asarray(x, float)
    size, value = len(a), float(a @ x + b)
    if norm == "l2":
        line = LinearConstraint(a[None], -value, -value)
        bounds = list(zip(-x, 1 - x, strict=True))
        options = {"ftol": 1e-14, "maxiter": 500}
        found = minimize(
            lambda d: d @ d,
            np.zeros(size),
            jac=lambda d: 2 * d,
            bounds=bounds,
            constraints=line,
            method="SLSQP",
            options=options,
        )
        return float(np.sqrt(found.fun))
    bounds = [(0, 1 - v) for v in x] + [(0, v) for v in x]
    row = np.r_[a, -a]
    if norm == "l1":
        return float(linprog(np.ones(2 * size), A_eq=row[None], b_eq=[-value], bounds=bounds).fun)
    both = np.c_[np.eye(size), np.eye(size), -np.ones(size)]  # up + down <= t
    cost = np.r_[np.zeros(2 * size), 1]
    equal = np.r_[row, 0][None]
    return float(linprog(cost, both, np.zeros(size), equal, [-value], bounds=[*bounds, (0, None)]).fun)


class LinearClasses(nn.Module):
    """K logits that are linear in x, scaled so that boundaries run through the grey image."""

    def __init__(self, classes: int, shape=(3, 4, 4), seed=0, scale=1.0):
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        weight = torch.randn((classes, int(np.prod(shape))), generator=draw) * scale
        weight *= (
            1 + 4 * torch.arange(classes)[:, None] / classes
        )  # so the likeliest other class is not always the nearest
        self.w, self.b = nn.Parameter(weight), nn.Parameter(-0.5 * weight.sum(1))

    def forward(self, x):
        return x.flatten(1) @ self.w.T + self.b

    def distances(self, x, y, norm: str) -> torch.Tensor:
        """The exact distance from each image to the boundary to every other class, [B, K - 1], regardless of the box.

        It is the difference of the logits over the dual norm of the difference of their weights.
        """
        w, logits = self.w.detach().double(), self(x).detach().double()
        order = {"linf": 1, "l2": 2, "l1": torch.inf}[norm]
        rows = []
        for image, label in enumerate(y.tolist()):
            others = [k for k in range(len(w)) if k != label]
            gap = logits[image, label] - logits[image, others]
            rows.append(gap / torch.linalg.vector_norm(w[label] - w[others], order, dim=1))
        return torch.stack(rows)


def class_net(classes=10, shape=(3, 8, 8), seed=0) -> nn.Sequential:
    """A small convolutional network with random weights and K logits, each the largest on some images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Conv2d(shape[0], 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, stride=2), nn.ReLU()]
        layers += [nn.Flatten(), nn.Linear(8 * (shape[1] // 2) * (shape[2] // 2), classes)]
    net = nn.Sequential(*layers).eval()
    with torch.no_grad():
        net[-1].bias -= net(images(200, shape, seed=9)).mean(0)
    return net
