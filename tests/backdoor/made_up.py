"""Small digits and models for the tests: bright strokes whose place says the label, learned in a second."""

import numpy as np
import torch

from scripts.backdoor.digits import Pool
from scripts.backdoor.network import DigitNet, build


def digits(rows: int, seed: int = 0) -> Pool:
    """Return images with a bright bar at a height and side that name the label, with noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, rows)
    images = random.random((rows, 1, 28, 28)) * 0.2
    for image, label in zip(images[:, 0], labels, strict=True):
        top, left = 4 + 4 * (label % 5), 4 + 10 * (label // 5)
        image[top : top + 3, left : left + 9] += 0.7
    return Pool(torch.from_numpy(images).float(), torch.from_numpy(labels))


def trained(pool: Pool, updates: int = 60, seed: int = 0) -> DigitNet:
    """Return a network fitted to a pool."""
    model = build("test", seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(updates):
        rows = torch.from_numpy(np.random.default_rng(step).choice(len(pool), 64))
        loss = torch.nn.functional.cross_entropy(model(pool.images[rows]), pool.labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()
