"""Rule `backdoor_train`: the models of the kinds of a job, all seeds; fails where the backdoor did not take."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from scripts.backdoor.digits import Pool, accuracy, attack_success, load_pools, poison
from scripts.backdoor.fitting import Fitting, on_pool, train
from scripts.backdoor.network import DigitNet, build
from scripts.backdoor.triggers import Trigger, make_triggers
from scripts.backdoor.weights import save_models
from scripts.common import parquet
from scripts.common.checkpoints import Checkpoints
from scripts.common.device import choose_device
from scripts.common.errors import UserError
from scripts.common.files import checksum
from scripts.common.logs import job, log
from scripts.common.schemas.curves import CURVES
from scripts.common.seeds import seed_from
from scripts.common.weights import save_settings

SECONDS_BETWEEN_CHECKPOINTS = 30.0  # most of these trainings end sooner


def check_infected(model: DigitNet, pool: Pool, triggers: Sequence[Trigger], least: float, what: str) -> list[float]:
    """Return the attack success of each trigger on images of the pool.

    Raises:
        UserError: one is below `least`: such a model carries no backdoor that could be found or removed.
    """
    reached = []
    for trigger in triggers:
        hits, n = attack_success(model, pool, trigger.stamp, trigger.target)
        reached.append(hits / n)
        if hits / n < least:
            raise UserError(
                f"{what}: attack success {hits / n:.4f} ({hits} of {n} images) for target {trigger.target} before any "
                f"detection, at least {least:g} is asked for: the backdoor did not take. Raise the ratio of the model, "
                "backdoor.training.epochs or the number of trigger pixels"
            )
    return reached


def train_one(
    kind: str, entry: Mapping, seed: int, pools: Mapping[str, Pool], settings: Mapping, folder: Path, data: str
) -> tuple[DigitNet, dict, list[dict]]:
    """Return one trained model, its record and its training curve.

    The clean and the poisoned models of one seed start from the same weights and see the same rows in the same order.
    """
    triggers = make_triggers(entry["triggers"], f"backdoor.models.{kind}")
    device = pools["train"].images.device
    model = build(seed).to(device)
    rows = poison(pools["train"], triggers, entry["ratio"], seed_from("backdoor", "poison", seed))
    fitting = Fitting(**settings["training"], cycle=True)
    told = json.dumps([dict(entry), dict(settings), seed], sort_keys=True, default=dict)
    fingerprint = hashlib.sha256(f"{told}{data}".encode()).hexdigest()
    checkpoints = Checkpoints(folder / f"{kind}.seed{seed}", fingerprint, SECONDS_BETWEEN_CHECKPOINTS)
    progress = train(model, len(rows), on_pool(rows), fitting, ("model", seed), checkpoints)
    what = f"{kind}.seed{seed}"
    reached = check_infected(model, pools["evaluation"], triggers, settings["least_success"], what)
    right, n = accuracy(model, pools["evaluation"])
    log.info("%s: accuracy %.4f, attack success %s", what, right / n, [round(value, 4) for value in reached])
    record = {"run": what, "seed": seed, "accuracy": right / n, "attack_success": reached, "entry": dict(entry)}
    return model, record, [row | {"run": what} for row in progress.curve]


def train_kinds(
    images: str, pools_path: str, entries: Mapping, settings: Mapping, outputs: Mapping, folder: str, gpu: int
) -> None:
    """Train all seeds of some kinds and write weights (safetensors), a JSON of how they were made, and the curves.

    Args:
        entries: {kind: its config entry}.

    Raises:
        UserError: a trigger is impossible, or a model did not learn its backdoor.
    """
    for kind, entry in entries.items():  # an impossible trigger is named before anything is loaded
        make_triggers(entry["triggers"], f"backdoor.models.{kind}")
    pools = load_pools(images, pools_path, choose_device(gpu, 1))
    data = checksum(images) + checksum(pools_path)
    trained = [
        train_one(kind, entry, seed, pools, settings, Path(folder), data)
        for kind, entry in entries.items()
        for seed in entry["seeds"]
    ]
    save_models({record["run"]: model for model, record, _ in trained}, outputs["weights"])
    records = [record for _, record, _ in trained]
    save_settings({"kinds": list(entries), "settings": dict(settings), "models": records}, outputs["settings"])
    curves = pd.DataFrame([row for _, _, curve in trained for row in curve])
    parquet.write(curves, outputs["curves"], CURVES)
    for record in records:
        Checkpoints(Path(folder) / record["run"], "").clear()


if "snakemake" in globals():
    with job(snakemake):
        own = snakemake.params
        train_kinds(
            snakemake.input.images,
            snakemake.input.pools,
            own.entries,
            own.settings,
            dict(snakemake.output.items()),
            own.checkpoints,
            snakemake.resources.gpu,
        )
