"""The comparisons on a GPU: share of the measured matrix rate, and ratios over the plain pipeline."""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from scripts.common import parquet
from scripts.common.timing import Seconds, compare, interleave, row
from scripts.tradeoffs.bench import reference
from scripts.tradeoffs.bench.material import Material
from scripts.tradeoffs.bench.training import SETTINGS, epoch_of, with_attack
from scripts.tradeoffs.images import Images
from scripts.tradeoffs.networks import build
from scripts.tradeoffs.tradeoffs_train import optimizer_of

ATTACKS = {"fgsm_random_start": 2.5, "pgd_2": 2.5, "published_apgd": None}


def wait(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rate(device: torch.device, side: int = 8192, products: int = 50, repeats: int = 5) -> float:
    """Return the highest rate of bfloat16 products of square matrices, in FLOP/s (2 per multiply-add)."""
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    rates = []
    for _ in range(repeats + 1):  # the first is warm-up, and never the highest
        wait(device)
        start = time.perf_counter()
        for _ in range(products):
            torch.mm(a, b)
        wait(device)
        rates.append(2 * side**3 * products / (time.perf_counter() - start))
    return max(rates)


def training_flops(network: str) -> float:
    """Return the FLOPs of a plain training step on one 64x64 image: convolutions and products, 2 per multiply-add."""
    model = build(network, 1)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, 64, 64)).sum().backward()
    return float(counter.get_total_flops())


def repeated(material: Material, images: int, device: torch.device) -> tuple[Images, list, list[int]]:
    """Return the material repeated to `images` images: on the device, and as JPEG paths and labels."""
    chosen = np.arange(images) % len(material.rows)
    index = parquet.read(material.index)
    rows = material.rows.merge(index, on="row_id").iloc[chosen]
    data = Images(np.load(material.array, mmap_mode="c"), rows, device)
    return data, [material.paths[i] for i in chosen], rows["label"].tolist()


def compare_all(
    device: torch.device,
    material: Material,
    network: str = "published_resnet",
    images: int = 8192,
    batch_sizes: tuple[int, ...] = (128, 512),
    compiled: tuple[bool, ...] = (False, True),
    matrix_side: int = 8192,
    repeats: int = 5,
    workers: int = reference.WORKERS,
) -> list[dict]:
    """Return the rows of the GPU part: plain epochs at each batch size, then adversarial ones at the first.

    Goals: 5 times the plain pipeline, 35 % of the measured matrix rate, 2.5 times a plain epoch.
    """
    data, paths, labels = repeated(material, images, device)
    rate, flops = matrix_rate(device, matrix_side), training_flops(network)
    plain = build(network, 1).to(device)
    optimizer = optimizer_of(plain, SETTINGS)
    rows = []
    for batch in batch_sizes:

        def from_jpegs(batch: int = batch) -> None:
            with reference.ordinary_torch():
                reference.epoch(plain, optimizer, paths, labels, batch, workers, device)

        works = {"reference": from_jpegs}
        works |= {name: our_epoch(network, data, SETTINGS | {"batch_size": batch}, name) for name in modes(compiled)}
        costs, steps = interleave(works, repeats), images // batch * batch
        for name in modes(compiled):
            words = f"{network}, batch {batch}, bf16, {name}"
            remark = f"{words}; reference: {workers} decoding workers, float32"
            what = "plain epoch on the GPU"
            rows.append(compare(what, costs[name], costs["reference"], "wall", steps, at_least=5, remark=remark))
            rows.append(share(costs[name], steps, flops, rate, words))
    return rows + adversarial(network, data, modes(compiled)[-1], repeats)


def modes(compiled: tuple[bool, ...]) -> list[str]:
    """Return the names of the ways to run a network."""
    return ["compiled" if mode else "eager" for mode in compiled]


def our_epoch(network: str, data: Images, settings: dict, mode: str) -> Callable[[], None]:
    """Return a training epoch of a fresh network on the data's device, compiled or not."""
    model = build(network, 1).to(data.device, memory_format=torch.channels_last)
    return epoch_of(model, data, settings, network=torch.compile(model) if mode == "compiled" else None)


def share(costs: list[Seconds], images: int, flops: float, rate: float, words: str) -> dict:
    """Return the row on the share of the measured matrix rate that a plain epoch reaches."""
    reached = [flops * images / cost.wall for cost in costs]
    remark = f"{words}, {flops / 1e9:.2f} GFLOP per image; reference: bfloat16 matrix products"
    what, unit = "share of the matrix rate in a plain epoch", "TFLOP/s"
    ratios = [value / rate for value in reached]
    return row(what, unit, float(np.median(reached)) / 1e12, rate / 1e12, ratios, at_least=0.35, remark=remark)


def adversarial(network: str, data: Images, mode: str, repeats: int) -> list[dict]:
    """Return the rows on the cost of adversarial epochs over a plain one."""
    works = {"plain": our_epoch(network, data, SETTINGS, mode)}
    works |= {attack: our_epoch(network, data, with_attack(attack), mode) for attack in ATTACKS}
    costs = interleave(works, repeats)
    words = f"{network}, batch {SETTINGS['batch_size']}, {mode}; bf16"
    return [
        compare(
            f"{attack} epoch over a plain one, GPU", costs[attack], costs["plain"], "wall", at_most=goal, remark=words
        )
        for attack, goal in ATTACKS.items()
    ]
