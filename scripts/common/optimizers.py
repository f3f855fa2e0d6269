"""torch's optimizers without torch's compiler, whose import costs more than a second in every process that trains.

In torch.optim every method that `torch.compile` must not trace is wrapped in a function that imports the compiler at
its first call. Nothing is compiled here, so the methods below the wrappers are called: same arithmetic, same bits.
"""

import inspect
from functools import cache

import torch
from torch.optim import Optimizer

WRAPPED = ["add_param_group", "load_state_dict", "state_dict", "zero_grad"]


@cache
def uncompiled(kind: type[Optimizer]) -> type[Optimizer]:
    """Return a subclass of an optimizer of torch.optim that never imports `torch._dynamo`, such as `uncompiled(Adam)`.

    It computes what `kind` computes. A step runs without gradients, so `differentiable=True` has no effect.
    """
    plain = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**plain, "step": step, "__doc__": kind.__doc__})


Adam, AdamW, SGD = map(uncompiled, (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD))
