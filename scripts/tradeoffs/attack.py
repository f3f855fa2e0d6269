"""What attacks leave of one run's accuracy, image by image, with sanity checks.

All attacks run on the logit margin in float32; the published measure (APGD on cross-entropy) is
taken beside the worst case. A failed check ends the job: a robust accuracy that may be an artefact
is never written.
"""

import pandas as pd
import torch
from torch import Tensor, nn

from scripts.common.attacks import (
    attack_ensemble,
    check_large_eps,
    check_not_rising_with_eps,
    published_measure,
    verify_classifier,
)
from scripts.common.logs import log, progress
from scripts.common.seeds import seed_from
from scripts.tradeoffs.images import Images

LARGE_EPS_ITERATIONS = 20


def still_right(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Return which images [N] are classified as y."""
    with torch.no_grad():
        return model(x).argmax(1) == y


def check_radii(model: nn.Module, x: Tensor, y: Tensor, settings: dict) -> None:
    """Check on a few images that robust accuracy falls with the radius, to next to nothing at a large one.

    Each radius is attacked independently; one image may go the wrong way by chance.

    Raises:
        AttackCheckError: robust accuracy rises, or is not near 0 at the large radius.
    """
    seed = seed_from("checks")
    robust = {0.0: still_right(model, x, y)}
    for eps in [*settings["check_eps"], settings["check_large_eps"]]:
        plan = [{"attack": "apgd", "iterations": LARGE_EPS_ITERATIONS}]
        found = attack_ensemble(model, x, y, "linf", eps, plan, seed, settings["batch_size"])
        robust[eps] = torch.as_tensor(found["robust"].to_numpy())
    check_not_rising_with_eps(robust, tolerance=1 / len(x))
    check_large_eps(float(robust[settings["check_large_eps"]].double().mean()), settings["check_large_eps"])
    shares = {eps: round(float(flags.double().mean()), 3) for eps, flags in robust.items()}
    log.info("robust accuracy by l_inf radius: %s", shares)


def attack_threat(model: nn.Module, data: Images, x: Tensor, threat: dict, settings: dict) -> pd.DataFrame:
    """Return the outcome of the attack ensemble and of the published measure for each image under one threat model."""
    norm, eps = threat["norm"], threat["eps"]
    options = {"seed": seed_from("attack", norm, eps), "batch_size": settings["batch_size"], "ids": data.row_ids}
    y = data.labels
    found = attack_ensemble(
        model,
        x,
        y,
        norm,
        eps,
        settings["attacks"],
        progress=progress,
        black_box_allowed=settings["square_surplus"],
        **options,
    )
    published = published_measure(model, x, y, eps, norm, settings["published_iterations"], **options)
    found = found.drop(columns=["clean_margin", "margin"]).rename(columns=lambda name: name.removeprefix("broken_by_"))
    return found.assign(published_broken=published["broken_by_apgd_ce"], norm=norm, eps=float(eps))


def attack(model: nn.Module, data: Images, run: str, settings: dict) -> pd.DataFrame:
    """Attack one run under every threat: one line per image and threat, what broke it and whether it stands.

    Raises:
        AttackCheckError: a sanity check failed.
    """
    x = torch.cat([data.centre(part) for part in torch.arange(len(data), device=data.device).split(500)])
    few = slice(0, settings["check_images"])
    verify_classifier(model, x[few])
    check_radii(model, x[few], data.labels[few], settings)
    frames = []
    for threat in settings["threats"]:
        found = attack_threat(model, data, x, threat, settings)
        rows = data.rows[["row_id", "male"]].assign(run=run, split="test", y_true=data.rows["label"].astype("int8"))
        frames.append(pd.concat([rows, found], axis=1))
        right, robust = found["clean_correct"].mean(), found["robust"].mean()
        log.info("%s %s: %.3f right, %.3f robust", threat["norm"], threat["eps"], right, robust)
    first = ["run", "row_id", "split", "norm", "eps", "y_true", "male", "clean_correct"]
    frame = pd.concat(frames, ignore_index=True)
    return frame[first + [name for name in frame.columns if name not in first]]
