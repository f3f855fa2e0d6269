"""Sampling plans against their formulas in plain Python, what each plan promises, and its counts on the real tables."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.imbalance.plans import (
    CLASS,
    CLASS_PROTECTED,
    PLANS,
    PROTECTED,
    SAME_CLASS,
    at_dose,
    reweighing,
    rows_to_add,
    weights_of,
)

TABLES = [((a, b), (c, d)) for a, b, c, d in product(range(1, 7), repeat=4)]
# training rows of the first split by sex (women, men) and label
ADULT = np.array([[8648, 1114], [14031, 6355]])
RANDOM = np.random.default_rng(0)
SEVERAL_GROUPS = [RANDOM.integers(1, 200, (k, 2)) for k in (1, 3, 4, 5, 8) for _ in range(40)]


def by_formula(plan, counts):
    """The plan as its definition reads, with exact fractions."""
    sizes = [sum(row) for row in counts]
    largest = sizes.index(max(sizes))
    majority = 1 if counts[largest][1] > counts[largest][0] else 0
    if plan == CLASS:
        return [[max(row) - n for n in row] for row in counts]
    if plan == CLASS_PROTECTED:
        return [[max(counts[largest][majority] - n, 0) for n in row] for row in counts]
    if plan == PROTECTED:
        return [sizes[largest] - size for size in sizes]
    added = []
    for group, row in enumerate(counts):
        added.append([0, 0])
        for label in (0, 1):
            p = Fraction(counts[largest][label], sizes[largest])
            rows = (p * sizes[group] - row[label]) / (1 - p)
            if group != largest and rows > 0:
                added[group][label] = rows.numerator // rows.denominator
    return added


@pytest.mark.parametrize("plan", PLANS)
def test_every_small_table_gets_the_rows_of_the_formula(plan):
    for counts in TABLES:
        assert rows_to_add(plan, np.array(counts)).tolist() == by_formula(plan, counts), counts


@pytest.mark.parametrize("plan", PLANS)
def test_several_groups_get_the_rows_of_the_formula(plan):
    for counts in SEVERAL_GROUPS:
        added = rows_to_add(plan, counts)
        assert added.tolist() == by_formula(plan, counts.tolist()) and (added >= 0).all()
        assert added.dtype == np.int64 and added.shape == counts.shape[: added.ndim]


def test_what_the_plans_promise():
    for counts in map(np.array, [*TABLES, *SEVERAL_GROUPS]):
        check_promises(counts)


def check_promises(counts):
    balanced = counts + rows_to_add(CLASS, counts)
    assert (balanced[:, 0] == balanced[:, 1]).all()
    most = counts[counts.sum(1).argmax()].max()
    filled = counts + rows_to_add(CLASS_PROTECTED, counts)
    assert (filled == np.maximum(counts, most)).all()  # equal, but for a cell that was larger
    assert len({*(counts.sum(1) + rows_to_add(PROTECTED, counts))}) == 1


def test_the_class_ratio_of_every_group_becomes_that_of_the_largest_up_to_a_row():
    for counts in map(np.array, [*TABLES[::3], *SEVERAL_GROUPS]):
        check_ratio(counts)


def check_ratio(counts):
    added = rows_to_add(SAME_CLASS, counts)
    sizes = counts.sum(1)
    largest = sizes.argmax()
    for group in set(range(len(counts))) - {largest}:
        assert (added[group] > 0).sum() <= 1
        for label in np.flatnonzero(added[group]):
            p = Fraction(int(counts[largest, label]), int(sizes[largest]))
            rows, of = int(counts[group, label] + added[group, label]), int(sizes[group] + added[group, label])
            assert Fraction(rows, of) <= p < Fraction(rows + 1, of + 1)  # one row more would be one too much


def test_exact_ratios_do_not_lose_a_row_to_rounding():
    # p = .7: (.7 * 20 - 2) / .3 is 40, and 39.99999 in floating point
    assert rows_to_add(SAME_CLASS, np.array([[18, 2], [30, 70]])).tolist() == [[0, 40], [0, 0]]
    assert int((0.7 * 20 - 2) / (1 - 0.7)) == 39


def test_the_first_split_of_adult():
    women, men = 0, 1
    assert rows_to_add(CLASS, ADULT)[:, 1].tolist() == [7534, 7676]
    added = rows_to_add(CLASS_PROTECTED, ADULT)
    assert added[women].tolist() == [5383, 12917] and added[men].tolist() == [0, 7676]
    assert rows_to_add(PROTECTED, ADULT).tolist() == [10624, 0]
    assert rows_to_add(SAME_CLASS, ADULT).tolist() == [[0, 2802], [0, 0]]


def test_the_first_of_two_groups_of_one_size_is_the_largest():
    counts = np.array([[3, 1], [1, 3]])
    assert rows_to_add(SAME_CLASS, counts).tolist() == [[0, 0], [8, 0]]


def test_a_largest_group_with_one_label_has_no_ratio_and_is_named():
    with pytest.raises(UserError, match=r"same_class: the largest group, men, has one label only in its 9 training"):
        rows_to_add(SAME_CLASS, np.array([[3, 1], [9, 0]]), ["women", "men"])
    with pytest.raises(UserError, match="no sampling plan 'half'; there are class, class_protected"):
        rows_to_add("half", ADULT)


@pytest.mark.parametrize("plan", PLANS)
def test_weights_stand_for_the_rows_of_a_plan(plan):
    added = rows_to_add(plan, ADULT)
    weighted = ADULT * weights_of(ADULT, added)
    if plan == PROTECTED:
        assert np.allclose(weighted.sum(1), ADULT.sum(1) + added)
        assert np.allclose(weighted / weighted.sum(1, keepdims=True), ADULT / ADULT.sum(1, keepdims=True))
    else:
        assert np.allclose(weighted, ADULT + added)
    assert weights_of(np.array([[0, 3], [2, 2]]), np.array([[3, 0], [0, 0]]))[0, 0] == 1  # nobody to weight


def test_reweighing_makes_label_and_group_independent_and_keeps_both_totals():
    weighted = ADULT * reweighing(ADULT)
    rates = weighted[:, 1] / weighted.sum(1)
    assert rates[0] == pytest.approx(rates[1])
    assert weighted.sum(0) == pytest.approx(ADULT.sum(0)) and weighted.sum(1) == pytest.approx(ADULT.sum(1))


def test_a_dose_is_a_fraction_of_the_rows_rounded_down():
    added = np.array([[0, 2802], [10, 3]])
    assert at_dose(added, 0).sum() == 0 and (at_dose(added, 1) == added).all()
    assert at_dose(added, 0.25).tolist() == [[0, 700], [2, 0]]
    assert at_dose(np.array([10]), 0.7).tolist() == [7]  # 0.7 * 10 in floating point is 7.000000000000001 or less
    assert at_dose(np.array([100]), 0.29).tolist() == [29]  # 28.999999999999996
