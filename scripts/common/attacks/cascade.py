"""Attacks one after the other, each on what the ones before left standing, and the worst case per image."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from scripts.common.attacks.apgd import apgd
from scripts.common.attacks.checks import check_black_box, check_perturbations, check_robust_not_above_clean
from scripts.common.attacks.errors import AttackCheckError
from scripts.common.attacks.fab import fab
from scripts.common.attacks.norms import check_norm
from scripts.common.attacks.objective import Model, is_wrong, margin_at
from scripts.common.attacks.single_step import frozen
from scripts.common.attacks.square import square
from scripts.common.errors import UserError

ATTACKS = {
    "apgd": (apgd, {"iterations", "loss", "restarts"}),
    "fab": (fab, {"iterations", "restarts"}),
    "square": (square, {"queries", "p_init"}),
}
Progress = Callable[[Iterable, str], Iterable]


def check_plan(plan: Sequence[Mapping]) -> list[str]:
    """Return the attacks' column names; raise `UserError` for an unknown attack or option, or a name used twice."""
    names = []
    for entry in plan:
        attack = entry.get("attack")
        if attack not in ATTACKS:
            raise UserError(f"attack plan: unknown attack {attack!r}; choose one of {', '.join(ATTACKS)}")
        known = ATTACKS[attack][1]
        unknown = sorted(set(entry) - known - {"attack", "name"})
        if unknown:
            raise UserError(f"attack plan: {attack} has no option {unknown[0]!r}; it has {', '.join(sorted(known))}")
        names.append(entry.get("name", attack))
        if names.count(names[-1]) > 1:
            raise UserError(f"attack plan: two attacks are called {names[-1]!r}; give one of them another `name`")
    return names


def attack_cascade(
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
    """Attack N images by a plan and return what broke each of them.

    Every attack sees only the images that are classified correctly and that no earlier attack has
    broken, regrouped into full batches. What an attack returns is checked to lie in the ball and is
    classified once more by itself: only that verdict counts.

    Args:
        model: the classifier, in eval mode, on the device of x; its parameters get no gradient.
        x: float32 [N, C, H, W] in [0, 1]. y: [N] in {0, 1}. eps: radius in pixel units.
        plan: such as [{"attack": "apgd", "iterations": 100}, {"attack": "fab", "iterations": 100},
            {"attack": "square", "queries": 5000}]; `name` renames an entry's column.
        progress: wraps the batches, as `scripts.common.logs.progress` does.
        ids: integers [N], such as row ids, that number the images' random streams; else 0, 1, 2...
        black_box_allowed: the share for `check_black_box`, made where Square follows a gradient
            attack; None leaves the check to the caller.

    Returns:
        One row per image: clean_correct (bool); per attack `broken_by_NAME` (nullable boolean, null
        where it was not attacked); robust (bool): correct and broken by none; clean_margin and margin
        (float32): logit differences of the clean image and of the strongest point found.

    Raises:
        UserError: a mistake in the plan. AttackCheckError: the model is in train mode or returns NaN, or
            a check failed.
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
        clean = [margin_at(model, x[part], y[part]) for part in everything.split(batch_size) if len(part)]
        clean_margin = torch.cat(clean) if clean else x.new_zeros(0)
        correct = ~is_wrong(clean_margin, y)
        margin, standing = clean_margin.clone(), everything[correct]
        columns, white_box = {}, False
        for entry, name in zip(plan, names, strict=True):
            attack, _ = ATTACKS[entry["attack"]]
            options = {key: value for key, value in entry.items() if key not in ("attack", "name")}
            broken = torch.zeros(len(x), dtype=torch.bool, device=x.device)
            for part in progress([part for part in standing.split(batch_size) if len(part)], f"{name} {norm} {eps}"):
                x_adv = attack(model, x[part], y[part], norm, eps, seed=seed, ids=ids[part], **options)
                check_perturbations(x_adv, x[part], norm, eps)
                after = margin_at(model, x_adv, y[part])
                margin[part] = torch.minimum(margin[part], after)
                broken[part] = is_wrong(after, y[part])
            if entry["attack"] == "square" and white_box and black_box_allowed is not None:
                check_black_box(int(broken.sum()), len(standing), black_box_allowed)
            white_box = white_box or entry["attack"] != "square"
            column = pd.array(broken.cpu().numpy(), dtype="boolean")
            column[~torch.isin(everything, standing).cpu().numpy()] = pd.NA
            columns[f"broken_by_{name}"] = column
            standing = standing[~broken[standing]]
    robust = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    robust[standing] = True
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
    """Return the replicated study's measure: APGD on the cross-entropy alone, on every correct image.

    Independent of any cascade. The table is `attack_cascade`'s with the one attack `apgd_ce`.
    """
    plan = [
        {"attack": "apgd", "name": "apgd_ce", "loss": "cross_entropy", "iterations": iterations, "restarts": restarts}
    ]
    return attack_cascade(model, x, y, norm, eps, plan, seed, batch_size, progress, ids)
