"""The course's digit network, and a second way of running it that gives the same numbers in less time.

Two 5x5 convolutions without padding (1-16-32), each with ReLU and 2x2 average pooling, then 512-512-10 with ReLU and
dropout (assignment CA4, p. 4). The course puts the softmax inside the model; here the output is logits, since
cross-entropy of a softmax has flat gradients.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.common.seeds import seed_from

SIDE, CLASSES, WIDTH = 28, 10, 512


class DigitNet(nn.Module):
    """Images [B, 1, 28, 28] in [0, 1] to logits [B, 10]; 281,000 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5)
        self.conv2 = nn.Conv2d(16, 32, 5)
        self.fc1 = nn.Linear(512, WIDTH)
        self.fc2 = nn.Linear(WIDTH, CLASSES)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the activations of the last hidden layer, [B, 512]: what pruning and the input filter look at."""
        grouped = [regroup(layer.weight, layer.bias) for layer in (self.conv1, self.conv2)]
        return run_hidden(x, *grouped, self.fc1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, [B, 10]."""
        return self.fc2(self.hidden(x))


def build(*names: object) -> DigitNet:
    """Return a network whose initial weights depend on the names alone; torch's own random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_from("backdoor", "initial", *names))
        return DigitNet()


def frozen(model: DigitNet) -> Callable[[Tensor], Tensor]:
    """Return images -> logits with the weights as they are now and without gradients to them.

    What attacks a trained model asks for the gradient of its input alone; the regrouped weights are made once.
    """
    with torch.no_grad():
        first, second = (
            tuple(part.detach().clone() for part in regroup(layer.weight, layer.bias))
            for layer in (model.conv1, model.conv2)
        )
    layers = [nn.Linear(512, WIDTH), nn.Linear(WIDTH, CLASSES)]
    for layer, own in zip(layers, (model.fc1, model.fc2), strict=True):
        layer.load_state_dict(own.state_dict())
        layer.to(own.weight.device).requires_grad_(False)

    def logits(x: Tensor) -> Tensor:
        return layers[1](run_hidden(x, first, second, layers[0]))

    return logits


def run_hidden(x: Tensor, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor], fc1: nn.Linear) -> Tensor:
    """Return the last hidden layer of images [B, 1, 28, 28] from regrouped convolutions."""
    for weight, bias in (first, second):
        unshuffled = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)
        x = PooledRelu.apply(F.conv2d(unshuffled, weight, bias))
    return F.relu(fc1(x.flatten(1)))


def regroup(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Turn a 5x5 convolution that is followed by ReLU and 2x2 average pooling into a 3x3 one at half the resolution.

    The four pixels of a pooling window become four groups of channels: each sees the same kernel, shifted by 0 or 1
    in both directions inside 6x6, which a pixel unshuffle turns into 3x3 on four times the channels. The pooling is
    then a sum over the groups; its factor 1/4 moves into the weights, since ReLU(x / 4) = ReLU(x) / 4 exactly.
    The library is slow on a 5x5 convolution of one channel, above all on its gradient: this form takes 2/3 of the time.

    Args:
        weight: [out, in, 5, 5]; bias: [out].

    Returns:
        [4 out, 4 in, 3, 3] and [4 out], to be run on `pixel_unshuffle(x, 2)`.
    """
    shifted = [F.pad(weight, (right, 1 - right, down, 1 - down)) for down in (0, 1) for right in (0, 1)]
    grouped = F.pixel_unshuffle(torch.cat(shifted), 2) / 4
    return grouped.contiguous(memory_format=torch.channels_last), bias.repeat(4) / 4


class PooledRelu(torch.autograd.Function):
    """ReLU of [B, 4 C, H, W], summed over its four groups of channels: [B, C, H, W]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the sums and keep what the gradient needs."""
        x = F.relu(x)
        ctx.save_for_backward(x)
        first, second, third, fourth = x.chunk(4, dim=1)
        return (first + second).add_(third).add_(fourth)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient with respect to the input."""
        (x,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(torch.cat([gradient] * 4, dim=1), x, 0)
