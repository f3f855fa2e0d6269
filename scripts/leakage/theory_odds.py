"""Equalized odds and attribute inference, exactly, on tables N[y][s][p] of label, group and prediction (all binary)."""

from fractions import Fraction

import numpy as np

from scripts.leakage.theory_tables import all_attacks, attack_sums, compositions, independent, numerators

# The source's table: probabilities of (label, group, prediction); equalized odds holds and the prediction is the label.
EXAMPLE = {
    (0, 0, 0): Fraction(3, 8),
    (0, 1, 0): Fraction(1, 8),
    (1, 0, 1): Fraction(1, 8),
    (1, 1, 1): Fraction(3, 8),
}


def odds_tables(total: int, null_cells: bool) -> np.ndarray:
    """Return every table [n, 2, 2, 2] of the total with equalized odds, both groups and both labels.

    Args:
        null_cells: whether combinations of label and group may be empty, where equalized odds says nothing.
    """
    tables = compositions(total, 8).reshape(-1, 2, 2, 2)
    cells = tables.sum(3)  # [n, label, group]
    some = (cells.sum(1) > 0).all(1) & (cells.sum(2) > 0).all(1)
    some &= True if null_cells else (cells > 0).all((1, 2))
    tables, cells = tables[some], cells[some]
    equal = tables[:, :, 0, 1] * cells[:, :, 1] == tables[:, :, 1, 1] * cells[:, :, 0]
    return tables[equal.all(1)]


def outputs_by_groups(tables: np.ndarray) -> np.ndarray:
    """Return the tables of prediction and group, [n, 2, 2]."""
    return tables.sum(1).transpose(0, 2, 1)


def chance_iff_independent(tables: np.ndarray) -> np.ndarray:
    """EO: under equalized odds all attacks have 1/2 iff the label is independent of the group or of the prediction."""
    sums, denominators = attack_sums(outputs_by_groups(tables)), numerators(outputs_by_groups(tables))[1]
    chance = (sums == denominators[:, None]).all(1)
    return chance == (independent(tables.sum(3)) | independent(tables.sum(2)))


def formula_holds(tables: np.ndarray, sign: int) -> np.ndarray:
    """Check 1/2 + sign/2 (P(Y=0|S=0) - P(Y=0|S=1)) (q1 - q0) = BA(a) for all four attacks a, bool [n].

    q_y = P(a(prediction) = 1 | Y = y). The source prints q0 - q1, which is sign -1.
    """
    sums, denominators = attack_sums(outputs_by_groups(tables)), numerators(outputs_by_groups(tables))[1]
    cells, by_label = tables.sum(3), tables.sum(2)  # [n, label, group], [n, label, prediction]
    groups, labels = cells.sum(1), cells.sum(2)
    # over groups[0] groups[1] and labels[0] labels[1]
    gap = cells[:, 0, 0] * groups[:, 1] - cells[:, 0, 1] * groups[:, 0]
    holds = np.ones(len(tables), bool)
    for number, attack in enumerate(all_attacks(2, 2)):
        ones = (by_label * attack).sum(2)
        rates = ones[:, 1] * labels[:, 0] - ones[:, 0] * labels[:, 1]
        left = (sums[:, number] - denominators) * groups.prod(1) * labels.prod(1)  # sums are twice the accuracy
        holds &= left == sign * gap * rates * denominators
    return holds


def predicted_leakage_holds(tables: np.ndarray) -> np.ndarray:
    """X8: under equalized odds the best attack has (1 + |P(Y=1|S=1) - P(Y=1|S=0)| |TPR - FPR|)/2."""
    sums, denominators = attack_sums(outputs_by_groups(tables)), numerators(outputs_by_groups(tables))[1]
    cells, by_label = tables.sum(3), tables.sum(2)
    groups, labels = cells.sum(1), cells.sum(2)
    gap = abs(cells[:, 1, 1] * groups[:, 0] - cells[:, 1, 0] * groups[:, 1])
    rates = abs(by_label[:, 1, 1] * labels[:, 0] - by_label[:, 0, 1] * labels[:, 1])
    left = (sums.max(1) - denominators) * groups.prod(1) * labels.prod(1)
    return left == gap * rates * denominators


def example_facts() -> dict[str, Fraction]:
    """EX: return what the source says of its eight-row table, computed from the table."""

    def mass(wanted) -> Fraction:
        return sum((share for cell, share in EXAMPLE.items() if wanted(*cell)), Fraction(0))

    def given(wanted, condition) -> Fraction:
        return mass(lambda *cell: wanted(*cell) and condition(*cell)) / mass(condition)

    accepted = [given(lambda y, s, p: p == 1, lambda y, s, p, g=g: s == g) for g in (0, 1)]
    odds = [
        [given(lambda y, s, p: p == 1, lambda y, s, p, g=g, label=label: (y, s) == (label, g)) for g in (0, 1)]
        for label in (0, 1)
    ]
    return {
        "balanced accuracy of the identity": (1 - accepted[0] + accepted[1]) / 2,
        "bound": (1 + abs(accepted[1] - accepted[0])) / 2,
        "DemParLvl": abs(accepted[1] - accepted[0]),
        "largest gap of equalized odds": max(abs(first - second) for first, second in odds),
        "accuracy": mass(lambda y, s, p: y == p),
        "P(Y=1|S=0)": given(lambda y, s, p: y == 1, lambda y, s, p: s == 0),
        "P(Y=1|S=1)": given(lambda y, s, p: y == 1, lambda y, s, p: s == 1),
    }


EXAMPLE_SAYS = {
    "balanced accuracy of the identity": Fraction(3, 4),
    "bound": Fraction(3, 4),
    "DemParLvl": Fraction(1, 2),
    "largest gap of equalized odds": Fraction(0),
    "accuracy": Fraction(1),
    "P(Y=1|S=0)": Fraction(1, 4),
    "P(Y=1|S=1)": Fraction(3, 4),
}
