"""Group metrics of a binary classifier, all as functions of one joint count table.

A count table has the shape [..., groups..., 2, 2]: any leading axes (bootstrap replicates, models,
thresholds), one axis per attribute, then label and prediction. 1 is the positive class (accepted) of
label and prediction. A metric whose denominator is zero is NaN, never 0 and never an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scripts.common.errors import UserError

Cells = tuple[tuple[int, int], tuple[int, int]]  # [label][prediction], 1 where the cell counts


def joint_table(codes: Mapping[str, ArrayLike], sizes: Sequence[int]) -> np.ndarray:
    """Number of rows with each combination of codes.

    Args:
        codes: name -> array of n whole numbers, d arrays; array k holds 0 .. sizes[k] - 1.
        sizes: number of categories of each array.

    Returns:
        int64 [sizes[0], ..., sizes[d - 1]], summing to n.

    Raises:
        UserError: the arrays differ in length or hold another value.
    """
    columns = {name: np.asarray(column) for name, column in codes.items()}
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise UserError(f"the columns to count differ in length: {shapes}; give one value per row in each")
    index = np.int64(0)
    for (name, column), size in zip(columns.items(), sizes, strict=True):
        good = (column >= 0) & (column < size) & (column % 1 == 0)
        if not good.all():
            raise UserError(f"{name} must hold whole numbers from 0 to {size - 1}, found {column[~good][0]}")
        index = index * size + column.astype(np.int64)
    return np.bincount(index, minlength=int(np.prod(sizes))).reshape(sizes)


def count_table(
    y_true: ArrayLike, y_pred: ArrayLike, *groups: ArrayLike, sizes: Sequence[int] | None = None
) -> np.ndarray:
    """Count table of labels and predictions (0 or 1) for every combination of group codes.

    Args:
        y_true, y_pred: n labels and predictions.
        groups: one array of n codes per attribute, each 0 .. K - 1.
        sizes: K of each attribute; by default the largest code + 1, so pass it where a group may be absent.

    Returns:
        int64 [K_1, ..., K_a, 2, 2], the last axes being label and prediction.

    Raises:
        UserError: lengths differ, or a value is out of range (labels of -1/+1, say).
    """
    if sizes is None:
        sizes = [int(np.asarray(group).max(initial=-1)) + 1 for group in groups]
    codes = {f"group {place}": group for place, group in enumerate(groups)}
    return joint_table(codes | {"y_true": y_true, "y_pred": y_pred}, [*sizes, 2, 2])


def by_attribute(counts: np.ndarray, attributes: int, keep: Sequence[int]) -> np.ndarray:
    """Count table of the groups of some attributes, reduced from a table of all attributes.

    Args:
        counts: [..., K_1, ..., K_a, 2, 2] with a = `attributes`.
        keep: the attributes (0 .. a - 1) whose combinations are the groups; the others are summed out.

    Returns:
        [..., G, 2, 2], G the product of the kept K, in C order of `keep` sorted upwards.
    """
    first = counts.ndim - 2 - attributes
    others = tuple(first + k for k in range(attributes) if k not in set(keep))
    reduced = counts.sum(axis=others)
    return reduced.reshape(*counts.shape[:first], -1, 2, 2)


@dataclass(frozen=True)
class Rate:
    """A ratio of counts: the cells of `numerator` divided by the cells of `denominator`."""

    numerator: Cells
    denominator: Cells

    def parts(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return numerator and denominator, each [...], of a table [..., 2, 2]."""
        return ((counts * np.array(self.numerator)).sum((-2, -1)), (counts * np.array(self.denominator)).sum((-2, -1)))

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Return the rate, float64 [...], of a table [..., 2, 2]; nan where the denominator is zero."""
        top, bottom = self.parts(counts)
        return np.divide(top, bottom, out=np.full(np.shape(bottom), np.nan), where=bottom != 0)


_everyone = ((1, 1), (1, 1))
_negatives, _positives = ((1, 1), (0, 0)), ((0, 0), (1, 1))
_accepted = ((0, 1), (0, 1))

RATES: dict[str, Rate] = {
    "accuracy": Rate(((1, 0), (0, 1)), _everyone),
    "zero_one_loss": Rate(((0, 1), (1, 0)), _everyone),
    "selection_rate": Rate(_accepted, _everyone),
    "false_positive_rate": Rate(((0, 1), (0, 0)), _negatives),
    "false_negative_rate": Rate(((0, 0), (1, 0)), _positives),
    "true_positive_rate": Rate(((0, 0), (0, 1)), _positives),
    "true_negative_rate": Rate(((1, 0), (0, 0)), _negatives),
    "positive_predictive_value": Rate(((0, 0), (0, 1)), _accepted),
    "prevalence": Rate(_positives, _everyone),
}


SIGNED = "_signed_difference"


def signed(rate: str) -> str:
    """Return the id of a rate's signed difference: first named group minus second."""
    return rate + SIGNED


def balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """Return (TPR + TNR) / 2, float64 [...], of a table [..., 2, 2]."""
    return (RATES["true_positive_rate"](counts) + RATES["true_negative_rate"](counts)) / 2


def f1_score(counts: np.ndarray) -> np.ndarray:
    """Return 2 TP / (2 TP + FP + FN), float64 [...], of a table [..., 2, 2]; NaN where nobody is or is called positive.

    A harmonic mean and no proportion of rows, so it is not among `RATES`, whose intervals are those of proportions.
    """
    return Rate(((0, 0), (0, 2)), ((0, 1), (1, 2)))(counts)


def subgroups(counts: np.ndarray, groups: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return the tables [..., 2, 2] of "all" and of each named group of a table [..., K, 2, 2].

    `groups` maps a name to its code, in the order of reporting: `{"men": 1, "women": 0}`. "all" is the
    whole table, whether or not every code has a name.
    """
    return {"all": counts.sum(-3)} | {name: counts[..., code, :, :] for name, code in groups.items()}


def subgroup_rates(
    counts: np.ndarray, groups: Mapping[str, int], rates: Mapping[str, Rate] = RATES
) -> dict[tuple[str, str], np.ndarray]:
    """Return every rate of "all" and of each group and, for two groups, its signed difference ("all").

    Args:
        counts: [..., K, 2, 2].
        groups: name to code; the difference is the first named minus the second, under the id `signed(metric)`.

    Returns:
        {(metric, subgroup): float64 [...]}.
    """
    tables = subgroups(counts, groups)
    values = {}
    for metric, rate in rates.items():
        values |= {(metric, name): rate(table) for name, table in tables.items()}
        if len(groups) == 2:
            first, second = groups
            values[signed(metric), "all"] = values[metric, first] - values[metric, second]
    return values


def spread(counts: np.ndarray, rate: Rate) -> np.ndarray:
    """Return the largest minus the smallest rate over the groups, [...], of a table [..., G, 2, 2].

    NaN where any group's rate is undefined: a difference to an empty group is not zero.
    """
    values = rate(counts)
    return values.max(-1) - values.min(-1)


def demographic_parity_difference(counts: np.ndarray) -> np.ndarray:
    """Return the spread of selection rates over the groups of [..., G, 2, 2]."""
    return spread(counts, RATES["selection_rate"])


def demographic_parity_ratio(counts: np.ndarray) -> np.ndarray:
    """Return smallest / largest selection rate ("disparate impact") of [..., G, 2, 2]; NaN if nobody is accepted."""
    rate = RATES["selection_rate"](counts)
    low, high = rate.min(-1), rate.max(-1)
    return np.divide(low, high, out=np.full(np.shape(high), np.nan), where=high != 0)


def equal_opportunity_difference(counts: np.ndarray) -> np.ndarray:
    """Return the spread of TPR over the groups of [..., G, 2, 2] (Hardt et al. 2016)."""
    return spread(counts, RATES["true_positive_rate"])


def equalized_odds_difference(counts: np.ndarray) -> np.ndarray:
    """Return the larger of the TPR and FPR spreads of [..., G, 2, 2], as fairlearn reports it."""
    return np.maximum(spread(counts, RATES["true_positive_rate"]), spread(counts, RATES["false_positive_rate"]))


def equalized_odds_sum(counts: np.ndarray) -> np.ndarray:
    """Return the sum of the TPR and FPR spreads of [..., G, 2, 2], AdaFair's "Eq.Odds"."""
    return spread(counts, RATES["true_positive_rate"]) + spread(counts, RATES["false_positive_rate"])


def true_negative_rate_difference(counts: np.ndarray) -> np.ndarray:
    """Return the spread of TNR over the groups of [..., G, 2, 2]."""
    return spread(counts, RATES["true_negative_rate"])


FAIRNESS = {
    "demographic_parity_difference": demographic_parity_difference,
    "demographic_parity_ratio": demographic_parity_ratio,
    "equal_opportunity_difference": equal_opportunity_difference,
    "equalized_odds_difference": equalized_odds_difference,
    "equalized_odds_sum": equalized_odds_sum,
    "true_negative_rate_difference": true_negative_rate_difference,
}
