"""Getting rid of a backdoor: unlearning, fine-tuning, pruning of neurons, and a filter in front of the model.

Wang et al., Neural Cleanse, section 6. The defender has clean images, and the trigger that reverse engineering found.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scripts.backdoor.digits import BATCH, Pool
from scripts.backdoor.fitting import Fitting, train
from scripts.backdoor.network import DigitNet
from scripts.common.checkpoints import Checkpoints
from scripts.common.seeds import shuffled

Stamp = Callable[[Tensor], Tensor]
TOP_NEURONS = 0.01  # of the hidden layer, whose mean activation is an input's profile (published)


def stamped_rows(rows: int, share: float, stamps: int, *names: object) -> list[np.ndarray]:
    """Return which rows get which stamp: a share of all in equal parts, drawn by the names."""
    order = shuffled(rows, "backdoor", "stamped", *names)
    many = round(share * rows)
    return np.array_split(order[:many], stamps) if stamps else []


def unlearn(
    model: DigitNet, pool: Pool, stamps: Sequence[Stamp], share: float, settings: Fitting, names: tuple
) -> DigitNet:
    """Return the model after training on the pool with true labels, a share of whose images is stamped.

    Published: 10 % of the training data, 20 % of it stamped, one epoch. Which images are stamped is drawn anew in
    every epoch. Without stamps this is fine-tuning on clean data.
    """
    cleaned = copy.deepcopy(model)
    told: dict[int, Tensor] = {}

    def images_of(epoch: int) -> Tensor:
        if epoch not in told:
            told.clear()
            images = pool.images.clone()
            for stamp, rows in zip(stamps, stamped_rows(len(pool), share, len(stamps), *names, epoch), strict=True):
                chosen = torch.from_numpy(rows).to(images.device)
                images[chosen] = stamp(images[chosen])
            told[epoch] = images
        return told[epoch]

    def batch_of(epoch: int, rows: Tensor) -> tuple[Tensor, Tensor]:
        return images_of(epoch)[rows], pool.labels[rows]

    train(cleaned, len(pool), batch_of, settings, ("unlearn", *names), Checkpoints("none", "none", math.inf))
    return cleaned


@torch.no_grad()
def hidden_of(model: DigitNet, images: Tensor) -> Tensor:
    """Return the last hidden layer's activations, [N, 512]."""
    return torch.cat([model.hidden(part) for part in images.split(BATCH)])


def by_gap(model: DigitNet, images: Tensor, stamps: Sequence[Stamp]) -> Tensor:
    """Return the hidden neurons, those whose mean activation the stamps raise most first, int64 [512]."""
    clean = hidden_of(model, images).mean(0)
    raised = torch.stack([hidden_of(model, stamp(images)).mean(0) - clean for stamp in stamps])
    return raised.max(0).values.argsort(descending=True)


@dataclass
class Pruned:
    """A model without its first `count` neurons of an order."""

    model: DigitNet
    order: Tensor
    count: int

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits, [N, 10]."""
        weight = self.model.fc2.weight.clone()
        weight[:, self.order[: self.count]] = 0
        return torch.nn.functional.linear(self.model.hidden(images), weight, self.model.fc2.bias)


def prune(
    model: DigitNet, pool: Pool, stamps: Mapping[int, Stamp], counts: Sequence[int], enough: float
) -> tuple[Pruned, list[dict]]:
    """Prune neurons in the order of the stamps' gap until the reversed triggers work on a share of at most `enough`.

    The choice is made on the defender's pool alone. Where no count is enough the largest stays.

    Returns:
        The pruned model, and per count the success of the reversed triggers on the pool.
    """
    order = by_gap(model, pool.images, list(stamps.values()))
    weight, bias = model.fc2.weight.detach(), model.fc2.bias.detach()
    hidden = {t: hidden_of(model, stamp(pool.without(t).images)) for t, stamp in stamps.items()}
    curve, chosen = [], None
    for count in counts:
        kept = torch.ones(weight.shape[1], device=weight.device)
        kept[order[:count]] = 0
        called = {t: torch.nn.functional.linear(h * kept, weight, bias).argmax(1) == t for t, h in hidden.items()}
        success = sum(int(hit.sum()) for hit in called.values()) / sum(len(hit) for hit in called.values())
        curve.append({"pruned": count, "success_on_pool": success})
        if chosen is None and success <= enough:
            chosen = count
    return Pruned(model, order, counts[-1] if chosen is None else chosen), curve


@dataclass
class Filter:
    """A check in front of the model: inputs that excite the trigger's neurons are turned away.

    The profile of an input is the mean activation of the 1 % of hidden neurons that the reversed triggers raise most;
    the threshold is a quantile of the profiles of clean images, so the false-positive rate is chosen.
    """

    model: DigitNet
    neurons: Tensor
    threshold: float

    def refuses(self, images: Tensor) -> Tensor:
        """Return which inputs are turned away, bool [N]."""
        return profile(self.model, images, self.neurons) > self.threshold

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Return logits [N, 11]: the digits and, last, "turned away", so that no rate needs a case of its own."""
        refused = self.refuses(images)
        logits = self.model(images)
        away = torch.where(refused, logits.max(1).values + 1, logits.min(1).values - 1)
        return torch.cat([logits, away[:, None]], 1)


def profile(model: DigitNet, images: Tensor, neurons: Tensor) -> Tensor:
    """Return the mean activation of some hidden neurons, [N]."""
    return hidden_of(model, images)[:, neurons].mean(1)


def make_filter(model: DigitNet, pool: Pool, stamps: Sequence[Stamp], false_positives: float) -> Filter:
    """Return the filter whose threshold turns away a share of the pool's clean images."""
    order = by_gap(model, pool.images, stamps)
    neurons = order[: max(1, round(TOP_NEURONS * len(order)))]
    threshold = torch.quantile(profile(model, pool.images, neurons), 1 - false_positives)
    return Filter(model, neurons, float(threshold))
