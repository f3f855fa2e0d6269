"""AdaBoost, AdaFair and MFBPP: one booster, told apart by what the costs of mistakes follow.

AdaBoost (SAMME, Zhu et al. 2009) has no costs. AdaFair (Iosifidis and Ntoutsi, CIKM 2019; with Roy, KAIS 2022) raises
the costs of the group that the stumps so far treat worse. MFBPP (Roy, Iosifidis, Ntoutsi, Discovery Science 2022)
takes the largest cost over several attributes. Which round to stop at is chosen afterwards (`chosen_round`).
"""

from dataclasses import dataclass

import numpy as np

from scripts.boosting import kernel
from scripts.boosting.stage_rates import RATES, balanced_accuracy, by_attribute
from scripts.boosting.stumps import Columns, Ensemble
from scripts.common.errors import UserError

NOTIONS = {"none": kernel.NOTHING, "SP": kernel.PARITY, "EOpp": kernel.OPPORTUNITY, "DM": kernel.MISTREATMENT}
RULES = ("as_released", "corrected")


@dataclass(frozen=True)
class Settings:
    """What a booster is told.

    `notion`: none (AdaBoost), SP, EOpp or DM (disparate mistreatment). `rule`: as_released or corrected costs.
    `csb`: 1, or 2 for an exponent times the stump's confidence. `cumulative`: costs and the choice of the round follow
    all stumps so far, else the last one alone. `stale`: a cost whose difference changes its sign keeps its value.
    `balance`: c of the choice, the weight of balanced error against error.
    """

    notion: str
    rounds: int
    rule: str = "as_released"
    csb: int = 2
    cumulative: bool = True
    stale: bool = False
    balance: float = 1.0

    def __post_init__(self) -> None:
        if self.notion not in NOTIONS:
            raise UserError(f"no fairness notion {self.notion!r}; there are {', '.join(NOTIONS)}")
        if self.rule not in RULES:
            raise UserError(f"no cost rule {self.rule!r}; there are {', '.join(RULES)}")
        if self.csb not in (1, 2):
            raise UserError(f"csb is 1 or 2, not {self.csb}")
        if self.notion == "none" and self.csb != 1:
            raise UserError("AdaBoost has no confidence in its exponent: csb must be 1")
        if self.rounds < 1:
            raise UserError(f"rounds must be at least 1, not {self.rounds}")
        if not 0 <= self.balance <= 1:
            raise UserError(f"the balance parameter c lies between 0 and 1, not at {self.balance}")


@dataclass(frozen=True)
class Rows:
    """Coded rows: int32 [n, F], labels int8 [n], groups int8 [n, attributes], 0 (protected) or 1."""

    codes: np.ndarray
    y: np.ndarray
    groups: np.ndarray

    @property
    def cells(self) -> np.ndarray:
        """Return int32 [n]: the combination of the attributes, the first one most significant."""
        places = 2 ** np.arange(self.groups.shape[1])[::-1]
        return (self.groups.astype(np.int32) @ places).astype(np.int32)


@dataclass(frozen=True)
class History:
    """All rounds of a fit.

    `together`, `alone`: int64 [T, 2, ..., 2, 2, 2] counts on the watched rows by the group of each attribute, label and
    prediction, of all stumps up to a round and of its own stump. `masses`: float64 [T, G, 2] shares of the weight by
    cell and label when a round begins.
    """

    ensemble: Ensemble
    settings: Settings
    together: np.ndarray
    alone: np.ndarray
    masses: np.ndarray


def check_rows(rows: Rows, words: str) -> None:
    """Check that a fit can compare groups.

    Raises:
        UserError: one label only, an attribute with one group, or a group with one label only.
    """
    if not set(np.unique(rows.y)) <= {0, 1}:
        raise UserError(f"the {words} rows have the label {np.unique(rows.y)[-1]}; labels are 0 and 1")
    if len(np.unique(rows.y)) < 2:
        raise UserError(
            f"the {words} rows have one label only ({rows.y[0] if len(rows.y) else 'none'}); take more rows"
        )
    for k in range(rows.groups.shape[1]):
        found = set(np.unique(rows.groups[:, k]))
        if found != {0, 1}:
            raise UserError(
                f"attribute {k + 1} has the values {sorted(map(int, found))} in the {words} rows, needs 0 and 1"
            )
        for group in (0, 1):
            if len(np.unique(rows.y[rows.groups[:, k] == group])) < 2:
                raise UserError(
                    f"group {group} of attribute {k + 1} has one label only in the {words} rows; take more rows"
                )


def fit(columns: Columns, rows: Rows, settings: Settings, watched: Rows | None = None) -> History:
    """Boost on `rows`; differences are measured on them, or on `watched` rows that are held out.

    Raises:
        UserError: as `check_rows`, or the first stump is no better than chance.
    """
    check_rows(rows, "training")
    if watched is not None:
        check_rows(watched, "validation")
    attributes = rows.groups.shape[1]
    cells = 2**attributes
    sides = np.array(np.unravel_index(np.arange(cells), (2,) * attributes), np.int8).T.copy()
    offsets = columns.offsets
    bins = (rows.codes + offsets[:-1].astype(np.int32)).astype(np.int32)
    seen_bins = bins if watched is None else (watched.codes + offsets[:-1].astype(np.int32)).astype(np.int32)
    part = 2 * rows.cells + rows.y.astype(np.int32)
    seen_part = part if watched is None else 2 * watched.cells + watched.y.astype(np.int32)
    total = settings.rounds
    column, cut, leaves = np.zeros(total, np.int32), np.zeros(total, np.int32), np.zeros((total, 2), np.int8)
    alpha, masses = np.zeros(total), np.zeros((total, cells, 2))
    together, alone = (np.zeros((total, cells, 2, 2), np.int64) for _ in range(2))
    done = kernel.boost(
        bins, offsets, columns.categorical, part, seen_bins, seen_part, watched is None, sides,
        NOTIONS[settings.notion], total, settings.csb, settings.rule == "as_released", settings.stale,
        settings.cumulative, column, cut, leaves, alpha, together, alone, masses,
    )  # fmt: skip
    if not done:
        raise UserError("no stump is better than chance on these rows; check features and labels")
    ensemble = Ensemble(columns, column[:done], cut[:done], leaves[:done], alpha[:done])
    shape = (done, *(2,) * attributes, 2, 2)
    return History(ensemble, settings, together[:done].reshape(shape), alone[:done].reshape(shape), masses[:done])


def signed_gaps(counts: np.ndarray, attributes: int, attribute: int) -> dict[str, np.ndarray]:
    """Return the differences, group 1 minus group 0, of TPR, TNR and selection rate, each [...].

    Args:
        counts: [..., 2, ..., 2, 2, 2], one axis per attribute.
    """
    groups = by_attribute(counts, attributes, [attribute])
    names = ("true_positive_rate", "true_negative_rate", "selection_rate")
    return {name: np.diff(RATES[name](groups), axis=-1)[..., 0] for name in names}


def violation(counts: np.ndarray, notion: str, attributes: int = 1) -> np.ndarray:
    """Return |SP|, |EOpp| or the sum |TPR difference| + |TNR difference| (DM) of the worst attribute, [...]."""
    found = []
    for k in range(attributes):
        gaps = {name: np.abs(value) for name, value in signed_gaps(counts, attributes, k).items()}
        tpr, both = gaps["true_positive_rate"], gaps["true_positive_rate"] + gaps["true_negative_rate"]
        found.append({"SP": gaps["selection_rate"], "EOpp": tpr, "DM": both, "none": 0 * both}[notion])
    return np.max(found, axis=0)


def chosen_round(history: History) -> int:
    """Return theta, how many stumps are kept: the first smallest c BER + (1 - c) ER + F over the rounds (AdaFair).

    F of the first round is 1, as released. AdaBoost keeps all.
    """
    settings = history.settings
    if settings.notion == "none":
        return len(history.ensemble)
    attributes = history.together.ndim - 3
    everyone = by_attribute(history.together, attributes, [])[:, 0]
    fair = violation(history.together if settings.cumulative else history.alone, settings.notion, attributes)
    fair[0] = 1.0
    c = settings.balance
    score = c * (1 - balanced_accuracy(everyone)) + (1 - c) * RATES["zero_one_loss"](everyone) + fair
    return int(np.argmin(score)) + 1
