"""Rule `bench_backdoor`: label-updates per second, all labels at once and one by one, and what early stopping saves."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from scripts.backdoor.backdoor_scan import search_of
from scripts.backdoor.digits import load_pools
from scripts.backdoor.network import CLASSES, DigitNet, frozen
from scripts.backdoor.neural_cleanse import Search, reverse_engineer
from scripts.backdoor.weights import load_models
from scripts.common import parquet
from scripts.common.device import choose_device
from scripts.common.logs import job
from scripts.common.tables import save_table
from scripts.common.timing import compare, frame_of, interleave, row

REPEATS = 3
PUBLISHED = Search()  # 1,000 steps of 31 batches of 32


def layers_of(model: DigitNet) -> nn.Module:
    """Return the network written with torch's layers, the way a reader would."""
    pool = [nn.ReLU(), nn.AvgPool2d(2)]
    layers = nn.Sequential(model.conv1, *pool, model.conv2, *pool, nn.Flatten(), model.fc1, nn.ReLU(), model.fc2)
    return layers.requires_grad_(False)


def speeds(model: DigitNet, images: Tensor, search: Search, clock: str) -> list[dict]:
    """Return the rows on speed: a short search without early stop, in turns in one process."""
    short = replace(search, steps=2, schedule=replace(search.schedule, early_stop=False))
    fast, plain = frozen(model), layers_of(model)

    def together(network: Callable[[Tensor], Tensor]) -> Callable[[], object]:
        return lambda: reverse_engineer(network, images, range(CLASSES), short, 1).mask.sum().item()

    def one_by_one(network: Callable[[Tensor], Tensor]) -> Callable[[], object]:
        return lambda: [
            reverse_engineer(network, images, [label], short, 1).mask.sum().item() for label in range(CLASSES)
        ]

    works = {"ours": together(fast), "one by one": one_by_one(fast), "plain layers": one_by_one(plain)}
    costs = interleave(works, REPEATS)
    updates = CLASSES * short.steps * short.batches_per_step
    words = f"label-updates of {short.batch_size} images"
    return [
        compare(f"{words}: ten labels at once", costs["ours"], costs[name], clock, updates, remark=remark)
        for name, remark in (
            ("one by one", "reference: one label after the other, the same network"),
            ("plain layers", "reference: one label after the other, torch's layers"),
        )
    ]


def saved(labels_path: str, kind: str, search: Search, words: str) -> dict:
    """Return the row on updates that early stopping saved in a finished scan of a kind of models."""
    labels = parquet.read(labels_path)
    own = labels[(labels["protocol"] == "corrected") & (labels["kind"] == kind)]
    taken, budget = int(own["updates"].sum()), len(own) * search.steps * search.batches_per_step
    remark = f"{budget - taken:,} of {budget:,} updates saved by early stopping over {len(own)} labels; {words}"
    return row("updates of a scan", "updates", taken, budget, [taken / budget], remark=remark)


def published_budget(model: DigitNet, images: Tensor) -> dict:
    """Return the row on the whole published budget, 31,000 updates for each of ten labels, without early stop."""
    search = replace(PUBLISHED, schedule=replace(PUBLISHED.schedule, early_stop=False))
    network, seconds = frozen(model), []
    for groups in ([range(CLASSES)], [[label] for label in range(CLASSES)]):
        start = time.perf_counter()
        for labels in groups:
            reverse_engineer(network, images, labels, search, 1).mask.sum().item()
        seconds.append(time.perf_counter() - start)
    remark = "1,000 steps of 31 batches of 32, ten labels; reference: one label after the other"
    return row("the published budget", "s", *seconds, [seconds[0] / seconds[1]], remark=remark)


def bench(
    weights: str, images: str, pools: str, labels: str, kind: str, settings: Mapping, gpu: int, output: str, table: str
) -> None:
    """Time the searches and write the rows of the benchmark; the whole published budget only on a GPU."""
    device = choose_device(gpu, 1)
    model = next(iter(load_models(weights, kind, device).values()))
    clean = load_pools(images, pools, device)["reverse"].images
    search = search_of(settings)
    rows = speeds(model, clean, search, "wall" if gpu else "cpu")
    rows.append(saved(labels, kind, search, "published schedule"))
    if gpu:
        rows.append(published_budget(model, clean))
    else:
        rows.append(row("the published budget", "s", float("nan"), float("nan"), [float("nan")], remark="needs a GPU"))
    result = frame_of(rows)
    parquet.write(result, output)
    shown = result[["what", "unit", "ours", "reference", "ratio", "remark"]]
    save_table(
        shown, table, f"Trigger reverse engineering on {torch.cuda.get_device_name() if gpu else 'one CPU thread'}"
    )


if "snakemake" in globals():
    with job(snakemake):
        given, out = snakemake.input, snakemake.output
        table = out.table[0].removesuffix(".csv")
        paths = (given.weights, given.images, given.pools, given.labels)
        kind, settings = snakemake.params.kind, snakemake.params.settings
        bench(*paths, kind, settings, snakemake.resources.gpu, out.parquet, table)
