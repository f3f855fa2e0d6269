"""A network of several tasks whose shared layers may split into branches.

Every task has a path through the layers. Tasks that share all weights up to a layer share its output, so their paths
are one there. A layer keeps one block of weights per branch, and says which block each path takes:

    one group in every layer              one shared network (multi-task learning)
    a group per task in every layer       T separate networks in one (single-task learning, stacked)
    groups that split from the top        FairBranch's tree
    a group per task in one layer         Recon's task-specific layers

Splitting a layer copies blocks by an index, so weights, normalisation and the state of an optimiser are split alike.
"""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from scripts.multitask.normalisation import EPS, MOMENTUM, BatchNormalisedReLU

CLASSES = 2

Groups = Sequence[Sequence[int]]  # the tasks of each branch of a layer


def joined(first: Groups, second: Groups) -> list[list[int]]:
    """Return the coarsest groups that lie within a group of both, each sorted, in order of their first task."""
    groups = [sorted(set(a) & set(b)) for a in first for b in second]
    return sorted(group for group in groups if group)


class SharedLayer(nn.Module):
    """A linear layer of W blocks for P paths: optional batch normalisation per path, then ReLU.

    `weight` [W, in, out], `bias` [W, out]; `scale`, `shift`, `mean`, `variance` [P, out] where there is normalisation.
    """

    block: Tensor
    parent: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, inputs: int, outputs: int, blocks: int, normalised: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(blocks, inputs, outputs))
        self.bias = nn.Parameter(torch.empty(blocks, outputs))
        self.normalised = normalised
        if normalised:
            self.scale = nn.Parameter(torch.ones(blocks, outputs))
            self.shift = nn.Parameter(torch.zeros(blocks, outputs))
            self.register_buffer("mean", torch.zeros(blocks, outputs))
            self.register_buffer("variance", torch.ones(blocks, outputs))
        self.register_buffer("block", torch.arange(blocks))
        self.register_buffer("parent", torch.zeros(blocks, dtype=torch.int64))

    def forward(self, inputs: Tensor, batch_statistics: bool | None = None) -> Tensor:
        """Return the outputs of all paths [P, n, out] from those of the layer below [P below, n, in].

        Args:
            batch_statistics: normalise by the batch in place of running statistics; by default in training mode.
        """
        by_batch = self.training if batch_statistics is None else batch_statistics
        if self.training:
            # The batch's mean takes a bias away again: its gradient is 0, and Adam would blow up what rounding leaves.
            idle = self.normalised and by_batch
            hidden = self._linear(inputs, self.bias.detach() + 0 * self.bias if idle else self.bias)
            if not idle:
                return torch.relu(self._normalise(hidden, by_batch) if self.normalised else hidden)
            outputs, mean, variance = BatchNormalisedReLU.apply(hidden, self.scale, self.shift)
            self.observe(mean, variance, hidden.shape[1])
            return outputs
        # One product per path, so that the bits do not depend on how many paths there are.
        paths = []
        for path, (block, parent) in enumerate(zip(self.block.tolist(), self.parent.tolist(), strict=True)):
            hidden = torch.addmm(self.bias[block], inputs[parent], self.weight[block])
            if self.normalised:
                hidden = self._normalise(hidden[None], by_batch, slice(path, path + 1))[0]
            paths.append(torch.relu(hidden))
        return torch.stack(paths)

    def _linear(self, inputs: Tensor, bias: Tensor) -> Tensor:
        if len(self.parent) == 1:
            return torch.addmm(bias[0], inputs[0], self.weight[0])[None]
        below = inputs if _is_range(self.parent, len(inputs)) else inputs[self.parent]
        if _is_range(self.block, len(self.weight)):
            return torch.baddbmm(bias[:, None], below, self.weight)
        return torch.baddbmm(bias[self.block][:, None], below, self.weight[self.block])

    def _normalise(self, hidden: Tensor, by_batch: bool, paths: slice = slice(None)) -> Tensor:
        mean, variance = self.mean[paths], self.variance[paths]
        if by_batch:
            mean = hidden.mean(1)  # two passes; torch.var_mean over this dimension takes many times as long
            variance = (hidden - mean[:, None]).square().mean(1)
        factor = self.scale[paths] * torch.rsqrt(variance + EPS)
        return hidden * factor[:, None] + (self.shift[paths] - mean * factor)[:, None]

    @torch.no_grad()
    def observe(self, mean: Tensor, variance: Tensor, rows: int) -> None:
        """Move the running statistics towards the means and uncorrected variances [P, out] of a batch of rows."""
        self.mean.lerp_(mean, MOMENTUM)
        self.variance.lerp_(variance * (rows / max(rows - 1, 1)), MOMENTUM)

    def take_blocks(self, kept: Tensor) -> None:
        """Replace the blocks by copies of those at some positions [new W], in place; paths then are blocks."""
        for name in _block_parameters(self):
            setattr(self, name, nn.Parameter(getattr(self, name).detach()[kept].clone()))
        for name in ("mean", "variance"):
            if self.normalised:
                setattr(self, name, getattr(self, name)[kept].clone())
        self.block = torch.arange(len(kept))
        self.parent = self.parent[kept].clone()


def _block_parameters(layer: SharedLayer) -> list[str]:
    return ["weight", "bias", *(["scale", "shift"] if layer.normalised else [])]


def _is_range(index: Tensor, size: int) -> bool:
    return len(index) == size and bool((index == torch.arange(size)).all())


class BranchedNetwork(nn.Module):
    """Shared layers in branches and one linear head of two logits per task.

    Batch normalisation stands after all shared layers but the last, or after the first `normalised` ones.

    Args:
        inputs: number of features.
        widths: of the shared layers.
        tasks: their number.
        groups: for every shared layer the tasks of each block of weights; one block by default.
        same_heads: all heads start alike, as FairBranch has them.
        generator: of the initial weights.
    """

    head_parent: Tensor

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int],
        tasks: int,
        groups: Sequence[Groups] | None = None,
        same_heads: bool = False,
        normalised: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        groups = groups or [[range(tasks)]] * len(widths)
        normalised = len(widths) - 1 if normalised is None else normalised
        sizes = [inputs, *widths]
        self.layers = nn.ModuleList()
        self.paths: list[list[list[int]]] = []  # the tasks of every path, by layer
        below: list[list[int]] = [list(range(tasks))]
        for place, own in enumerate(groups):
            layer = SharedLayer(sizes[place], sizes[place + 1], len(own), place < normalised)
            paths = joined(below, own)
            layer.block = torch.tensor([_containing(own, path) for path in paths])
            layer.parent = torch.tensor([_containing(below, path) for path in paths])
            if layer.normalised and len(paths) != len(own):  # weights are shared, statistics are not
                for name in ("scale", "shift"):
                    setattr(layer, name, nn.Parameter(getattr(layer, name).detach()[layer.block].clone()))
                for name in ("mean", "variance"):
                    setattr(layer, name, getattr(layer, name)[layer.block].clone())
            for block in range(len(own)):
                initialise(layer.weight.data[block], layer.bias.data[block], generator)
            self.layers.append(layer)
            self.paths.append(paths)
            below = paths
        self.head_weight = nn.Parameter(torch.empty(tasks, widths[-1], CLASSES))
        self.head_bias = nn.Parameter(torch.empty(tasks, CLASSES))
        for task in range(tasks):
            if task and same_heads:
                self.head_weight.data[task], self.head_bias.data[task] = (
                    self.head_weight.data[0],
                    self.head_bias.data[0],
                )
            else:
                initialise(self.head_weight.data[task], self.head_bias.data[task], generator)
        self.register_buffer("head_parent", torch.tensor([_containing(below, [task]) for task in range(tasks)]))

    @property
    def tasks(self) -> int:
        """Return the number of tasks."""
        return len(self.head_weight)

    def features(self, inputs: Tensor, batch_statistics: bool | None = None) -> Tensor:
        """Return the outputs of the last shared layer [P, n, width] for inputs [n, d]."""
        hidden = inputs[None]
        for layer in self.layers:
            hidden = layer(hidden, batch_statistics)
        return hidden

    def heads(self, features: Tensor) -> Tensor:
        """Return the logits of all tasks [T, n, 2] from `features`."""
        if self.training:
            return torch.baddbmm(self.head_bias[:, None], features[self.head_parent], self.head_weight)
        rows = zip(self.head_bias, self.head_parent.tolist(), self.head_weight, strict=True)
        return torch.stack([torch.addmm(bias, features[parent], weight) for bias, parent, weight in rows])

    def forward(self, inputs: Tensor, batch_statistics: bool | None = None) -> Tensor:
        """Return the logits of all tasks [T, n, 2] for inputs [n, d]."""
        return self.heads(self.features(inputs, batch_statistics))

    def split(self, place: int, groups: Groups) -> Tensor:
        """Split a shared layer of one block so that each group of tasks has a copy, and return the kept positions.

        All layers above must already be at least as split, and all below whole. Outputs stay as they are.

        Raises:
            ValueError: the layer or one below is split, or a branch above holds tasks of two groups.
        """
        if any(len(layer.weight) > 1 for layer in self.layers[: place + 1]):
            raise ValueError(f"layer {place} or one below it is split already")
        ordered = sorted(sorted(group) for group in groups)
        kept = torch.zeros(len(ordered), dtype=torch.int64)
        above = self.paths[place + 1] if place + 1 < len(self.layers) else [[task] for task in range(self.tasks)]
        parents = torch.tensor([_containing(ordered, path) for path in above])
        self.layers[place].take_blocks(kept)
        self.paths[place] = ordered
        if place + 1 < len(self.layers):
            self.layers[place + 1].parent = parents
        else:
            self.head_parent = parents
        return kept

    def clone(self) -> "BranchedNetwork":
        """Return a copy that shares nothing."""
        return copy.deepcopy(self)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of all shared layers, from the input on."""
        return [getattr(layer, name) for layer in self.layers for name in _block_parameters(layer)]

    def size(self) -> int:
        """Return the number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


def initialise(weight: Tensor, bias: Tensor, generator: torch.Generator | None) -> None:
    """Draw a weight [in, out] and a bias [out] in place as torch's `Linear` does: uniform within 1 / sqrt(in)."""
    bound = 1 / math.sqrt(weight.shape[0])
    weight.uniform_(-bound, bound, generator=generator)
    bias.uniform_(-bound, bound, generator=generator)


def _containing(groups: Groups, tasks: Sequence[int]) -> int:
    """Return the position of the group that holds all of some tasks.

    Raises:
        ValueError: there is none.
    """
    for place, group in enumerate(groups):
        if set(tasks) <= set(group):
            return place
    raise ValueError(f"tasks {list(tasks)} are in no group of {[list(group) for group in groups]}")
