"""The pools as tensors, and the rates that every model is judged by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scripts.backdoor.triggers import Trigger
from scripts.common import parquet

BATCH = 512


@dataclass(frozen=True)
class Pool:
    """Images float32 [N, 1, 28, 28] in [0, 1] and labels int64 [N]."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor | slice) -> "Pool":
        """Return the given rows."""
        return Pool(self.images[rows], self.labels[rows])

    def without(self, target: int) -> "Pool":
        """Return the rows of all other labels: an image of the target proves no attack."""
        return self.take(self.labels != target)


def load_pools(images: str | Path, pools: str | Path, device: torch.device) -> dict[str, Pool]:
    """Return the pools train, reverse, evaluation and unlearning, each in the order of the pools file."""
    array, table = np.load(images, mmap_mode="r"), parquet.read(pools)

    def pool(rows: pd.DataFrame) -> Pool:
        pixels = torch.from_numpy(np.ascontiguousarray(array[rows["row_id"].to_numpy()])).to(device)
        labels = torch.from_numpy(rows["label"].to_numpy(np.int64)).to(device)
        return Pool(pixels[:, None].float() / 255, labels)

    found = {name: pool(table[table["pool"] == name]) for name in ("train", "reverse", "evaluation")}
    return found | {"unlearning": pool(table[table["unlearning"]])}


@torch.no_grad()
def predict(logits_of: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the predicted labels, int64 [N]."""
    return torch.cat([logits_of(part).argmax(1) for part in images.split(BATCH)])


def accuracy(logits_of: Callable[[Tensor], Tensor], pool: Pool) -> tuple[int, int]:
    """Return how many images are right, and of how many."""
    return int((predict(logits_of, pool.images) == pool.labels).sum()), len(pool)


def attack_success(
    logits_of: Callable[[Tensor], Tensor], pool: Pool, stamp: Callable[[Tensor], Tensor], target: int
) -> tuple[int, int]:
    """Return how many stamped images of other labels are called the target, and of how many."""
    others = pool.without(target)
    return int((predict(logits_of, stamp(others.images)) == target).sum()), len(others)


def stamped_accuracy(
    logits_of: Callable[[Tensor], Tensor], pool: Pool, stamp: Callable[[Tensor], Tensor], target: int
) -> tuple[int, int]:
    """Return how many stamped images of other labels keep their true label, and of how many."""
    others = pool.without(target)
    return int((predict(logits_of, stamp(others.images)) == others.labels).sum()), len(others)


def poison(pool: Pool, triggers: Sequence[Trigger], ratio: float, seed: object) -> Pool:
    """Return the pool with a share of its rows stamped and relabelled, split evenly over the triggers (BadNets).

    The rows are drawn among images of other labels than the trigger's target; no row is drawn twice.
    """
    images, labels = pool.images.clone(), pool.labels.clone()
    order = np.random.default_rng(seed).permutation(len(pool))
    many = round(ratio * len(pool) / max(1, len(triggers)))
    true = pool.labels.cpu().numpy()
    for trigger in triggers:
        rows = order[true[order] != trigger.target][:many]
        chosen = torch.from_numpy(rows).to(images.device)
        images[chosen], labels[chosen] = trigger.stamp(images[chosen]), trigger.target
        order = order[~np.isin(order, rows)]
    return Pool(images, labels)
