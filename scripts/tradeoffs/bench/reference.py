"""The plain pipeline that the benchmark measures against: what one writes first, correct and unhurried.

It follows the published study's outline (a DataLoader with four workers that decodes every JPEG in
every epoch, contiguous float32, attacks in training mode, one attack after the other) and is used
nowhere else.
"""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from scripts.common.attacks import check_plan
from scripts.common.attacks.ensemble import ATTACKS

SIDE, PADDING, WORKERS = 64, 4, 4


class Photographs(Dataset):
    """JPEG files and labels; every access decodes one image."""

    def __init__(self, paths: Sequence[Path], labels: Sequence[int], transform) -> None:
        self.paths, self.labels, self.transform = paths, labels, transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("RGB")), self.labels[index]


def decoding() -> transforms.Compose:
    """Return the transform of a JPEG to float32 [3, 78, 64] (of 178x218) in [0, 1]."""
    return transforms.Compose([transforms.Resize(SIDE), transforms.ToTensor()])


def training_transform() -> transforms.Compose:
    """Return the transform of a JPEG to an augmented float32 [3, 64, 64]."""
    steps = [transforms.Resize(SIDE), transforms.RandomHorizontalFlip(), transforms.RandomCrop(SIDE, padding=PADDING)]
    steps += [transforms.AutoAugment(transforms.AutoAugmentPolicy.CIFAR10), transforms.ToTensor()]
    return transforms.Compose(steps)


@contextlib.contextmanager
def ordinary_torch() -> Iterator[None]:
    """Leave torch's deterministic mode, which the project pays for and a plain pipeline does not use."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def batches(data: Dataset, batch_size: int, workers: int, **options) -> Iterator[tuple[Tensor, Tensor]]:
    """Return the batches of one pass of a DataLoader, which starts its workers and ends them."""
    with warnings.catch_warnings():
        # Four workers are the published number, whatever the machine.
        warnings.filterwarnings("ignore", "This DataLoader will create")
        return iter(DataLoader(data, batch_size, num_workers=workers, **options))


def decode_all(paths: Sequence[Path], batch_size: int = 128, workers: int = WORKERS) -> int:
    """Decode and downscale all images once through a DataLoader; return how many came."""
    data = Photographs(paths, [0] * len(paths), decoding())
    return sum(len(images) for images, _ in batches(data, batch_size, workers))


def training_step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> float:
    """Do one step of plain training and return its loss."""
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    paths: Sequence[Path],
    labels: Sequence[int],
    batch_size: int,
    workers: int = WORKERS,
    device: torch.device | None = None,
) -> float:
    """Train for one epoch from the JPEGs and return the mean loss."""
    device = device or torch.device("cpu")
    data = Photographs(paths, labels, training_transform())
    model.train()
    losses = [
        training_step(model, optimizer, x.to(device), y.to(device))
        for x, y in batches(data, batch_size, workers, shuffle=True, drop_last=True)
    ]
    return sum(losses) / len(losses)


def unfused_pgd(model: nn.Module, x: Tensor, y: Tensor, eps: float, steps: int, generator: torch.Generator) -> Tensor:
    """Return x after l_inf PGD as first written: training mode, and parameter gradients that nobody uses."""
    start = torch.rand(x.shape, generator=generator, device=x.device) * 2 - 1
    point = (x + eps * start).clamp(0, 1)
    for _ in range(steps):
        point = point.detach().requires_grad_()
        F.cross_entropy(model(point), y).backward()
        point = point + 2.5 * eps / steps * point.grad.sign()
        point = torch.minimum(torch.maximum(point, x - eps), x + eps).clamp(0, 1)
    return point.detach()


@torch.no_grad()
def classified_right(model: nn.Module, x: Tensor, y: Tensor, batch_size: int) -> Tensor:
    """Return which images [N] are classified as y."""
    return torch.cat([model(images).argmax(1) for images in x.split(batch_size)]) == y


def one_after_the_other(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    norm: str,
    eps: float,
    plan: Sequence[Mapping],
    seed: int,
    batch_size: int,
    ids: Tensor,
) -> Tensor:
    """Return which images [N] stand when each attack of the plan has been run on all of them.

    The attacks are the project's own, with the same random streams per image: what differs is that
    no attack knows what the others have broken.
    """
    check_plan(plan)
    robust = classified_right(model, x, y, batch_size)
    for entry in plan:
        options = {key: value for key, value in entry.items() if key not in ("attack", "name")}
        parts = torch.arange(len(x)).split(batch_size)
        attack = ATTACKS[entry["attack"]][0]
        points = [attack(model, x[i], y[i], norm, eps, seed=seed, ids=ids[i], **options) for i in parts]
        robust &= classified_right(model, torch.cat(points), y, batch_size)
    return robust
