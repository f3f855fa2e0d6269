"""Rule `evaluate`: the predictions of the runs of a job, and what attacks leave of them.

Both need the weights and the images in memory, and importing torch costs seconds: one job does both.
"""

import pandas as pd
import torch
from torch import Tensor, nn

from scripts.common import parquet
from scripts.common.device import choose_device
from scripts.common.files import checksum
from scripts.common.finished import Finished
from scripts.common.logs import log
from scripts.common.schemas.predictions import write_predictions
from scripts.tradeoffs.attack import attack
from scripts.tradeoffs.images import Images, load_split
from scripts.tradeoffs.models import load_model

BATCH = 512


@torch.no_grad()
def margins(model: nn.Module, data: Images) -> Tensor:
    """Return the float32 logit margins accept - reject [N] of all images of a part."""
    parts = []
    for indices in torch.arange(len(data), device=data.device).split(BATCH):
        logits = model(data.centre(indices))
        parts.append(logits[:, 1] - logits[:, 0])
    return torch.cat(parts)


def predict(model: nn.Module, parts: dict[str, Images], run: str) -> pd.DataFrame:
    """Return one line per image of the given parts, with `male` as the sensitive attribute."""
    frames = []
    for part, data in parts.items():
        score = margins(model, data).cpu().numpy()
        columns = {
            "run": run,
            "row_id": data.rows["row_id"],
            "split": part,
            "y_true": data.rows["label"],
            "y_pred": (score > 0).astype("int8"),
            "score": score,
            "male": data.rows["male"].astype("int8"),
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def evaluate(
    images: str,
    index: str,
    splits: str,
    weights: str,
    runs: list[dict],
    parts: list[str],
    robustness: dict,
    predictions: str,
    attacks: str,
    folder: str,
    gpu: int = 0,
    threads: int = 1,
) -> None:
    """Write the predictions of the runs on the named parts, and their attacks on (some of) the test images.

    Args:
        weights: of all runs.
        runs: the settings of each.
        folder: keeps the files of finished runs until all of several are done.

    Raises:
        UserError: no GPU where one was asked for, no images, damaged weights.
        AttackCheckError: a sanity check failed.
    """
    device = choose_device(gpu, threads)
    several = len(runs) > 1
    data = {part: load_split(images, index, splits, part, device) for part in parts}
    attacked = load_split(images, index, splits, "test", device, robustness["images"])
    finished = Finished(folder, [checksum(path) for path in (index, splits, weights)], runs, parts, robustness)
    outputs = {"predictions": predictions, "attacks": attacks}
    for run, network in ((settings["run"], settings["network"]) for settings in runs):
        own = {kind: finished.path(run, kind) for kind in outputs} if several else outputs
        if several and all(path.exists() for path in own.values()):
            log.info("%s: evaluated before", run)
            continue
        model = load_model(weights, network, device, run if several else "")
        write_predictions(predict(model, data, run), own["predictions"], ["male"])
        parquet.write(attack(model, attacked, run, robustness), own["attacks"])
    if several:
        for kind, path in outputs.items():
            parquet.join([finished.path(settings["run"], kind) for settings in runs], path)
        finished.clear()


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        evaluate(
            snakemake.input.images,
            snakemake.input.index,
            snakemake.input.splits,
            snakemake.input.weights,
            snakemake.params.runs,
            snakemake.params.parts,
            snakemake.params.robustness,
            snakemake.output.predictions,
            snakemake.output.attacks,
            snakemake.params.finished,
            snakemake.resources.gpu,
            snakemake.threads,
        )
