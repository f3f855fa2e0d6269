"""Arithmetic on the numbers that the source prints: ratios of latencies, rivals in its table, binomial deviations."""

from pathlib import Path

import pandas as pd

from scripts.common.published import values

PUBLISHED_NUMBERS = Path(__file__).with_name("published.yaml")
COLUMNS = ["quantity", "setting", "value"]
NETWORKS = ("cifar10_resnet20", "cifar10_resnet18", "imagenet_resnet18")
SECONDS_PER_HOUR = 3600


def printed_numbers(path: str | Path = PUBLISHED_NUMBERS) -> pd.DataFrame:
    """Return what follows from the printed numbers alone, the released frame `published`: quantity, setting, value.

    Quantities:
        ratio: latency on pixels over that on DCT of the same pipeline; for `she`, that of SHE, normalised, on ImageNet.
        rivals: earlier networks on CIFAR-10 that are faster than the DCT one and at least as accurate.
        binomial_deviation: of an accuracy over as many images as the source takes, for the accuracy on pixels.
        hours: latency on DCT.

    Raises:
        UserError: the file is missing or broken, or lacks a group.
    """
    table, images = values(path, "table_1"), values(path, "evaluation")["images"]
    rows = []
    for name in NETWORKS:
        rgb, dct = table[name]["rgb"], table[name]["dct"]
        rows += [
            ("ratio", name, rgb["latency"] / dct["latency"]),
            ("binomial_deviation", name, (rgb["accuracy"] * (1 - rgb["accuracy"]) / images) ** 0.5),
            ("hours", name, dct["latency"] / SECONDS_PER_HOUR),
        ]
        if name.startswith("cifar10"):
            earlier = [*values(path, "ckks_rivals").values(), *values(path, "tfhe_rivals").values()]
            rows.append(("rivals", name, float(sum(beats(rival, dct) for rival in earlier))))
    imagenet = table[NETWORKS[-1]]["dct"]
    rows.append(("ratio", "she", table["she"]["latency_normalised"] / imagenet["latency"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def beats(rival: dict, network: dict) -> bool:
    """Return whether a network is faster, by its normalised latency where there is one, and no less accurate."""
    latency = rival.get("latency_normalised", rival["latency"])
    return latency < network["latency"] and rival["accuracy"] >= network["accuracy"]
