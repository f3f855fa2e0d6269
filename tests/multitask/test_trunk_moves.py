"""Every method moves every shared tensor in one step; the published fault, that the trunk stays, is seen."""

import pytest
import torch

from scripts.multitask.fafs import Widen
from scripts.multitask.fairbranch import FairBranch, Options
from scripts.multitask.mta_f import SplitFairness
from scripts.multitask.pcgrad import PCGrad
from scripts.multitask.recon import CountConflicts
from scripts.multitask.simple import FrozenTrunk, class_balanced, fairness_only, fixed_weight, greedy, vanilla
from scripts.multitask.tag import MeasureAffinity
from scripts.multitask.training import optimizer_of
from tests.multitask.small import problem

METHODS = {
    "vanilla": lambda what, net: vanilla(),
    "fixed": lambda what, net: fixed_weight(1.0),
    "class balanced": lambda what, net: class_balanced(1.0),
    "greedy": lambda what, net: greedy(),
    "fairness only": lambda what, net: fairness_only(),
    "fairbranch": lambda what, net: FairBranch(net, Options(), torch.Generator(), what.people.tasks),
    "pcgrad": lambda what, net: PCGrad(1.0, torch.Generator()),
    "recon": lambda what, net: CountConflicts(3, 0.0, 1.0),
    "tag": lambda what, net: MeasureAffinity(what.network(what.separate()), 0.1, 1, 1.0),
    "fafs": lambda what, net: Widen(what.train, 2, 1, 0.1, 1.0),
    "mta_f": lambda what, net: SplitFairness(1.0, 0.5),
    "frozen": lambda what, net: FrozenTrunk(vanilla()),
}


def moved(name, same_heads):
    """Largest change of every shared tensor in one step, and the gradients."""
    what = problem(tasks=3)
    net = what.network(same_heads=same_heads)
    method = METHODS[name](what, net)
    before = [parameter.detach().clone() for parameter in net.shared_parameters()]
    optimizer = optimizer_of(net.train(), what.settings)
    method.gradients(net, what.train.take(what.batches(1)[0]))
    optimizer.step()
    changes = [float((p.detach() - old).abs().max()) for p, old in zip(net.shared_parameters(), before, strict=True)]
    return changes, net


@pytest.mark.parametrize("same_heads", [True, False])
@pytest.mark.parametrize("name", [name for name in METHODS if name != "frozen"])
def test_the_trunk_moves(name, same_heads):
    changes, net = moved(name, same_heads)
    assert min(changes) > 0
    assert all(layer.weight.grad.abs().max() > 1e-4 for layer in net.layers)  # not by weight decay alone
    assert all(weight.any() for weight in net.head_weight.grad)


def test_a_frozen_trunk_is_seen():
    changes, net = moved("frozen", True)
    assert max(changes) == 0
    assert all(weight.any() for weight in net.head_weight.grad)
