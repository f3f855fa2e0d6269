"""Batch normalisation and ReLU by hand, against torch's layers and numerical derivatives."""

import torch
from torch import nn

from scripts.multitask.normalisation import EPS, BatchNormalisedReLU


def tensors(paths=3, rows=20, width=4):
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(size, generator=generator, dtype=torch.float64).requires_grad_()
        for size in ((paths, rows, width), (paths, width), (paths, width))
    ]


def test_outputs_statistics_and_gradients_are_those_of_torchs_layers():
    hidden, scale, shift = tensors()
    outputs, mean, variance = BatchNormalisedReLU.apply(hidden, scale, shift)
    weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = torch.autograd.grad((outputs * weights).sum(), [hidden, scale, shift])
    assert not mean.requires_grad and not variance.requires_grad
    for path in range(3):
        layer = nn.BatchNorm1d(4, eps=EPS).double()
        layer.weight.data, layer.bias.data = scale.data[path].clone(), shift.data[path].clone()
        own = hidden.data[path].clone().requires_grad_()
        expected = torch.relu(layer(own))
        torch.testing.assert_close(outputs[path], expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(mean[path], own.mean(0))
        torch.testing.assert_close(variance[path], own.var(0, correction=0))
        gradients = torch.autograd.grad((expected * weights[path]).sum(), [own, layer.weight, layer.bias])
        for one, other in zip(found, gradients, strict=True):
            torch.testing.assert_close(one[path], other, rtol=0, atol=1e-12)


def test_a_second_gradient_of_the_same_graph_is_the_same():
    hidden, scale, shift = tensors()
    before = [tensor.detach().clone() for tensor in (hidden, scale, shift)]
    total = BatchNormalisedReLU.apply(hidden, scale, shift)[0].square().sum()
    first, second = (torch.autograd.grad(total, [hidden, scale, shift], retain_graph=True) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(before, (hidden, scale, shift), strict=True))


def test_derivatives_are_the_numerical_ones():
    assert torch.autograd.gradcheck(lambda *inputs: BatchNormalisedReLU.apply(*inputs)[0], tensors(2, 7, 3))
