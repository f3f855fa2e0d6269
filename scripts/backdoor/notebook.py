"""The course notebook's procedure, faults included: its search for triggers, its counts and its unlearning.

TAI_HW4_SECURITY.ipynb: ReLU on the logits and dropout after it, a constant weight on the mask's norm, Adam 0.01, both
arrays started at 1 before the tanh, no success gate and no early stop. The label it detects and the trigger it finds
are not used: trigger and label 3 are written by hand, one epoch of the test images unlearns them, and what it calls the
attack success rate is a count over the same images, of which a random fifth is stamped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from scripts.backdoor.digits import Pool, predict
from scripts.backdoor.network import DigitNet
from scripts.backdoor.neural_cleanse import Adam, Triggers, gradient_of, to_unit
from scripts.backdoor.outliers import anomaly_index
from scripts.common import optimizers
from scripts.common.device import generator
from scripts.common.seeds import seed_from

STAMPED, DROPOUT, UNLEARNING_RATE = 0.2, 0.5, 1e-3


@dataclass(frozen=True)
class NotebookSearch:
    """The notebook's numbers."""

    epochs: int = 2
    batch_size: int = 16
    learning_rate: float = 0.01
    weight: float = 0.01


def with_relu(logits_of: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return the network as the notebook has it: no output is below 0."""
    return lambda images: F.relu(logits_of(images))


def search_triggers(
    logits_of: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Sequence[int],
    search: NotebookSearch,
    seed: object,
) -> Triggers:
    """Run the notebook's search for all labels at once; the last mask counts, whatever its success."""
    network, device = with_relu(logits_of), images.device
    names = torch.tensor(list(labels), device=device)
    adam = Adam(torch.ones(len(names), 2, 28, 28, device=device), search.learning_rate, betas=(0.9, 0.999))
    cost = torch.full((len(names),), search.weight, device=device)
    traces = []
    for epoch in range(search.epochs):
        order = np.random.default_rng(seed_from("backdoor", "notebook", seed, epoch)).permutation(len(images))
        total, batches = torch.zeros(3, len(names), device=device), torch.from_numpy(order).split(search.batch_size)
        for indices in batches:
            norm = to_unit(adam.theta[:, 0]).sum((1, 2))
            gradient, success, entropy = gradient_of(network, images[indices.to(device)], names, adam.theta, cost)
            adam.update(gradient)
            total += torch.stack([success, norm, entropy])
        success, norm, entropy = (total / len(batches)).cpu().numpy()
        told = {"label": list(labels), "success": success, "norm": norm, "cost": search.weight, "entropy": entropy}
        traces.append(pd.DataFrame(told).assign(step=epoch + 1))
    mask, pattern = (part.cpu() for part in to_unit(adam.theta).unbind(1))
    summary = pd.DataFrame({"label": list(labels), "norm": mask.double().sum((1, 2)).numpy()})
    updates = sum(-(-len(images) // search.batch_size) for _ in range(search.epochs))
    summary = summary.assign(found=True, steps=search.epochs, updates=updates, stopped="budget")
    return Triggers(mask, pattern, pd.concat(traces, ignore_index=True), summary)


def randomly_stamped(pool: Pool, stamp: Callable[[Tensor], Tensor], *names: object) -> tuple[Tensor, Tensor]:
    """Return the images, each stamped with probability 0.2 (drawn anew at each pass), and which ones were, bool [N]."""
    random = generator(torch.device("cpu"), "backdoor", "notebook", *names)
    which = (torch.rand(len(pool), generator=random) < STAMPED).to(pool.images.device)
    return torch.where(which[:, None, None, None], stamp(pool.images), pool.images), which


def attack_count(model: DigitNet, pool: Pool, stamp: Callable[[Tensor], Tensor], target: int, *names: object) -> int:
    """Return the notebook's "attack success rate": images called the target that are not, among all images."""
    images, _ = randomly_stamped(pool, stamp, *names)
    called = predict(model, images)
    return int(((called == target) & (called != pool.labels)).sum())


def unlearn(
    model: DigitNet, pool: Pool, stamp: Callable[[Tensor], Tensor], batch_size: int, *names: object
) -> DigitNet:
    """Train one epoch on the images that the notebook also judges on, in their order; ReLU and dropout follow."""
    images, _ = randomly_stamped(pool, stamp, *names, "training")
    optimizer = optimizers.Adam(model.parameters(), lr=UNLEARNING_RATE)
    random = generator(images.device, "backdoor", "notebook", "dropout", *names)
    model.train()
    for rows in torch.arange(len(pool), device=images.device).split(batch_size):
        output = F.relu(model(images[rows]))
        kept = torch.rand(output.shape, generator=random, device=output.device) >= DROPOUT
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(output * kept / (1 - DROPOUT), pool.labels[rows]).backward()
        optimizer.step()
    return model.eval()


def detected(norms: ArrayLike) -> int:
    """Return the label that the notebook prints last as infected, or -1: lower median, index above 2."""
    flagged = np.flatnonzero(anomaly_index(norms, "lower") > 2)
    return int(flagged[-1]) if len(flagged) else -1
