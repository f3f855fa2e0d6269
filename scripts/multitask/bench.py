"""Rule `multitask_bench`: CPU seconds of the study's steps beside literal and published implementations of the same."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from scripts.common import parquet
from scripts.common.logs import job
from scripts.common.optimizers import AdamW
from scripts.common.tables import save_table
from scripts.common.timing import compare, frame_of, interleave
from scripts.multitask.batch import Batch
from scripts.multitask.conflicts import weight_gradients
from scripts.multitask.fairbranch import FairBranch, Options
from scripts.multitask.gradients import gradients_of
from scripts.multitask.literal import fairbranch_step, losses_of, pcgrad_step, single_task_network, torchjd_step
from scripts.multitask.look_ahead_bench import example
from scripts.multitask.look_ahead_bench import ratio as look_ahead
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.pcgrad import PCGrad


@dataclass(frozen=True)
class Size:
    """How much is timed: rows of a step, features, widths, numbers of tasks, rounds in turns, and steps per round."""

    rows: int = 512
    inputs: int = 37
    widths: tuple[int, ...] = (64, 64, 64, 32)
    tasks: tuple[int, ...] = (5, 17)
    repeats: int = 7
    steps: int = 8

    def example(self, tasks: int) -> tuple[BranchedNetwork, Batch]:
        """Return a new network in training mode and random rows."""
        network, batch = example(self.rows, self.inputs, self.widths, tasks)
        return network.train(), batch


def timed(what: str, size: Size, ours: Callable, literal: Callable, at_most: float | None, remark: str) -> dict:
    """Return a row of the benchmark: CPU seconds of a step of each side and their ratio."""
    works = {
        name: lambda work=work: [work() for _ in range(size.steps)] for name, work in (("o", ours), ("l", literal))
    }
    costs = interleave(works, size.repeats)
    single = [[type(cost)(*(part / size.steps for part in cost)) for cost in costs[name]] for name in works]
    return compare(what, *single, "cpu", at_most=at_most, remark=remark)


def gradients(network: BranchedNetwork, step: Callable[[], object]) -> Tensor:
    """Return all gradients after a step, as one vector."""
    network.zero_grad(set_to_none=True)
    step()
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def gap(network: BranchedNetwork, *steps: Callable[[], object]) -> str:
    """Return the largest difference of two steps' gradients, in words."""
    one, other = (gradients(network, step) for step in steps)
    return f"largest difference of gradients {(one - other).abs().max():.0e}, of {one.abs().max():.0e}"


def branched(network: BranchedNetwork, levels: int) -> BranchedNetwork:
    """Return the network after branchings from the top that merge neighbours in pairs, level by level."""
    groups = [[task] for task in range(network.tasks)]
    for level in range(1, levels + 1):
        groups = [[*chain(*groups[place : place + 2])] for place in range(0, len(groups), 2)]
        network.split(len(network.layers) - level, groups)
    return network


def fairbranch_rows(size: Size) -> list[dict]:
    """Return rows of FairBranch's step after one and two branchings, against a backward pass per task."""
    rows = []
    for tasks in size.tasks:
        for levels in (1, 2):
            network, batch = size.example(tasks)
            network = branched(network, levels)
            method = FairBranch(network, Options(weights="one"), torch.Generator(), [*map(str, range(tasks))])

            def ours(method: FairBranch = method, network: BranchedNetwork = network, batch: Batch = batch) -> None:
                method.gradients(network, batch)

            def literal(network: BranchedNetwork = network, batch: Batch = batch) -> None:
                fairbranch_step(network, batch)

            ours()
            passes = f"{method.passes} backward passes against {tasks + 1}; {gap(network, ours, literal)}"
            what = f"FairBranch's step, {tasks} tasks, {levels} branched layers"
            rows.append(timed(what, size, ours, literal, 1 if tasks == 5 else 0.5, passes))
    return rows


def conflict_rows(size: Size) -> list[dict]:
    """Return rows of the gradients of 2T losses by layer, against 2T backward passes."""
    rows = []
    for tasks in size.tasks:
        network, batch = size.example(tasks)
        weights = [layer.weight for layer in network.layers]
        found = [part.flatten(1) for part in weight_gradients(network, batch)]

        def literal(
            network: BranchedNetwork = network, batch: Batch = batch, weights: list[Tensor] = weights
        ) -> list[list[Tensor]]:
            return gradients_of([*torch.cat(losses_of(network, batch))], weights)

        expected = [torch.stack(parts).flatten(1) for parts in zip(*literal(), strict=True)]
        largest = max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True))
        remark = f"largest difference {largest:.0e}"
        what = f"gradients of {2 * tasks} losses for conflicts"
        rows.append(timed(what, size, lambda n=network, b=batch: weight_gradients(n, b), literal, 1, remark))
    return rows


def separate_rows(size: Size) -> list[dict]:
    """Return rows of a training step of T single-task networks stacked in one, against torch's, one after another."""
    rows = []
    for tasks in size.tasks:
        batch = size.example(tasks)[1]
        groups = [[[task] for task in range(tasks)]] * len(size.widths)
        stacked = BranchedNetwork(size.inputs, size.widths, tasks, groups, generator=torch.Generator().manual_seed(0))
        singles = [single_task_network(stacked, task) for task in range(tasks)]
        of_stacked = AdamW(stacked.parameters(), lr=1e-3)
        of_singles = [AdamW(single.parameters(), lr=1e-3) for single in singles]
        labels = batch.labels.long()

        def ours(
            network: BranchedNetwork = stacked, batch: Batch = batch, optimizer: torch.optim.Optimizer = of_stacked
        ) -> None:
            optimizer.zero_grad()
            losses_of(network, batch)[0].sum().backward()
            optimizer.step()

        def literal(
            singles: list = singles, optimizers: list = of_singles, batch: Batch = batch, labels: Tensor = labels
        ) -> None:
            for task, (single, optimizer) in enumerate(zip(singles, optimizers, strict=True)):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(single(batch.features), labels[:, task]).backward()
                optimizer.step()

        ours()
        literal()
        with torch.no_grad():
            logits = stacked(batch.features)
            apart = max(
                float((single(batch.features) - own).abs().max()) for single, own in zip(singles, logits, strict=True)
            )
        remark = f"largest difference of logits after a step {apart:.0e}"
        rows.append(timed(f"{tasks} single-task networks, a step", size, ours, literal, 1, remark))
    return rows


def pcgrad_rows(size: Size) -> list[dict]:
    """Return rows of PCGrad's step against a loop over tasks and pairs, and torchjd where it is installed."""
    rows = []
    for tasks in size.tasks:
        network, batch = size.example(tasks)
        orders = torch.rand(tasks, tasks, generator=torch.Generator().manual_seed(0)).argsort(1).tolist()

        def ours(network: BranchedNetwork = network, batch: Batch = batch) -> None:
            PCGrad(0.0, torch.Generator().manual_seed(0)).gradients(network, batch)

        def literal(network: BranchedNetwork = network, batch: Batch = batch, orders: list = orders) -> None:
            pcgrad_step(network, batch, orders)

        what, remark = f"PCGrad's step, {tasks} tasks", gap(network, ours, literal)
        rows.append(timed(f"{what}, a literal loop", size, ours, literal, 1, remark))
        published = torchjd_step(network)
        if published is not None:
            apart = f"torchjd's batched Jacobian on torch's layers; its orders differ; to the loop: {remark}"
            rows.append(timed(f"{what}, torchjd", size, ours, lambda step=published, b=batch: step(b), 1, apart))
    return rows


def bench(output: str, shown: str, size: Size = Size()) -> None:
    """Time all pairs in turns and write the rows of the benchmark."""
    torch.set_num_threads(1)
    rows = [*fairbranch_rows(size), *conflict_rows(size), *separate_rows(size), *pcgrad_rows(size)]
    rows += [look_ahead(size.rows, size.inputs, size.widths, tasks, size.repeats, 2) for tasks in size.tasks]
    frame = frame_of(rows)
    parquet.write(frame, output)
    columns = ["what", "unit", "ours", "reference", "ratio", "goal", "met", "remark"]
    save_table(frame[columns], shown, "CPU seconds of a step, one thread: ours beside the reference")


if "snakemake" in globals():
    with job(snakemake):
        bench(snakemake.output.parquet, snakemake.output.table[0].removesuffix(".csv"))
