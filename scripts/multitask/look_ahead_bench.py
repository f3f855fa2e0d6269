"""CPU seconds of the look-ahead of L2T-FMT beside 2T literal copies of the network with an Adam each."""

import torch

from scripts.common.optimizers import Adam
from scripts.common.timing import compare, interleave
from scripts.multitask.batch import Batch
from scripts.multitask.look_ahead import LookAhead, look_ahead
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork


def literal(network: BranchedNetwork, batch: Batch, rate: float) -> tuple[LookAhead, list[BranchedNetwork]]:
    """Return what 2T deep copies do after one step of torch's Adam, and the copies: L_1 .. L_T, F_1 .. F_T."""
    margins, losses, heads, copies = [], [], [], []

    def both(copy: BranchedNetwork) -> tuple[torch.Tensor, torch.Tensor]:
        logits = copy(batch.features)
        entropies = cross_entropies(logits, batch.labels)
        fair = fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)
        return logits, torch.stack([accuracy_losses(entropies), fair])

    for action in range(2):
        for task in range(network.tasks):
            copy = network.clone().train()
            adam = Adam(copy.parameters(), lr=rate)
            both(copy)[1][action, task].backward()
            adam.step()
            with torch.no_grad():
                logits, after = both(copy)
            margins.append(logits[task, :, 1] - logits[task, :, 0])
            losses.append(after[action, task])
            heads.append(copy.head_weight[task].detach().flatten())
            copies.append(copy)
    shaped = (torch.stack(found).unflatten(0, (2, -1)) for found in (margins, losses, heads))
    return LookAhead(*shaped), copies


def example(
    rows: int, inputs: int, widths: tuple[int, ...], tasks: int, seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[BranchedNetwork, Batch]:
    """Return a new network and random rows of two groups whose labels depend on the features."""
    generator = torch.Generator().manual_seed(seed)
    network = BranchedNetwork(inputs, widths, tasks, generator=generator).to(dtype)
    features = torch.randn(rows, inputs, generator=generator, dtype=dtype)
    scores = features @ torch.randn(inputs, tasks, generator=generator, dtype=dtype)
    noise = torch.randn(rows, tasks, generator=generator, dtype=dtype)
    groups = torch.randint(0, 2, (rows,), generator=generator, dtype=torch.int8)
    return network, Batch(features, (scores + noise > 1).to(torch.int8), groups, 2)


def ratio(
    rows: int = 512, inputs: int = 37, widths: tuple[int, ...] = (64, 64, 64, 32), tasks: int = 5, repeats: int = 9,
    times: int = 5,
) -> dict:  # fmt: skip
    """Return a row of the benchmark: CPU seconds of a look-ahead and of literal copies, and their ratio (goal 1/2).

    Args:
        times: look-aheads per measurement.
    """
    network, batch = example(rows, inputs, widths, tasks)
    works = {
        "ours": lambda: [look_ahead(network, batch, 1e-3) for _ in range(times)],
        "literal": lambda: [literal(network, batch, 1e-3) for _ in range(times)],
    }
    costs = interleave(works, repeats)
    ours, reference = ([type(cost)(*(part / times for part in cost)) for cost in costs[name]] for name in works)
    what = f"L2T-FMT's look-ahead, {tasks} tasks, {rows} rows"
    gap = (look_ahead(network, batch, 1e-3).margins - literal(network, batch, 1e-3)[0].margins).abs().max()
    return compare(what, ours, reference, "cpu", at_most=0.5, remark=f"largest difference of log-odds {gap:.1e}")
