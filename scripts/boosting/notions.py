"""Notions of discrimination along several attributes, all from one table of counts.

The table is that of scripts/common/metrics.py: [..., 2, ..., 2, 2, 2], one axis per attribute, then label and
prediction. The notions follow the survey of Roy, Horstmann and Ntoutsi (FAccT 2023), which gives none in numbers; the
operational forms are written out here. A value that rests on too few people is nan, "undecided", never 0.
"""

from itertools import combinations

import numpy as np

from scripts.common.errors import UserError
from scripts.common.metrics import (
    RATES,
    Rate,
    by_attribute,
    demographic_parity_difference,
    equal_opportunity_difference,
    equalized_odds_difference_max,
    equalized_odds_difference_sum,
)

GAPS = {
    "SP": demographic_parity_difference,
    "EOpp": equal_opportunity_difference,
    "EOdds_sum": equalized_odds_difference_sum,
    "EOdds_max": equalized_odds_difference_max,
}
INTERSECTIONAL = {"SP": "acceptance_rate", "TPR": "tpr", "TNR": "tnr"}


def gap(counts: np.ndarray, attributes: int, attribute: int, notion: str) -> np.ndarray:
    """Return the gap F_k of one attribute, [...].

    Args:
        notion: SP (acceptance rates), EOpp (TPR), EOdds_sum (TPR gap + FPR gap) or EOdds_max (the larger of them).

    Raises:
        UserError: there is no such notion.
    """
    if notion not in GAPS:
        raise UserError(f"no fairness notion {notion!r}; there are {', '.join(GAPS)}")
    return GAPS[notion](by_attribute(counts, attributes, [attribute]))


def worst_attribute(counts: np.ndarray, attributes: int, notion: str) -> np.ndarray:
    """Return the largest gap of any attribute, [...]; with EOdds_max this is MFBPP's MMM."""
    return np.max([gap(counts, attributes, k, notion) for k in range(attributes)], axis=0)


def additive(counts: np.ndarray, attributes: int, notion: str) -> np.ndarray:
    """Return the sum of the gaps of all attributes, [...]."""
    return np.sum([gap(counts, attributes, k, notion) for k in range(attributes)], axis=0)


def cells_of(counts: np.ndarray, attributes: int) -> np.ndarray:
    """Return the table [..., G, 2, 2] of all combinations of the attributes."""
    return by_attribute(counts, attributes, range(attributes))


def smallest_cell(counts: np.ndarray, attributes: int, rate: Rate) -> np.ndarray:
    """Return the rows that the rate of the smallest combination rests on, [...]."""
    return rate.parts(cells_of(counts, attributes))[1].min(-1)


def intersectional(counts: np.ndarray, attributes: int, rate: Rate, minimum: int) -> np.ndarray:
    """Return the largest minus the smallest rate over all combinations of the attributes, [...].

    nan (undecided) where a combination has fewer than `minimum` rows in the rate's denominator: leaving it out would
    hide the very people that the notion is about.
    """
    values = rate(cells_of(counts, attributes))
    decided = smallest_cell(counts, attributes, rate) >= max(minimum, 1)
    return np.where(decided, values.max(-1) - values.min(-1), np.nan)


def differential_fairness(counts: np.ndarray, attributes: int, minimum: int) -> np.ndarray:
    """Return epsilon: the largest log ratio of any outcome's probability between two combinations, [...].

    Foulds, Islam, Keya and Pan 2020, with their Dirichlet smoothing of one row in all: (n_yhat + 1/2) / (n + 1).
    nan where a combination has fewer than `minimum` rows.
    """
    cells = cells_of(counts, attributes).sum(-2)  # [..., G, 2] by prediction
    sizes = cells.sum(-1)
    logs = np.log((cells + 0.5) / (sizes[..., None] + 1))
    epsilon = (logs.max(-2) - logs.min(-2)).max(-1)
    return np.where(sizes.min(-1) >= max(minimum, 1), epsilon, np.nan)


def subgroup_fairness(counts: np.ndarray, attributes: int, form: str) -> np.ndarray:
    """Return the largest |rate of a subgroup - rate of everybody| x share of the subgroup, [...].

    Kearns, Neel, Roth and Wu 2018. Subgroups are all conjunctions of values of one or more attributes.

    Args:
        form: "SP" (acceptance rates, shares of everybody) or "FP" (false-positive rates, shares of negatives in all).
    """
    if form not in ("SP", "FP"):
        raise UserError(f"subgroup fairness has the forms SP and FP, not {form!r}")
    rate = RATES["acceptance_rate" if form == "SP" else "fpr"]
    everybody = by_attribute(counts, attributes, [])
    total = everybody.sum((-2, -1))
    found = []
    for size in range(1, attributes + 1):
        for keep in combinations(range(attributes), size):
            table = by_attribute(counts, attributes, keep)
            share = rate.parts(table)[1] / total
            off = np.abs(rate(table) - rate(everybody)) * share
            found.append(np.where(share > 0, off, 0.0).max(-1))  # nobody in a subgroup is nobody treated worse
    return np.max(found, axis=0)


def sequential(counts: np.ndarray, stage_attributes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the gaps of decisions that follow one another, each with an attribute of its own.

    Args:
        counts: [..., 2, ..., 2, S + 1]: one axis per attribute, then how many of the S stages a person passed.
        stage_attributes: the attribute of each stage.

    Returns:
        `stage_t`: gap of the share that passes stage t among those who passed all earlier ones, by the stage's own
        attribute; `end_to_end_k`: gap of the share that passes all stages, by attribute k; `end_to_end_cells`: its
        range over all combinations. nan where nobody of a group came that far.
    """
    stages = counts.shape[-1] - 1
    attributes = max(stage_attributes) + 1
    lead = counts.ndim - attributes - 1
    found = {}

    def by(keep: tuple[int, ...]) -> np.ndarray:
        axes = tuple(lead + k for k in range(attributes) if k not in keep)
        return counts.sum(axes).reshape(*counts.shape[:lead], -1, stages + 1)

    def spread(passed: np.ndarray, came: np.ndarray) -> np.ndarray:
        share = np.divide(passed, came, out=np.full(came.shape, np.nan), where=came > 0)
        return share.max(-1) - share.min(-1)

    for t, k in enumerate(stage_attributes):
        table = by((k,))
        found[f"stage_{t + 1}"] = spread(table[..., t + 1 :].sum(-1), table[..., t:].sum(-1))
    for k in range(attributes):
        table = by((k,))
        found[f"end_to_end_{k + 1}"] = spread(table[..., stages], table.sum(-1))
    cells = by(tuple(range(attributes)))
    found["end_to_end_cells"] = spread(cells[..., stages], cells.sum(-1))
    return found
