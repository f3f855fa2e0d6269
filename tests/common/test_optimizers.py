"""The optimizers compute what torch's compute, to the bit, and import no compiler."""

import copy
import subprocess
import sys

import pytest
import torch

from scripts.common import optimizers
from tests.workflow.conftest import ROOT

KINDS = {
    "Adam": {"lr": 0.01},
    "Adam, fused": {"lr": 0.01, "fused": True},
    "AdamW": {"lr": 0.01, "weight_decay": 0.1},
    "SGD": {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-3},
}


def trained(kind, settings, steps=5, resume_at=None):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    x, optimizer = torch.randn(11, 7), kind(model.parameters(), **settings)
    for step in range(steps):
        if step == resume_at:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = kind(model.parameters(), **settings)
            optimizer.load_state_dict(state)
        optimizer.zero_grad(set_to_none=True)
        model(x).square().sum().backward()
        optimizer.step()
    assert torch.is_grad_enabled()
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("resume_at", [None, 3])
@pytest.mark.parametrize("name", KINDS)
def test_the_weights_are_torchs_to_the_bit(name, resume_at):
    kind, settings = name.split(",")[0], KINDS[name]
    theirs = trained(getattr(torch.optim, kind), settings)
    assert torch.equal(trained(getattr(optimizers, kind), settings, resume_at=resume_at), theirs)
    assert not torch.equal(trained(getattr(optimizers, kind), settings, steps=4), theirs)


def test_a_step_imports_no_compiler():
    code = """
import sys, torch
from scripts.common import optimizers
for kind in (optimizers.Adam, optimizers.AdamW, optimizers.SGD):
    model = torch.nn.Linear(2, 1)
    optimizer = kind(model.parameters(), lr=0.1)
    model(torch.ones(3, 2)).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    optimizer.load_state_dict(optimizer.state_dict())
print(*(name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == ""
