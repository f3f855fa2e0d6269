"""Measure how hard the rendered faces are: the accuracy that a good classifier of the study's label reaches on them.

    python -m scripts.data.calibrate_faces --attributes PARQUET --train 10000 40000 --test 10000 --out OUT.parquet

The study's label is a coin with P(accept) = sigmoid(weights . attributes - 5). The attributes themselves allow an
accuracy of 0.864; on real photographs a good classifier reaches about 0.70, and so it should here. Two classifiers are
trained for each number of training faces, both on the same convolutional network: one on the label alone, one on the
40 attributes and the label together. Ends with status 1 when the best of them is outside of 0.68 to 0.72.
"""

import sys
import time

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from scripts.common import parquet
from scripts.common.command_line import new_parser
from scripts.common.errors import UserError
from scripts.common.intervals import proportion_interval
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.rendering import render_faces

LOWEST, HIGHEST = 0.68, 0.72
LABEL_SEED, BIAS = 1306, -5.0  # the published recipe of the label
BATCH = 128
PEAK_RATE = 2e-3


def labels(attributes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return P(accept) (float64 [N]) and the labels drawn with it (bool [N]) for attributes [N, 40] in -1/+1."""
    rng = np.random.default_rng(LABEL_SEED)
    weights = rng.standard_normal(len(ATTRIBUTES))
    chance = 1 / (1 + np.exp(-(attributes @ weights + BIAS)))
    return chance, rng.random(len(attributes)) < chance


def network(outputs: int) -> nn.Module:
    """Three convolutions (32, 64, 128) with BatchNorm and pooling, then one linear layer over the 4x4 map."""
    layers: list[nn.Module] = []
    first = nn.Conv2d(3, 32, 4, 2, 1, bias=False)
    for convolution in (first, *(nn.Conv2d(width, 2 * width, 3, 1, 1, bias=False) for width in (32, 64))):
        layers += [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 16, outputs)).to(memory_format=torch.channels_last)


def train(images: np.ndarray, targets: np.ndarray, epochs: int, seed: int) -> nn.Module:
    """Train a network on images (uint8 [N, 64, 64, 3]) and 0/1 targets (float32 [N, K]) with random mirroring."""
    torch.manual_seed(seed)
    model = network(targets.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), PEAK_RATE)
    steps = len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=epochs * steps)
    for epoch in range(epochs):
        started, total = time.monotonic(), 0.0
        model.train()
        for rows in torch.randperm(len(images))[: steps * BATCH].view(steps, BATCH).numpy():
            picture = pixels(images[np.sort(rows)])
            picture = torch.where(torch.rand(BATCH, 1, 1, 1) < 0.5, picture.flip(3), picture)
            loss = F.binary_cross_entropy_with_logits(model(picture), torch.from_numpy(targets[np.sort(rows)]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.monotonic() - started
        print(f"  epoch {epoch + 1} of {epochs}: loss {total / steps:.4f}, {seconds:.0f} s", flush=True)
    return model.eval()


def pixels(images: np.ndarray) -> torch.Tensor:
    """Return uint8 [N, H, W, 3] as float32 [N, 3, H, W] in [0, 1]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)


@torch.no_grad()
def logits(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """Return the model's outputs, float32 [N, K]."""
    return torch.cat([model(pixels(images[i : i + 500])) for i in range(0, len(images), 500)]).numpy()


def measure(table: pd.DataFrame, sizes: list[int], n_test: int, epochs: int, seed: int, workers: int) -> pd.DataFrame:
    """Render, train and test; return one line per classifier: classifier, train_faces, value, ci_low, ci_high, n.

    Args:
        table: row_id and the 40 attributes in -1/+1.
        sizes: numbers of faces to train on; the smaller sets are parts of the larger.
        n_test: held-out faces.
        epochs: passes over the training faces.
        seed: of the choice of rows and of the training.
        workers: processes that render.

    Raises:
        UserError: the table has fewer rows than asked for.
    """
    if len(table) < max(sizes) + n_test:
        raise UserError(f"--train {max(sizes)} and --test {n_test} need more than the table's {len(table)} rows")
    row_ids, attributes = table["row_id"].to_numpy(), table[list(ATTRIBUTES)].to_numpy(np.int8)
    chance, label = labels(attributes)
    targets = np.column_stack([attributes > 0, label]).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(table))
    test, pool = order[:n_test], order[n_test : n_test + max(sizes)]
    test_images = render_faces(row_ids[test], attributes[test], workers)
    pool_images = render_faces(row_ids[pool], attributes[pool], workers)
    lines = [
        line("attributes themselves", 0, (chance[test] > 0.5) == label[test]),
        line("majority class", 0, label[test] == (label[test].mean() > 0.5)),
    ]
    for size in sizes:
        for name, first in (("network: label", -1), ("network: attributes and label", 0)):
            print(f"{name}, {size} faces", flush=True)
            model = train(pool_images[:size], targets[pool[:size], first:], epochs, seed)
            lines.append(line(name, size, (logits(model, test_images)[:, -1] > 0) == label[test]))
            print(f"  accuracy {lines[-1]['value']:.4f}", flush=True)
    return pd.DataFrame(lines)


def line(classifier: str, train_faces: int, right: np.ndarray) -> dict:
    """Return one line of the result from which test faces were classified correctly (bool [N])."""
    low, high = proportion_interval(right.sum(), len(right))
    return {
        "classifier": classifier,
        "train_faces": train_faces,
        "value": right.mean(),
        "ci_low": float(low),
        "ci_high": float(high),
        "n": len(right),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the measurement from the command line; return 0 when the faces are as hard as they should be, else 1."""
    parser = new_parser(description=__doc__.splitlines()[0])
    parser.add_argument("--attributes", required=True, help="Parquet with row_id and the 40 attributes")
    parser.add_argument("--train", type=int, action="extend", nargs="+", help="numbers of faces to train on (40,000)")
    parser.add_argument("--test", type=int, default=10_000, help="held-out faces")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", required=True, help="Parquet to write")
    options = parser.parse_args(arguments)
    try:
        table = parquet.read(options.attributes, columns=["row_id", *ATTRIBUTES])
        found = measure(table, options.train or [40_000], options.test, options.epochs, options.seed, options.workers)
        parquet.write(found, options.out)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(found.to_string(index=False, float_format="%.4f"))
    best = found[found["classifier"].str.startswith("network")]["value"].max()
    verdict = LOWEST <= best <= HIGHEST
    print(f"best classifier {best:.4f}: {'inside' if verdict else 'OUTSIDE'} of {LOWEST} to {HIGHEST}")
    return 0 if verdict else 1


if __name__ == "__main__":
    sys.exit(main())
