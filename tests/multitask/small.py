"""Small people, problems and networks for tests."""

import numpy as np
import torch

from scripts.multitask.batch import Batch
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.people import People
from scripts.multitask.training import Problem, Settings

WIDTHS = (12, 10, 8)


def people(rows=300, tasks=3, groups=2, inputs=6, seed=0, labels=None):
    """People whose labels follow their features; `labels` makes others from a score per task."""
    random = np.random.default_rng(seed)
    group = random.integers(0, groups, rows).astype(np.int8)
    group[:groups] = range(groups)
    features = random.normal(size=(rows, inputs)).astype(np.float32)
    features[:, 0] += group
    score = features @ random.normal(size=(inputs, tasks)) + random.normal(size=(rows, tasks))
    y = (score > 0).astype(np.int8) if labels is None else labels(score)
    split = np.repeat(np.array([0, 1, 2], np.int8), [rows - 2 * (rows // 4), rows // 4, rows // 4])
    return People(
        "small",
        tuple(f"task {place}" for place in range(y.shape[1])),
        "group",
        tuple(f"group {code}" for code in range(groups)),
        tuple(f"feature {place}" for place in range(inputs)),
        np.arange(rows),
        split,
        group,
        y,
        features,
    )


class Alike(Problem):
    """A problem whose heads all start alike, so that tasks with the same labels stay the same."""

    def network(self, groups=None, same_heads=True):
        return super().network(groups, same_heads)


def problem(epochs=2, batch_size=64, seed=0, widths=WIDTHS, alike=False, **options):
    kind = Alike if alike else Problem
    return kind(people(**options), Settings(widths, epochs, batch_size), "small", seed)


def network(tasks=3, groups=None, inputs=6, widths=WIDTHS, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return BranchedNetwork(inputs, widths, tasks, groups, generator=generator, **options)


def batch(**options):
    return Batch.of(people(**options))
