"""The networks of the study. A new one is a function here and its name in `tradeoffs: networks:`.

Every network maps float32 images [B, 3, 64, 64] in [0, 1] to two logits [B, 2]: reject, accept.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.common.errors import UserError


class Stem(nn.Conv2d):
    """The first convolution, in float32 also under autocast.

    bfloat16 has steps of 0.004 between 0.5 and 1: it would round a perturbation of 0.003 away.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of x, computed in float32."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm and a skip connection (He et al. 2016, section 4.2)."""

    def __init__(self, width_in: int, width_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width_out)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width_out)
        self.skip = nn.Sequential()
        if stride != 1 or width_in != width_out:
            self.skip = nn.Sequential(nn.Conv2d(width_in, width_out, 1, stride, bias=False), nn.BatchNorm2d(width_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, [B, width_out, H / stride, W / stride]."""
        inner = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(inner)) + self.skip(x))


def published_resnet() -> nn.Module:
    """The ResNet of the published code: widths 64-128-256-256, two blocks each, 5.2 M parameters.

    A 3x3 stem without stride or max-pooling keeps 64x64; three stages of stride 2 leave 8x8, which
    a 4x4 average pool turns into 2x2x256 = 1024 features.
    """
    stages, width = [], 64
    for stage_width, stride in ((64, 1), (128, 2), (256, 2), (256, 2)):
        stages += [BasicBlock(width, stage_width, stride), BasicBlock(stage_width, stage_width, 1)]
        width = stage_width
    stem = [Stem(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*stem, *stages, nn.AvgPool2d(4), nn.Flatten(), nn.Linear(1024, 2))


def convolutional(widths: tuple[int, int, int]) -> nn.Module:
    """Three stages of conv-BatchNorm-ReLU-pool down to a 4x4 map, then one linear layer.

    The linear layer sees where in the aligned face a feature lies, which a global average would hide.
    """
    layers: list[nn.Module] = []
    width_in = 3
    for width in widths:
        first = width_in == 3
        convolution = Stem(3, width, 4, 2, 1, bias=False) if first else nn.Conv2d(width_in, width, 3, 1, 1, bias=False)
        layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        width_in = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * width_in, 2))


def small_cnn() -> nn.Module:
    """The preview's network: 16-32-64, 26,000 parameters, under a millisecond an image and step on a CPU."""
    return convolutional((16, 32, 64))


def medium_cnn() -> nn.Module:
    """Twice the widths of `small_cnn`: 32-64-128, 98,000 parameters."""
    return convolutional((32, 64, 128))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "published_resnet": published_resnet,
    "small_cnn": small_cnn,
    "medium_cnn": medium_cnn,
}


def build(name: str, seed: int) -> nn.Module:
    """Return a freshly initialised network; the same name and seed give the same weights.

    Raises:
        UserError: there is no network of that name.
    """
    if name not in NETWORKS:
        raise UserError(f"tradeoffs.networks: no network {name!r}; there are {', '.join(NETWORKS)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[name]()
