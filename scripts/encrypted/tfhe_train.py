"""Rule `encrypted_tfhe_train`: the small integer networks that are run under TFHE, trained in clear."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from scripts.common.errors import UserError
from scripts.common.files import atomic_path, checksum
from scripts.common.logs import job, log
from scripts.common.seeds import shuffled
from scripts.encrypted import sources
from scripts.encrypted.images import Images
from scripts.encrypted.tfhe import qat
from scripts.encrypted.tfhe.inputs import numbers_of, quantiser
from scripts.encrypted.tfhe.nets import LAYOUTS, bits_of, named, write

MNIST_PADDED = 32  # two black lines on each side, so that 16 divides it


def images_of(dataset: str, places: Mapping[str, str], side: int) -> Images:
    """Return the images of a dataset of the layouts; MNIST is padded to 32x32 and shrunk to means of 2x2 pixels."""
    if dataset != "mnist":
        return sources.digits({"side": side}, {})
    whole = sources.mnist({}, places)
    edge = (MNIST_PADDED - whole.side) // 2
    padded = np.pad(whole.values.reshape(-1, whole.side, whole.side), ((0, 0), (edge, edge), (edge, edge)))
    values = sources.shrink(padded, side)
    return Images(whole.title, whole.names, whole.row_ids, whole.labels, whole.test, values)


def train(
    keys: Sequence[str],
    places: Mapping[str, str],
    epochs: int,
    test_images: int,
    weights: str | Path,
    about: str | Path,
) -> None:
    """Write the networks with the integers of their test images, and what is known of them.

    Args:
        keys: of `LAYOUTS`.
        places: `images` and `index` of MNIST.
        epochs: of training.
        test_images: how many test images are kept for encrypted and simulated runs.
        weights: NumPy archive: per network its arrays, `calibration` (inputs that give the widths of the sums),
            `inputs`, `labels` and `row_ids` of test images in an order drawn once.
        about: JSON of the networks: shapes, accuracy in clear on all test images, sha256 of the archive.

    Raises:
        UserError: there is no such network, or a file cannot be read or written.
    """
    arrays, listed = {}, []
    for key in keys:
        if key not in LAYOUTS:
            raise UserError(f"encrypted: no TFHE network {key!r}; there are {', '.join(LAYOUTS)}")
        layout = LAYOUTS[key]
        images = images_of(layout.dataset, places, layout.side)
        numbers = numbers_of(images.values.reshape(-1, layout.side, layout.side).astype(np.float64), layout)
        inputs = quantiser(numbers[~images.test], layout)(numbers)
        settings = qat.Settings(epochs=epochs)
        _, net = qat.train(inputs[~images.test], images.labels[~images.test], layout, settings, key)
        test = np.flatnonzero(images.test)
        right = net.logits(inputs[test]).argmax(1) == images.labels[test]
        kept = test[shuffled(len(test), "encrypted", "tfhe", layout.dataset)[:test_images]]
        calibration = inputs[~images.test]
        arrays |= named(net, key) | {
            f"{key}/calibration": calibration[net.extremes(calibration)].astype(np.int8),
            f"{key}/inputs": inputs[kept].astype(np.int8),
            f"{key}/labels": images.labels[kept],
            f"{key}/row_ids": images.row_ids[kept],
        }
        listed.append(
            {
                "key": key,
                "net": layout.name,
                "images": images.title,
                "accuracy_clear": float(right.mean()),
                "test_rows": len(test),
                "bootstraps": layout.bootstraps,
                "widths": [bits_of(sums) for sums in net.accumulators(calibration)[:2]],
            }
        )
        log.info("%s: accuracy %.3f on %d images", layout.name, right.mean(), len(test))
    write(arrays, weights)
    content = {"epochs": epochs, "weights_sha256": checksum(weights), "nets": listed}
    with atomic_path(about) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        torch.set_num_threads(snakemake.threads)
        train(
            snakemake.params.nets,
            {"images": snakemake.input.images, "index": snakemake.input.index},
            snakemake.params.epochs,
            snakemake.params.test_images,
            snakemake.output.weights,
            snakemake.output.about,
        )
