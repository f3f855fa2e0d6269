"""The emulation of the published fault: codes of augmented training tables move, those of test rows stay."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as some

from scripts.common.mixed_table import MixedTable, concatenate
from scripts.imbalance.shifted_codes import codes_move, renumbered, with_moved_codes
from scripts.imbalance.splits import lost_categories
from tests.imbalance.synthetic import RARE, adults

TOY = MixedTable.from_frame(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "c": ["a", "c", "b", "d"]}), ["x"], ["c"])
TRAIN = np.array([0, 1, 3])  # "b" is in the test part alone


def test_a_category_of_the_test_part_alone_moves_the_codes_after_it():
    train = TOY.take(TRAIN)
    assert train.codes[:, 0].tolist() == [0, 2, 3]
    assert codes_move(train) and with_moved_codes(train).codes[:, 0].tolist() == [0, 1, 2]
    assert with_moved_codes(train).schema == TOY.schema and train.codes[:, 0].tolist() == [0, 2, 3]
    assert with_moved_codes(train).numeric.tolist() == train.numeric.tolist()


def test_nothing_moves_where_all_categories_are_present_or_only_the_last_are_absent():
    assert not codes_move(TOY) and np.array_equal(with_moved_codes(TOY).codes, TOY.codes)
    assert not codes_move(TOY.take(np.array([0, 1, 2])))  # without "d"
    assert not codes_move(MixedTable.from_frame(pd.DataFrame({"x": [1.0]}), ["x"], []))


@settings(max_examples=30)
@given(some.lists(some.tuples(*[some.sampled_from("abcdef")] * 2), min_size=2, max_size=12), some.data())
def test_moved_codes_are_those_that_pandas_gives_a_joined_table_of_plain_values(rows, data):
    """The published code joins frames, which makes plain values of categories, and then takes categories anew."""
    table = MixedTable.from_frame(pd.DataFrame(rows, columns=["p", "q"]), [], ["p", "q"])
    real = table.take(np.array(data.draw(some.lists(some.integers(0, len(rows) - 1), min_size=1))))
    made = table.take(np.array(data.draw(some.lists(some.integers(0, len(rows) - 1), min_size=1))))
    frames = [part.frame().astype(object) for part in (real, made)]
    joined = pd.concat(frames, ignore_index=True).astype("category")
    expected = np.column_stack([joined[name].cat.codes for name in ("p", "q")])
    moved = with_moved_codes(concatenate([real, made]))
    assert moved.codes.tolist() == expected.tolist() and moved.codes.dtype == np.int32
    assert codes_move(concatenate([real, made])) == (expected != concatenate([real, made]).codes).any()


@settings(max_examples=30)
@given(some.lists(some.integers(0, 50), min_size=1))
def test_renumbered_codes_keep_the_order_and_leave_no_hole(codes):
    codes = np.array(codes)
    again = renumbered(codes)
    assert set(again) == set(range(len(set(codes)))) and np.array_equal(renumbered(again), again)
    assert (np.sign(again[:, None] - again) == np.sign(codes[:, None] - codes)).all() and (again <= codes).all()


def test_the_single_row_of_a_country_moves_all_countries_after_it():
    own = adults()
    train = np.arange(1, 360)
    table, place = own.features.take(train), own.features.schema.categorical.index("native_country")
    assert lost_categories(own.features, train) == {"native_country": [RARE]} and codes_move(table)
    change = table.codes - with_moved_codes(table).codes
    after = table.codes[:, place] > 1
    assert (change[:, place] == after).all() and after.any() and not np.delete(change, place, axis=1).any()
