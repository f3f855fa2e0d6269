"""Attack ensemble: each attack runs on the images that survived the earlier ones; the worst case per image counts."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from scripts.common.attacks.apgd import apgd
from scripts.common.attacks.checks import check_black_box, check_perturbations, check_robust_not_above_clean
from scripts.common.attacks.classification import (
    CLASSES,
    LOSSES,
    TARGETED,
    Model,
    logits_of,
    margin_of,
    misclassified,
    outcome_at,
)
from scripts.common.attacks.errors import AttackCheckError
from scripts.common.attacks.fab import fab
from scripts.common.attacks.norms import check_norm
from scripts.common.attacks.single_step import frozen
from scripts.common.attacks.square import square
from scripts.common.errors import UserError

ATTACKS = {
    "apgd": (apgd, {"iterations", "loss", "restarts", "targets"}),
    "fab": (fab, {"iterations", "restarts", "targets"}),
    "square": (square, {"queries", "p_init"}),
}
Progress = Callable[[Iterable, str], Iterable]


def check_plan(plan: Sequence[Mapping]) -> list[str]:
    """Return the attacks' column names; raise `UserError` for an unknown attack, option or loss, or a double name."""
    names = []
    for entry in plan:
        attack = entry.get("attack")
        if attack not in ATTACKS:
            raise UserError(f"attack plan: unknown attack {attack!r}; choose one of {', '.join(ATTACKS)}")
        known = ATTACKS[attack][1]
        unknown = sorted(set(entry) - known - {"attack", "name"})
        if unknown:
            raise UserError(f"attack plan: {attack} has no option {unknown[0]!r}; it has {', '.join(sorted(known))}")
        loss = entry.get("loss", LOSSES[0])
        if loss not in LOSSES + TARGETED:
            raise UserError(f"attack plan: unknown loss {loss!r}; choose one of {', '.join(LOSSES + TARGETED)}")
        names.append(entry.get("name", attack))
        if names.count(names[-1]) > 1:
            raise UserError(f"attack plan: two attacks are called {names[-1]!r}; give one of them another `name`")
    return names


def attack_ensemble(
    model: Model,
    x: Tensor,
    y: Tensor,
    norm: str,
    eps: float,
    plan: Sequence[Mapping],
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
    ids: Tensor | None = None,
    black_box_allowed: float | None = 0.02,
) -> pd.DataFrame:
    """Outcome of an attack plan for each of N images: which attack, if any, broke it.

    Every attack runs only on correctly classified images that survived the earlier attacks, regrouped
    into full batches. Each returned image is checked to lie in the ball and is classified again on its
    own; only this classification counts.

    Args:
        model: the classifier, in eval mode, on the device of x; its parameters get no gradient.
        x: float32 [N, C, H, W] in [0, 1]. y: [N] in 0 .. K - 1. eps: radius in pixel units.
        plan: such as [{"attack": "apgd", "iterations": 100}, {"attack": "fab", "iterations": 100},
            {"attack": "square", "queries": 5000}]; `name` renames an entry's column. For K classes
            AutoAttack's is {"attack": "apgd", "loss": "cross_entropy"}, {"attack": "apgd", "name": "apgd_targeted",
            "loss": "dlr_targeted", "targets": 9}, {"attack": "fab", "targets": 9}, {"attack": "square"}.
        progress: wraps the iterable of batches, as `scripts.common.logs.progress` does.
        ids: integers [N], such as row ids, that seed the images' random streams; by default 0, 1, 2...
        black_box_allowed: fraction for `check_black_box`, which runs if Square follows a gradient attack;
            None leaves the check to the caller.

    Returns:
        One row per image: clean_correct (bool); per attack `broken_by_NAME` (nullable boolean, null
        where it was not attacked); robust (bool): classified correctly and broken by no attack; clean_margin
        and margin (float32): logit of the true class minus the largest other one, on the clean image and on the
        strongest adversarial image.

    Raises:
        UserError: the plan is invalid, or has a loss that is not defined for so few classes.
        ValueError: the model does not return logits [N, K], or a label is not in 0 .. K - 1.
        AttackCheckError: the model is in train mode or returns NaN, or a check failed.
    """
    check_norm(norm)
    names = check_plan(plan)
    if getattr(model, "training", False):
        raise AttackCheckError("the classifier is in train mode; call model.eval() before it is attacked")
    progress = progress or (lambda batches, label: batches)
    y = y.to(x.device)
    ids = torch.arange(len(x), device=x.device) if ids is None else ids.to(x.device)
    everything = torch.arange(len(x), device=x.device)
    with frozen(model) if isinstance(model, nn.Module) else torch.no_grad():
        clean = [_clean(model, x[part], y[part], plan) for part in everything.split(batch_size) if len(part)]
        clean_margin = torch.cat([margin for margin, _ in clean]) if clean else x.new_zeros(0)
        correct = ~torch.cat([wrong for _, wrong in clean]) if clean else everything.bool()
        margin, surviving = clean_margin.clone(), everything[correct]
        columns, white_box = {}, False
        for entry, name in zip(plan, names, strict=True):
            attack, _ = ATTACKS[entry["attack"]]
            options = {key: value for key, value in entry.items() if key not in ("attack", "name")}
            adversarial = torch.zeros(len(x), dtype=torch.bool, device=x.device)
            for part in progress([part for part in surviving.split(batch_size) if len(part)], f"{name} {norm} {eps}"):
                x_adv = attack(model, x[part], y[part], norm, eps, seed=seed, ids=ids[part], **options)
                check_perturbations(x_adv, x[part], norm, eps)
                after, adversarial[part] = outcome_at(model, x_adv, y[part])
                margin[part] = torch.minimum(margin[part], after)
            if entry["attack"] == "square" and white_box and black_box_allowed is not None:
                check_black_box(int(adversarial.sum()), len(surviving), black_box_allowed)
            white_box = white_box or entry["attack"] != "square"
            column = pd.array(adversarial.cpu().numpy(), dtype="boolean")
            column[~torch.isin(everything, surviving).cpu().numpy()] = pd.NA
            columns[f"broken_by_{name}"] = column
            surviving = surviving[~adversarial[surviving]]
    robust = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    robust[surviving] = True
    check_robust_not_above_clean(int(robust.sum()), int(correct.sum()))
    return pd.DataFrame(
        {
            "clean_correct": correct.cpu().numpy(),
            **columns,
            "robust": robust.cpu().numpy(),
            "clean_margin": clean_margin.cpu().numpy(),
            "margin": margin.cpu().numpy(),
        }
    )


@torch.no_grad()
def _clean(model: Model, x: Tensor, y: Tensor, plan: Sequence[Mapping]) -> tuple[Tensor, Tensor]:
    """Return margin [B] and misclassified flags [B] of clean images; check labels and losses against the classes."""
    logits = logits_of(model, x)
    classes = logits.shape[1]
    if y.min() < 0 or y.max() >= classes:
        raise ValueError(f"labels from {int(y.min())} to {int(y.max())} for a classifier with {classes} classes")
    for loss in (entry.get("loss") for entry in plan):
        if classes < CLASSES.get(loss, 2):
            raise UserError(
                f"attack plan: the loss {loss} needs {CLASSES[loss]} classes or more, the classifier has {classes}"
            )
    return margin_of(logits, y), misclassified(logits, y)


def published_measure(
    model: Model,
    x: Tensor,
    y: Tensor,
    eps: float,
    norm: str = "linf",
    iterations: int = 100,
    restarts: int = 1,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
    ids: Tensor | None = None,
) -> pd.DataFrame:
    """Robustness measure of the replicated study: APGD on the cross-entropy alone, on every correct image.

    The table has the columns of `attack_ensemble` for the single attack `apgd_ce`.
    """
    plan = [
        {"attack": "apgd", "name": "apgd_ce", "loss": "cross_entropy", "iterations": iterations, "restarts": restarts}
    ]
    return attack_ensemble(model, x, y, norm, eps, plan, seed, batch_size, progress, ids)
