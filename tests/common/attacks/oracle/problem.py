"""The network, the images and the attacks of the comparison with a public implementation."""

import torch
from torch import Tensor, nn

from scripts.common.attacks import fgsm_random_start, frozen

# (attack, norm, eps, iterations or queries). The public APGD and Square have no l1, and its FAB fails for it.
CASES = [
    ("apgd", "linf", 0.035, 30),
    ("apgd", "l2", 0.7, 30),
    ("fab", "linf", 0.035, 15),
    ("fab", "l2", 0.7, 15),
    ("square", "linf", 0.05, 250),
    ("square", "l2", 1.5, 250),
]


# (attack, norm, eps, iterations or queries, our options), for 10 classes.
TEN = [
    ("apgd", "linf", 0.03, 30, {"loss": "dlr"}),
    ("apgd", "l2", 1.0, 30, {"loss": "dlr"}),
    ("apgd_targeted", "linf", 0.03, 15, {"loss": "dlr_targeted", "targets": 9}),
    ("apgd_targeted", "l2", 1.0, 15, {"loss": "dlr_targeted", "targets": 9}),
    ("fab", "linf", 0.03, 15, {}),
    ("fab", "l2", 1.0, 15, {}),
    ("fab_targeted", "linf", 0.03, 10, {"targets": 9}),
    ("square", "linf", 0.05, 250, {}),
    ("square", "l2", 3.0, 250, {}),
]


def name_of(attack: str, norm: str, eps: float, budget: int, options: dict | None = None, classes: int = 2) -> str:
    """The name of a case."""
    return f"{attack} {norm} {eps} of {classes} classes"


def network(classes: int = 2) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(3, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU()),
        *(nn.Conv2d(12, 24, 3, 2, 1), nn.BatchNorm2d(24), nn.ReLU()),
        *(nn.Conv2d(24, 24, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 16, classes)),
    )


def shapes(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noisy 32 x 32 pictures of a disk (1) or a ring (0)."""
    draw = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 2, (count,), generator=draw)
    line = torch.arange(32)
    centre = 8 + 16 * torch.rand((count, 2, 1, 1), generator=draw)
    radius = 4 + 4 * torch.rand((count, 1, 1), generator=draw)
    far = ((line[:, None] - centre[:, 0]) ** 2 + (line[None] - centre[:, 1]) ** 2).sqrt()
    shape = torch.where(y[:, None, None] == 1, far < radius, (far - radius).abs() < 1.5).float()
    sign = torch.where(torch.rand((count, 1, 1), generator=draw) < 0.5, -0.4, 0.4)
    x = 0.5 + (shape * sign)[:, None] + 0.1 * torch.randn((count, 3, 32, 32), generator=draw)
    return x.clamp(0, 1), y


def patterns(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noisy 32 x 32 pictures of ten fixed coarse patterns."""
    coarse = torch.rand((10, 3, 4, 4), generator=torch.Generator().manual_seed(77))
    wide = nn.functional.interpolate(coarse, size=32, mode="bilinear")
    draw = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 10, (count,), generator=draw)
    x = 0.5 + 0.25 * (wide[y] - 0.5) + 0.12 * torch.randn((count, 3, 32, 32), generator=draw)
    return x.clamp(0, 1), y


def trained(classes: int = 2) -> nn.Sequential:
    """A network trained with FGSM-RS for some seconds, so that attacks find it neither trivial nor hopeless."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = network(classes)
    x, y = (shapes if classes == 2 else patterns)(1500, 0)
    draw = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(5):
        for part in torch.randperm(len(x), generator=draw).split(100):
            with frozen(model):
                x_adv = fgsm_random_start(model, x[part], y[part], 0.02, draw)
            loss = nn.functional.cross_entropy(model(x_adv), y[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return model.eval()
