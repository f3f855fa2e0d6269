"""The networks against the reference's numbers, and the bfloat16 trap of small perturbations."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from scripts.common.errors import UserError
from scripts.tradeoffs.networks import NETWORKS, build


def forward_flops(network) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    return counter.get_total_flops()


def test_the_published_resnet_has_the_published_size_and_cost():
    network = build("published_resnet", 1).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(5.2e6, rel=0.005)
    assert forward_flops(network) == pytest.approx(3.68e9, rel=0.001)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_seed_gives_the_same_weights_and_leaves_the_global_generator_alone(name):
    before = torch.random.get_rng_state()
    first, again, other = build(name, 1).state_dict(), build(name, 1).state_dict(), build(name, 2).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_maps_images_to_two_logits(name):
    assert build(name, 1).eval()(torch.rand(2, 3, 64, 64)).shape == (2, 2)


def test_an_unknown_network_is_named():
    with pytest.raises(UserError, match="no network 'vgg'"):
        build("vgg", 1)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_perturbation_below_the_steps_of_bfloat16_still_reaches_the_network(name):
    """0.001 is less than half a bfloat16 step at 0.75: without the float32 stem it would vanish."""
    network = build(name, 1).eval()
    x = torch.full((1, 3, 64, 64), 0.75)
    assert torch.equal((x + 0.001).bfloat16(), x.bfloat16())
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        convolution = next(module for module in network.modules() if isinstance(module, torch.nn.Conv2d))
        assert not torch.equal(convolution(x), convolution(x + 0.001))
