"""Distances to the closest training row: by hand, against all pairs, and what copies and fresh rows give."""

import math

import numpy as np
import pytest

from scripts.common import closest_records
from scripts.common.closest_records import Records, distance_ratio, exact_copy_fraction
from scripts.common.errors import UserError
from scripts.common.mixed_table import MISSING
from tests.common.mixed_tables import drawn, table


def gower(row, other, width):
    """Distance by its definition."""
    numbers = sum(abs(a - b) / w if w else float(a != b) for a, b, w in zip(row[0], other[0], width, strict=True))
    return (numbers + sum(row[1] != other[1])) / (len(row[0]) + len(row[1]))


def test_distances_by_hand():
    training = table([[0, 10], [7, 7]], [[0, 1], [2, 2]], [2, 3])
    rows = table([[0, 2, 10, 15], [7, 7, 9, 7]], [[0, 1, 1, 1], [2, 2, 2, 0]], [2, 3])
    # equal; .8 + 0 against .2 + 1 other category; the constant differs; half a range outside and a category
    assert Records.of(training).distances(rows) == pytest.approx([0, 0.8 / 4, 1 / 4, 1.5 / 4], abs=1e-12)


@pytest.mark.parametrize("pairs", [1, 150, 2**20])
def test_blocks_equal_all_pairs(pairs, monkeypatch):
    monkeypatch.setattr(closest_records, "PAIRS", pairs)
    training, rows = drawn(60, 0), drawn(25, 1)
    width = np.ptp(training.numeric, axis=0)
    others = list(zip(training.numeric, training.codes, strict=True))
    expected = [min(gower(row, other, width) for other in others) for row in zip(rows.numeric, rows.codes, strict=True)]
    assert Records.of(training).distances(rows) == pytest.approx(expected, abs=1e-12)


def test_copies_are_at_zero_and_only_they():
    training = drawn(200, 0)
    records = Records.of(training)
    copies = training.take(np.random.default_rng(0).integers(200, size=300))
    assert exact_copy_fraction(records.distances(copies))[0] == 1
    copies.numeric[:100, 1] = np.nextafter(copies.numeric[:100, 1], np.inf) + 1e-9
    fraction, low, high = exact_copy_fraction(records.distances(copies))
    assert fraction == 2 / 3 and 0.60 < low < fraction < high < 0.73
    assert math.isnan(exact_copy_fraction(np.empty(0))[0])


def test_copies_have_ratio_zero_and_fresh_rows_one():
    training, held_out = drawn(500, 0), drawn(400, 1)
    records = Records.of(training)
    yardstick = records.distances(held_out)
    assert distance_ratio(records.distances(training), yardstick, 0) == (0, 0, 0)
    value, low, high = distance_ratio(records.distances(drawn(400, 2)), yardstick, 0)
    assert value == pytest.approx(1, abs=0.2) and low < 1 < high and 0.1 < high - low < 0.6
    assert distance_ratio(records.distances(drawn(400, 2, shift=5.0)), yardstick, 0)[1] > 2


def test_the_ratio_is_one_of_means_and_its_interval_repeats():
    assert distance_ratio(np.array([0, 0, 0, 2.0]), np.array([1.0, 1, 1, 1]), 0)[0] == 0.5
    rows = np.random.default_rng(0).random(50)
    assert distance_ratio(rows, rows, 1) == distance_ratio(rows, rows, 1)
    assert np.isnan(distance_ratio(rows, np.zeros(5), 0)).all() and np.isnan(distance_ratio(rows[:0], rows, 0)).all()


def test_the_interval_of_the_ratio_holds_the_truth():
    random, hits = np.random.default_rng(0), 0
    for seed in range(300):
        low, high = distance_ratio(random.exponential(2.0, 80), random.exponential(1.0, 120), seed, 200)[1:]
        hits += low <= 2 <= high
    assert 0.90 < hits / 300 < 0.98


def test_tables_of_one_kind_of_columns():
    assert Records.of(table([[0, 4]])).distances(table([[1, 4]])) == pytest.approx([0.25, 0])
    categories = table(codes=[[0, 1], [0, 1]])
    assert Records.of(categories).distances(table(codes=[[0, 1], [0, 0]], sizes=[2, 2])).tolist() == [0, 0.5]


def test_what_cannot_be_compared_is_refused():
    training = drawn(5, 0)
    with pytest.raises(UserError, match="no training rows"):
        Records.of(training.take(np.arange(0)))
    training.codes[0, 0] = MISSING
    with pytest.raises(UserError, match="missing in c0"):
        Records.of(training)
