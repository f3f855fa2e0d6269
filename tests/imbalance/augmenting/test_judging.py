"""Copies, unusual values, small parts, and the third of the rows that a generator has not seen."""

import numpy as np
import pytest

from scripts.common.mixed_table import MixedSchema, MixedTable
from scripts.imbalance.augmenting.judging import copies, held_out_rows
from scripts.imbalance.imbalance_augment import augment_table
from tests.imbalance.augmenting.made_up import JUDGING, LIMITS, SETTINGS, entry, people, prepared

SCHEMA = MixedSchema(("a",), (False,), ("b",), (("x", "y"),), ("a", "b"))


def table(numbers, codes):
    return MixedTable(SCHEMA, np.array(numbers, float)[:, None], np.array(codes, np.int32)[:, None])


def test_a_copy_agrees_in_every_column():
    real = table([1.0, 0.0, 2.5], [0, 1, 1])
    rows = table([1.0, 1.0, -0.0, 2.5, 2.5000001], [0, 1, 1, 1, 1])
    assert copies(real, rows).tolist() == [True, False, True, True, False]
    assert copies(real, rows.take(np.empty(0, np.int64))).shape == (0,)


def test_a_third_of_every_cell_is_held_out_and_no_row_is_on_both_sides():
    cells = np.repeat([0, 1, 3], [9, 2, 31])
    kept, held_out = held_out_rows(cells, "a", 1)
    assert np.array_equal(np.sort(np.concatenate([kept, held_out])), np.arange(42))
    assert np.bincount(cells[held_out], minlength=4).tolist() == [3, 0, 0, 10]
    assert not np.array_equal(held_out, held_out_rows(cells, "a", 2)[1])


@pytest.fixture
def frame(tmp_path):
    return prepared(tmp_path, people())


def judged(frame, **changes):
    about = augment_table(frame, entry(**changes), SETTINGS, LIMITS, JUDGING)[1]
    return about, {row["metric"]: row for row in about["quality"]}


def test_copies_of_rows_are_copies_and_said_to_be(frame):
    about, quality = judged(frame)
    assert quality["exact_copy_fraction"]["value"] == 1 and quality["closest_record_distance_ratio"]["value"] == 0
    assert quality["exact_copy_fraction"]["real"] < 0.1 and quality["exact_copy_fraction"]["ci_low"] < 1
    assert f"{about['added']:,} of {about['added']:,} synthetic rows (100.0 %)" in about["warnings"][0]


def test_a_copula_copies_no_row_of_decimals(frame):
    about, quality = judged(frame, generator="smote_nc", plan="class")
    assert quality["exact_copy_fraction"]["value"] < 0.2
    assert not any("100.0 %" in line for line in about["warnings"])


def test_small_parts_are_named_for_rows_and_for_leaves(tmp_path):
    small = people()
    women = (small["sex"] == "F") & (small["repaid"] == "yes")
    small = small[~women | (women.cumsum() <= 7)]
    about, _ = judged(prepared(tmp_path, small), generator="cart", plan="class")
    assert "fewer than 20 real ones, too few to know their spread: women, label 1 (7)." in " ".join(about["warnings"])
    assert "fewer than two leaves of rows: women, label 1 (7)." in " ".join(about["warnings"])


def test_too_few_rows_for_a_second_fit_leave_the_quality_out_with_the_reason(tmp_path):
    small = people()
    women = (small["sex"] == "F") & (small["repaid"] == "yes")
    frame = prepared(tmp_path, small[~women | (women.cumsum() <= 4)])
    about, quality = judged(frame, generator="smote_nc", plan="class")
    assert not quality and "Quality is not judged" in about["warnings"][-1] and about["added"] > 0
