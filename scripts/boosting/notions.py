"""Notions of discrimination along several attributes, all from one table of counts.

The table is that of scripts/common/metrics.py: [..., 2, ..., 2, 2, 2], one axis per attribute, then label and
prediction. The notions follow the survey of Roy, Horstmann and Ntoutsi (FAccT 2023), which gives none in numbers; the
operational forms are written out here. A value that rests on too few people is nan, "undecided", never 0.
"""

from itertools import combinations

import numpy as np

from scripts.common.errors import UserError
from scripts.common.metrics import FAIRNESS, RATES, Rate, by_attribute

PARITY, OPPORTUNITY = "demographic_parity_difference", "equal_opportunity_difference"
ODDS_SUM, ODDS = "equalized_odds_sum", "equalized_odds_difference"
GAPS = {name: FAIRNESS[name] for name in (PARITY, OPPORTUNITY, ODDS_SUM, ODDS)}
NEGATIVES = "true_negative_rate_difference"
# gaps over all combinations of the attributes, with the rate that each compares
INTERSECTIONAL = {PARITY: "selection_rate", OPPORTUNITY: "true_positive_rate", NEGATIVES: "true_negative_rate"}
# the two forms of Kearns et al., with the rate that a subgroup is judged by
SUBGROUP_PARITY, SUBGROUP_ERRORS = "statistical_parity_subgroup_fairness", "false_positive_subgroup_fairness"
SUBGROUP_FAIRNESS = {SUBGROUP_PARITY: "selection_rate", SUBGROUP_ERRORS: "false_positive_rate"}


def gap(counts: np.ndarray, attributes: int, attribute: int, notion: str) -> np.ndarray:
    """Return the gap F_k of one attribute, [...].

    Args:
        notion: one of `GAPS`.

    Raises:
        UserError: there is no such notion.
    """
    if notion not in GAPS:
        raise UserError(f"no fairness notion {notion!r}; there are {', '.join(GAPS)}")
    return GAPS[notion](by_attribute(counts, attributes, [attribute]))


def worst_attribute(counts: np.ndarray, attributes: int, notion: str) -> np.ndarray:
    """Return the largest gap of any attribute, [...]; of equalized odds this is MFBPP's MMM."""
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


def subgroup_fairness(counts: np.ndarray, attributes: int, notion: str) -> np.ndarray:
    """Return the largest |rate of a subgroup - rate of everybody| x share of the subgroup, [...].

    Kearns, Neel, Roth and Wu 2018. Subgroups are all conjunctions of values of one or more attributes.

    Args:
        notion: one of `SUBGROUP_FAIRNESS`, by selection rates and shares of everybody, or by false-positive rates and
            shares of negatives in all.
    """
    if notion not in SUBGROUP_FAIRNESS:
        raise UserError(f"no subgroup fairness {notion!r}; there are {', '.join(SUBGROUP_FAIRNESS)}")
    rate = RATES[SUBGROUP_FAIRNESS[notion]]
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


def sequential(counts: np.ndarray, stage_attributes: tuple[int, ...]) -> dict[tuple, np.ndarray]:
    """Return the gaps of decisions that follow one another, each with an attribute of its own.

    Args:
        counts: [..., 2, ..., 2, S + 1]: one axis per attribute, then how many of the S stages a person passed.
        stage_attributes: the attribute of each stage.

    Returns:
        {(attributes, stage): gap}. With a stage, from 1: of the share that passes it among those who passed all earlier
        ones, by the stage's own attribute. With None: of the share that passes all stages, by each attribute and by all
        combinations. nan where nobody of a group came that far.
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
        found[(k,), t + 1] = spread(table[..., t + 1 :].sum(-1), table[..., t:].sum(-1))
    every = tuple(range(attributes))
    for keep in [*((k,) for k in every), every]:
        table = by(keep)
        found[keep, None] = spread(table[..., stages], table.sum(-1))
    return found
