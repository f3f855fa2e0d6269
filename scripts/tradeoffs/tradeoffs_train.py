"""Rule `train`: one run of the grid, from settings to weights and training curve.

To train one run alone from the command line, see single.py.
"""

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from scripts.common import parquet
from scripts.common.files import atomic_path, checksum
from scripts.common.schemas.curves import CURVES
from scripts.common.seeds import seed_from
from scripts.common.training import Checkpoints, choose_device, fit, generator
from scripts.tradeoffs.arms import attacked, objective
from scripts.tradeoffs.images import Images, centre_crop, load_split, random_crop, random_flip, to_float
from scripts.tradeoffs.networks import build

VALIDATION_BATCH = 512


def epoch_batches(rows: int, batch_size: int, seed: int, epoch: int) -> list[Tensor]:
    """Return the index batches of an epoch; the last, smaller one is dropped as in the published code.

    The order depends on the seed and the epoch only, so arms of one seed see the same batches.
    """
    order = torch.from_numpy(np.random.default_rng(seed_from("batches", seed, epoch)).permutation(rows))
    return list(order[: rows - rows % batch_size].split(batch_size)) if rows >= batch_size else [order]


def optimizer_of(model: nn.Module, settings: dict) -> torch.optim.Optimizer:
    """Return the published SGD with momentum, or AdamW (Loshchilov and Hutter 2019)."""
    rate, decay = settings["learning_rate"], settings["weight_decay"]
    if settings["optimizer"] == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=settings["momentum"], weight_decay=decay)


def learning_rate(settings: dict) -> Callable[[int, float], float]:
    """Return (epoch, share of it) -> rate.

    "steps": a tenth after each drop, given as shares of all epochs (published). "one_cycle": a linear
    rise over the first 30 % of the training and a cosine fall to zero.
    """
    highest, epochs = settings["learning_rate"], settings["epochs"]
    drops = [round(share * epochs) for share in settings["learning_rate_drops"]]

    def steps(epoch: int, _: float) -> float:
        return highest * 0.1 ** sum(epoch >= drop for drop in drops)

    def one_cycle(epoch: int, share: float) -> float:
        done = (epoch + share) / epochs
        return highest * (max(done, 1e-3) / 0.3 if done < 0.3 else (1 + math.cos(math.pi * (done - 0.3) / 0.7)) / 2)

    return {"steps": steps, "one_cycle": one_cycle}[settings["schedule"]]


def augment(images: Tensor, names: list[str], random: torch.Generator) -> Tensor:
    """Return uint8 images [B, 3, H, W] after the named augmentations, in the published order."""
    if "flip" in names:
        images = random_flip(images, random)
    images = random_crop(images, random) if "crop" in names else centre_crop(images)
    if "autoaugment" in names:
        from scripts.tradeoffs.augmentation import auto_augment  # torchvision costs seconds to import

        images = auto_augment(images, random)
    return images


def step_loss(model: nn.Module, data: Images, settings: dict) -> Callable[[int, int, Tensor], Tensor]:
    """Return (epoch, step, indices) -> loss: augment, attack half of the batch, forward."""
    device = data.device

    def loss(epoch: int, step: int, indices: Tensor) -> Tensor:
        indices = indices.to(device)
        random = generator(device, "augment", settings["seed"], epoch, step)
        x = to_float(augment(data.bytes_of(indices), settings["augmentation"], random))
        y, male = data.labels[indices], data.male[indices]
        random = generator(device, "attack", settings["seed"], epoch, step)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            x = attacked(model, x, y, settings, random)
            logits = model(x).float()
        return objective(logits, y, male, settings["fairness_weight"])

    return loss


def validation(model: nn.Module, data: Images, settings: dict) -> Callable[[], dict[str, float]]:
    """Return () -> numbers of the validation part; "valid_objective" is the loss of training on it.

    Adversarial arms are judged on the same half-attacked mixture as in training, so that the epoch
    is chosen by what the arm is for (early stopping against robust overfitting: Rice et al. 2020).
    """

    def numbers() -> dict[str, float]:
        logits, mixed = [], []
        for start in range(0, len(data), VALIDATION_BATCH):
            indices = torch.arange(start, min(start + VALIDATION_BATCH, len(data)), device=data.device)
            x, y = data.centre(indices), data.labels[indices]
            with torch.no_grad():
                logits.append(model(x).float())
            random = generator(data.device, "validation", settings["seed"], start)
            x = attacked(model, x, y, settings, random)
            with torch.no_grad():
                mixed.append(model(x).float())
        clean, mixed = torch.cat(logits), torch.cat(mixed)
        half_attacked = float((mixed.argmax(1) == data.labels).float().mean())
        result = {
            "valid_accuracy": float((clean.argmax(1) == data.labels).float().mean()),
            "valid_objective": float(objective(mixed, data.labels, data.male, settings["fairness_weight"])),
        }
        return result | ({"valid_half_attacked_accuracy": half_attacked} if settings["train_eps"] else {})

    return numbers


def fingerprint(settings: dict, images: str, tables: list[str]) -> str:
    """Return a digest of the settings and the data, by which a checkpoint knows its training.

    The image array may have gigabytes, so it is known by size and time of writing.
    """
    stat = Path(images).stat()
    parts = [json.dumps(settings, sort_keys=True), f"{stat.st_size} {stat.st_mtime_ns}", *map(checksum, tables)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def train(
    images: str,
    index: str,
    splits: str,
    settings: dict,
    weights: str,
    curve: str,
    settings_file: str,
    checkpoint_folder: str,
    gpu: int = 0,
    threads: int = 1,
) -> dict:
    """Train one run; write weights (safetensors), its settings (JSON) and its curve (Parquet).

    Raises:
        UserError: no GPU where one was asked for, an unknown network, or a loss that is not finite.
    """
    device = choose_device(gpu, threads)
    data = load_split(images, index, splits, "train", device)
    model = build(settings["network"], seed_from("weights", settings["network"], settings["seed"]))
    model = model.to(device, memory_format=torch.channels_last)
    network = torch.compile(model) if settings["compile"] else model
    optimizer = optimizer_of(model, settings)
    valid = None
    if settings["select"] == "validation":
        valid = validation(network, load_split(images, index, splits, "valid", device), settings)
    checkpoints = Checkpoints(checkpoint_folder, fingerprint(settings, images, [index, splits]))
    progress = fit(
        model,
        optimizer,
        settings["epochs"],
        lambda epoch: epoch_batches(len(data), settings["batch_size"], settings["seed"], epoch),
        step_loss(network, data, settings),
        learning_rate(settings),
        checkpoints,
        valid,
        settings["run"],
    )
    with atomic_path(weights) as temporary:
        save_file({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}, temporary)
    record = settings | {"selected_epoch": progress.best_epoch, "train_rows": len(data), "device": device.type}
    with atomic_path(settings_file) as temporary:
        temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    parquet.write(pd.DataFrame(progress.curve).assign(run=settings["run"]), curve, CURVES)
    checkpoints.clear()
    return record


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        train(
            snakemake.input.images,
            snakemake.input.index,
            snakemake.input.splits,
            snakemake.params.settings,
            snakemake.output.weights,
            snakemake.output.curve,
            snakemake.output.settings,
            snakemake.params.checkpoints,
            snakemake.resources.gpu,
            snakemake.threads,
        )
