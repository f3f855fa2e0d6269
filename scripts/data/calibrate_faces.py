"""Difficulty of the rendered faces: the accuracy that a good classifier of the study's label reaches on them.

    python -m scripts.data.calibrate_faces --attributes PARQUET --train 10000 40000 --test 10000 --out OUT.parquet

The study's label is a coin toss with P(accept) = sigmoid(weights . attributes - 5). Knowing the attributes allows an
accuracy of 0.864; on real photographs a good classifier reaches about 0.70, which is the target here. Two classifiers
with the same convolutional network are trained for each number of training faces: one on the label alone, one on the 40
attributes and the label together. The exit status is 1 if the best accuracy lies outside 0.68 to 0.72.
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
from scripts.common.optimizers import AdamW
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.rendering import render_faces

LOWEST, HIGHEST = 0.68, 0.72
LABEL_SEED, BIAS = 1306, -5.0  # of the published label
BATCH = 128
PEAK_RATE = 2e-3


def labels(attributes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return P(accept) (float64 [N]) and the labels drawn with it (bool [N]) for attributes [N, 40] in -1/+1."""
    rng = np.random.default_rng(LABEL_SEED)
    weights = rng.standard_normal(len(ATTRIBUTES))
    probability = 1 / (1 + np.exp(-(attributes @ weights + BIAS)))
    return probability, rng.random(len(attributes)) < probability


def network(outputs: int) -> nn.Module:
    """Return a network of three convolutions (32, 64, 128) with BatchNorm and pooling, and one linear layer."""
    layers: list[nn.Module] = []
    first = nn.Conv2d(3, 32, 4, 2, 1, bias=False)
    for convolution in (first, *(nn.Conv2d(width, 2 * width, 3, 1, 1, bias=False) for width in (32, 64))):
        layers += [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 16, outputs)).to(memory_format=torch.channels_last)


def train(images: np.ndarray, targets: np.ndarray, epochs: int, seed: int) -> nn.Module:
    """Return a network trained on images (uint8 [N, 64, 64, 3]) and 0/1 targets (float32 [N, K]), randomly mirrored."""
    torch.manual_seed(seed)
    model = network(targets.shape[1])
    optimizer = AdamW(model.parameters(), PEAK_RATE)
    steps = len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=epochs * steps)
    for epoch in range(epochs):
        started, total = time.monotonic(), 0.0
        model.train()
        for rows in torch.randperm(len(images))[: steps * BATCH].view(steps, BATCH).numpy():
            batch = pixels(images[np.sort(rows)])
            batch = torch.where(torch.rand(BATCH, 1, 1, 1) < 0.5, batch.flip(3), batch)
            loss = F.binary_cross_entropy_with_logits(model(batch), torch.from_numpy(targets[np.sort(rows)]))
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
    """Test accuracy of every classifier, one row each: classifier, train_faces, value, ci_low, ci_high, n.

    Args:
        table: row_id and the 40 attributes in -1/+1.
        sizes: numbers of training faces; smaller sets are subsets of larger ones.
        n_test: number of test faces.
        epochs: passes over the training faces.
        seed: of the choice of rows and of the training.
        workers: processes that render.

    Raises:
        UserError: the table has too few rows.
    """
    if len(table) < max(sizes) + n_test:
        raise UserError(f"--train {max(sizes)} and --test {n_test} need more than the table's {len(table)} rows")
    row_ids, attributes = table["row_id"].to_numpy(), table[list(ATTRIBUTES)].to_numpy(np.int8)
    probability, label = labels(attributes)
    targets = np.column_stack([attributes > 0, label]).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(table))
    test, pool = order[:n_test], order[n_test : n_test + max(sizes)]
    test_images = render_faces(row_ids[test], attributes[test], workers)
    pool_images = render_faces(row_ids[pool], attributes[pool], workers)
    lines = [
        line("attributes themselves", 0, (probability[test] > 0.5) == label[test]),
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
    """Return one row of the result; `right` (bool [N]) marks the correctly classified test faces."""
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
    """Run the measurement from the command line; return 0 if the faces are as hard as intended, else 1."""
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
        sizes = options.train or [40_000]
        accuracies = measure(table, sizes, options.test, options.epochs, options.seed, options.workers)
        parquet.write(accuracies, options.out)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(accuracies.to_string(index=False, float_format="%.4f"))
    best = accuracies[accuracies["classifier"].str.startswith("network")]["value"].max()
    in_range = LOWEST <= best <= HIGHEST
    print(f"best classifier {best:.4f}: {'inside' if in_range else 'OUTSIDE'} of {LOWEST} to {HIGHEST}")
    return 0 if in_range else 1


if __name__ == "__main__":
    sys.exit(main())
