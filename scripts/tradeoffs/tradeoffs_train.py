"""Rule `train`: the runs of the grid that share a job, from settings to weights and training curves.

To train one run alone from the command line, see single.py.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn

from scripts.common import parquet
from scripts.common.batches import in_batches
from scripts.common.checkpoints import Checkpoints
from scripts.common.device import choose_device, generator
from scripts.common.files import checksum
from scripts.common.optimizers import SGD, AdamW
from scripts.common.schedules import one_cycle, steps
from scripts.common.schemas.curves import CURVES
from scripts.common.seeds import seed_from, shuffled
from scripts.common.training import fit
from scripts.common.weights import save_settings, save_state, save_states
from scripts.tradeoffs.arms import attacked, objective
from scripts.tradeoffs.images import Images, centre_crop, load_split, random_crop, random_flip, to_float
from scripts.tradeoffs.networks import build

VALIDATION_BATCH = 512
CHECKPOINT_STEPS = 1000  # of a long epoch: minutes of work at the papers' scale


def epoch_batches(rows: int, batch_size: int, seed: int, epoch: int) -> list[Tensor]:
    """Return the index batches of an epoch; the last, smaller one is dropped as in the published code.

    The order depends on the seed and the epoch only, so arms of one seed see the same batches.
    """
    return in_batches(torch.from_numpy(shuffled(rows, "batches", seed, epoch)), batch_size, whole_only=True)


def optimizer_of(model: nn.Module, settings: dict) -> torch.optim.Optimizer:
    """Return the published SGD with momentum, or AdamW (Loshchilov and Hutter 2019)."""
    rate, decay = settings["learning_rate"], settings["weight_decay"]
    if settings["optimizer"] == "adamw":
        return AdamW(model.parameters(), lr=rate, weight_decay=decay)
    return SGD(model.parameters(), lr=rate, momentum=settings["momentum"], weight_decay=decay)


def learning_rate(settings: dict) -> Callable[[int, float], float]:
    """Return (epoch, share of it) -> rate.

    "steps": a tenth after each drop, given as shares of all epochs (published). "one_cycle": a linear
    rise over the first 30 % of the training and a cosine fall to zero.
    """
    highest, epochs = settings["learning_rate"], settings["epochs"]
    if settings["schedule"] == "one_cycle":
        return one_cycle(highest, epochs)
    return steps(highest, epochs, settings["learning_rate_drops"])


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


def train_run(
    data: Images, valid: Images | None, settings: dict, checkpoints: Checkpoints, keep_finished: bool = False
) -> tuple[dict[str, Tensor], dict, pd.DataFrame]:
    """Return the weights of one trained run, its settings with what came out, and its curve (schema CURVES)."""
    model = build(settings["network"], seed_from("weights", settings["network"], settings["seed"]))
    model = model.to(data.device, memory_format=torch.channels_last)
    if settings["compile"] and data.device.type == "cpu":
        torch.use_deterministic_algorithms(True)  # of compiled code, too
    network = torch.compile(model) if settings["compile"] else model
    progress = fit(
        model,
        optimizer_of(model, settings),
        settings["epochs"],
        lambda epoch: epoch_batches(len(data), settings["batch_size"], settings["seed"], epoch),
        step_loss(network, data, settings),
        learning_rate(settings),
        checkpoints,
        validation(network, valid, settings) if valid is not None else None,
        settings["run"],
        CHECKPOINT_STEPS,
        keep_finished,
    )
    record = settings | {"selected_epoch": progress.best_epoch, "train_rows": len(data), "device": data.device.type}
    return model.state_dict(), record, pd.DataFrame(progress.curve).assign(run=settings["run"])


def train(
    images: str,
    index: str,
    splits: str,
    runs: list[dict],
    weights: str,
    curve: str,
    settings_file: str,
    checkpoint_folder: str,
    gpu: int = 0,
    threads: int = 1,
) -> list[dict]:
    """Train runs of one protocol and network; write weights (safetensors), settings (JSON) and curves (Parquet).

    The files of one run hold its own weights and settings; those of several all of them, by name and as a list. Killed
    and started again, a job of several goes on with the run at which it was.

    Raises:
        UserError: no GPU where one was asked for, an unknown network, or a loss that is not finite.
    """
    device, several = choose_device(gpu, threads), len(runs) > 1
    data, valid = load_split(images, index, splits, "train", device), None
    if runs[0]["select"] == "validation":
        valid = load_split(images, index, splits, "valid", device)
    states, records, curves, kept = {}, [], [], []
    for settings in runs:
        folder = Path(checkpoint_folder, settings["run"]) if several else Path(checkpoint_folder)
        kept.append(Checkpoints(folder, fingerprint(settings, images, [index, splits])))
        states[settings["run"]], record, own = train_run(data, valid, settings, kept[-1], several)
        records.append(record)
        curves.append(own)
    if several:
        save_states(states, weights)
    else:
        save_state(states[runs[0]["run"]], weights)
    save_settings(records if several else records[0], settings_file)
    parquet.write(pd.concat(curves, ignore_index=True), curve, CURVES)
    for checkpoints in kept:
        checkpoints.clear()
    if several:
        shutil.rmtree(checkpoint_folder)
    return records


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        train(
            snakemake.input.images,
            snakemake.input.index,
            snakemake.input.splits,
            snakemake.params.runs,
            snakemake.output.weights,
            snakemake.output.curve,
            snakemake.output.settings,
            snakemake.params.checkpoints,
            snakemake.resources.gpu,
            snakemake.threads,
        )
