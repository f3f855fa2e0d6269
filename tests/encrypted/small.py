"""Small images, networks and pictures that several tests encrypt."""

from pathlib import Path

import numpy as np
from PIL import Image

from scripts.encrypted.encrypted_train import train
from scripts.encrypted.encrypted_transform import transform
from scripts.encrypted.network import Network, folded

SETTINGS = ["dct-16", "pooling-16", "pixels-64"]
TRAINED = {"hidden": {"plain": [6]}, "seeds": [1, 2], "training": {"epochs": 4, "batch_size": 32}, "bits": 4}
KINDS = {"images": "npy", "index": "parquet", "numbers": "safetensors"}


def network(seed: int = 0, k: int = 5, hidden: int = 4, classes: int = 3) -> Network:
    """Return a network with one hidden layer and drawn weights."""
    random = np.random.default_rng(seed)
    weights = [random.normal(size=(k, hidden)) / k**0.5, random.normal(size=(hidden, classes)) / 3]
    return folded(weights, [random.normal(size=hidden) / 3, random.normal(size=classes)], np.zeros(k), np.ones(k))


def made(folder: Path, settings=SETTINGS, train_rows=200, test_rows=60) -> dict[str, str]:
    """Return the paths of images, index, numbers, networks and predictions of some digits, as the rules write them."""
    paths = {kind: str(folder / f"digits.{ending}") for kind, ending in KINDS.items()}
    chosen = {"source": "digits", "side": 8, "most_rows": {"train": train_rows, "test": test_rows}}
    transform("digits", {"entry": chosen, "places": {}}, settings, paths)
    trained = {"networks": str(folder / "networks.safetensors"), "predictions": str(folder / "predictions.parquet")}
    train("digits", paths, TRAINED | {"settings": settings}, trained)
    return paths | trained


def draw(path: Path, seed: int = 0, size: tuple[int, int] = (20, 16), mode: str = "L", **options) -> Path:
    """Write a picture of soft grey spots, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (4, 4), dtype=np.uint8))
    coarse.resize(size, Image.Resampling.BILINEAR).convert(mode).save(path, **options)
    return path
