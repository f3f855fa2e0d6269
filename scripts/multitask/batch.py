"""Rows of a step of training, as tensors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scripts.multitask.people import People


@dataclass(frozen=True)
class Batch:
    """Rows of a step: features [n, d], labels [n, T], groups [n] with codes below `group_count`."""

    features: Tensor
    labels: Tensor
    groups: Tensor
    group_count: int

    @classmethod
    def of(cls, people: People) -> "Batch":
        """Return all of some people as one batch."""
        arrays = (people.features, people.labels, people.groups)
        return cls(*map(torch.from_numpy, map(np.ascontiguousarray, arrays)), len(people.group_names))

    def take(self, rows: Tensor) -> "Batch":
        """Return some rows."""
        return Batch(self.features[rows], self.labels[rows], self.groups[rows], self.group_count)

    def __len__(self) -> int:
        return len(self.features)
