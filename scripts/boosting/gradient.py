"""Fair gradient boosting through xgboost's custom objective, with the stage chosen on held-out rows.

The loss is the log loss plus a smooth maximum over the attributes of squared differences of the groups' mean
probabilities, as in the gradient-boosted class of mmm-fair (Swati, Roy, Panagiotou, Ntoutsi 2025). The penalty works on
probabilities; stages are chosen, and models reported, by hard labels.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost

from scripts.boosting.fair import Rows, check_rows, signed_gaps
from scripts.boosting.kernel import fair_gradients
from scripts.boosting.mfbpp import not_constant
from scripts.boosting.preferences import chosen
from scripts.boosting.stage_rates import RATES, balanced_accuracy, by_attribute
from scripts.common.errors import UserError
from scripts.common.files import atomic_path

Objective = Callable[[np.ndarray, xgboost.DMatrix], tuple[np.ndarray, np.ndarray]]  # margin, rows -> gradient, hessian
NOTIONS = ("DP", "EP", "EO")
SHARPNESS = 10.0  # of the smooth maximum


@dataclass(frozen=True)
class Trees:
    """How trees are grown; `weight` is that of the fairness gradient against the log loss's."""

    rounds: int
    depth: int
    learning_rate: float
    weight: float = 0.0
    notion: str = "EO"

    def __post_init__(self) -> None:
        if self.notion not in NOTIONS:
            raise UserError(f"no fairness notion {self.notion!r} for gradient boosting; there are {', '.join(NOTIONS)}")
        if self.weight < 0:
            raise UserError(f"the weight of the fairness gradient is at least 0, not {self.weight}")


class Penalty:
    """S = log(sum over attributes of exp(B f)) / B, B = 10, and its gradient, all from one small table per call.

    f of an attribute is the squared difference of the groups' mean probabilities: of all rows (DP), of positives (EP),
    or of positives plus that of negatives (EO).
    """

    def __init__(self, y: np.ndarray, groups: np.ndarray, notion: str) -> None:
        attributes = groups.shape[1]
        cells = groups.astype(np.int64) @ (2 ** np.arange(attributes)[::-1])
        self.part, self.parts = 2 * cells + y, 2 ** (attributes + 1)
        sizes = np.bincount(self.part, minlength=self.parts)
        *sides, label = np.unravel_index(np.arange(self.parts), (2,) * (attributes + 1))
        conditions = {"DP": [label >= 0], "EP": [label == 1], "EO": [label == 1, label == 0]}[notion]
        self.shares = np.zeros((attributes, len(conditions), self.parts))  # of each part in the difference of means
        for k, side in enumerate(sides):
            for c, counted in enumerate(conditions):
                for group, sign in ((0, -1.0), (1, 1.0)):
                    own = counted & (side == group)
                    if not sizes[own].any():
                        raise UserError(f"group {group} of attribute {k + 1} has no row that {notion} looks at")
                    self.shares[k, c, own] = sign / sizes[own].sum()

    def value_and_slopes(self, probability: np.ndarray) -> tuple[float, np.ndarray]:
        """Return S, and dS / d probability of a row of each part, float64 [parts]."""
        totals = np.bincount(self.part, weights=probability, minlength=self.parts)
        gaps = self.shares @ totals  # [attributes, conditions]
        f = (gaps**2).sum(1)
        top = f.max()
        powers = np.exp(SHARPNESS * (f - top))
        value = top + np.log(powers.sum()) / SHARPNESS
        slopes = np.einsum("k,kc,kcp->p", powers / powers.sum(), 2 * gaps, self.shares)
        return float(value), slopes


def objective(y: np.ndarray, penalty: Penalty, weight: float) -> Objective:
    """Return xgboost's custom objective: gradient and hessian of the log loss plus the weighted penalty's gradient.

    The penalty's gradient is scaled each round to the mean size of the log loss's, as in mmm-fair; the hessian is the
    log loss's alone.
    """
    y, gradient, hessian = y.astype(np.float32), np.empty(len(y), np.float32), np.empty(len(y), np.float32)

    def gradients(margin: np.ndarray, _) -> tuple[np.ndarray, np.ndarray]:
        probability = 1 / (1 + np.exp(-margin))
        _, slopes = penalty.value_and_slopes(probability)
        fair_gradients(probability, y, penalty.part, slopes, weight, gradient, hessian)
        return gradient, hessian

    return gradients


@dataclass(frozen=True)
class Staged:
    """A fitted booster with all its stages, the counts [T, 2, ..., 2, 2, 2] on the held-out rows, and the stage kept.

    `others` are such counts on further rows.
    """

    booster: xgboost.Booster
    counts: np.ndarray
    stage: int
    others: dict[str, np.ndarray]

    def margins(self, matrix: xgboost.DMatrix) -> np.ndarray:
        """Return the log-odds, float32 [n], of the kept stage."""
        return self.booster.predict(matrix, output_margin=True, iteration_range=(0, self.stage))


def save(models: dict[str, Staged], path: str | Path) -> None:
    """Write the kept stages of named boosters: one JSON object, each value a model in xgboost's own JSON format."""
    texts = (
        f"{json.dumps(name)}:{bytes(staged.booster[: staged.stage].save_raw('json')).decode()}"
        for name, staged in models.items()
    )
    with atomic_path(path) as temporary:
        temporary.write_text("{" + ",\n".join(texts) + "}", encoding="utf-8")


def load(path: str | Path, name: str) -> xgboost.Booster:
    """Read one booster of such a file.

    Raises:
        UserError: the file is missing or no JSON, or has no model of this name.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error
    if name not in content:
        raise UserError(f"{path}: has no model {name!r}; it has {', '.join(sorted(content))}")
    return xgboost.Booster(model_file=bytearray(json.dumps(content[name]).encode()))


def stage_objectives(counts: np.ndarray, notion: str) -> np.ndarray:
    """Return error, balanced error and the worst attribute's gap by hard labels, float64 [T, 3].

    The gap is |SP| (DP), |TPR difference| (EP) or the larger of the TPR and TNR differences (EO).
    """
    attributes = counts.ndim - 3
    everyone = by_attribute(counts, attributes, [])[:, 0]
    gaps = []
    for k in range(attributes):
        own = {name: np.abs(gap) for name, gap in signed_gaps(counts, attributes, k).items()}
        tpr, both = own["true_positive_rate"], np.maximum(own["true_positive_rate"], own["true_negative_rate"])
        gaps.append({"DP": own["selection_rate"], "EP": tpr, "EO": both}[notion])
    return np.stack([RATES["zero_one_loss"](everyone), 1 - balanced_accuracy(everyone), np.max(gaps, axis=0)], axis=-1)


def parameters(trees: Trees) -> dict:
    """Return what xgboost is told; one thread, so that bytes repeat."""
    return {
        "objective": "binary:logistic",
        "base_score": 0.5,
        "max_depth": trees.depth,
        "eta": trees.learning_rate,
        "tree_method": "hist",
        "nthread": 1,
        "seed": 0,
    }


def fit(
    train: tuple[xgboost.DMatrix, Rows],
    valid: tuple[xgboost.DMatrix, Rows],
    trees: Trees,
    preference: Sequence[float] | None = None,
    others: dict[str, tuple[xgboost.DMatrix, Rows]] | None = None,
) -> Staged:
    """Boost trees; weight 0 is plain xgboost, which keeps all stages.

    Args:
        train, valid: features and rows; the second part chooses the stage.
        preference: weights of error, balanced error and gap; None as in `preferences.chosen`.
        others: further rows on which every stage is counted.

    Raises:
        UserError: a group or label is missing, or no stage decides at all.
    """
    (matrix, rows), (held, held_rows) = train, valid
    check_rows(rows, "training")
    check_rows(held_rows, "validation")
    own = objective(rows.y, Penalty(rows.y, rows.groups, trees.notion), trees.weight) if trees.weight else None
    booster = xgboost.train(parameters(trees), matrix, trees.rounds, obj=own)
    values, stage = leaf_values(booster), trees.rounds
    counts = staged_counts(booster, values, held, held_rows)
    if trees.weight:
        stage = chosen(stage_objectives(counts, trees.notion), preference, not_constant(counts)) + 1
    further = {name: staged_counts(booster, values, *part) for name, part in (others or {}).items()}
    return Staged(booster, counts, stage, further)


def leaf_values(booster: xgboost.Booster) -> np.ndarray:
    """Return the margin that each node of each tree adds, float32 [T, nodes]; only those of leaves mean anything."""
    trees = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    values = np.zeros((len(trees), max(len(tree["split_conditions"]) for tree in trees)), np.float32)
    for row, tree in zip(values, trees, strict=True):
        row[: len(tree["split_conditions"])] = tree["split_conditions"]
    return values


def staged_counts(booster: xgboost.Booster, values: np.ndarray, matrix: xgboost.DMatrix, rows: Rows) -> np.ndarray:
    """Return the counts [T, 2, ..., 2, 2, 2] by group of each attribute, label and prediction after every stage.

    All stages come from one look at the leaves; asking xgboost stage by stage takes twice as long as the training.
    """
    leaves = booster.predict(matrix, pred_leaf=True).reshape(len(rows.y), len(values)).astype(np.int64)
    margins = np.cumsum(np.take_along_axis(values, leaves.T, axis=1), axis=0)  # base_score 0.5 is a margin of 0
    attributes = rows.groups.shape[1]
    part = np.eye(2 ** (attributes + 1), dtype=np.float32)[2 * rows.cells + rows.y]
    accepted = (margins > 0).astype(np.float32) @ part  # whole numbers below 2^24, exact
    both = np.stack([part.sum(0) - accepted, accepted], axis=-1).astype(np.int64)
    return both.reshape(len(values), *(2,) * (attributes + 2))
