"""Mixed tables: codes of declared categories, which mean the same in every subset of the rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from scripts.common.errors import UserError
from scripts.common.mixed_table import MISSING, MixedTable, concatenate

FRAME = pd.DataFrame(
    {
        "town": ["York", np.nan, "Bath", "York"],
        "age": [30, 41, 22, 58],
        "floor": ["10", "2", "2", "10"],
        "unused": [0, 0, 0, 0],
        "weight": [70.5, np.nan, 61.0, 80.0],
    }
)


def table(frame=FRAME):
    return MixedTable.from_frame(frame, ["weight", "age"], ["town", "floor"])


def test_columns_are_arrays_in_the_order_given_and_the_order_of_the_file_is_kept():
    made = table()
    assert made.numeric.dtype == np.float64 and made.codes.dtype == np.int32 and len(made) == 4
    assert made.numeric[:, 1].tolist() == [30, 41, 22, 58] and np.isnan(made.numeric[1, 0])
    assert made.schema.categories == (("Bath", "York"), ("10", "2")) and made.schema.sizes == (2, 2)
    assert made.codes.tolist() == [[1, 0], [MISSING, 1], [0, 1], [1, 0]]
    assert made.schema.order == ("town", "age", "floor", "weight") and made.schema.whole == (False, True)


def test_a_frame_comes_back():
    back = table().frame()
    pd.testing.assert_frame_equal(back.astype({"town": object, "floor": object}), FRAME.drop(columns="unused"))
    assert back["age"].dtype == np.int64 and list(back["town"].cat.categories) == ["Bath", "York"]


def test_a_whole_column_with_a_gap_stays_a_column_of_numbers():
    made = table(FRAME.assign(age=[30, None, 22, 58]))
    assert made.schema.whole == (False, True) and made.frame()["age"].isna().tolist() == [False, True, False, False]


def test_numbers_as_categories_are_texts():
    made = MixedTable.from_frame(pd.DataFrame({"floor": [10, 2, 2]}), [], ["floor"])
    assert made.schema.categories == (("10", "2"),) and made.codes[:, 0].tolist() == [0, 1, 1]
    assert made.numeric.shape == (3, 0)


@pytest.mark.parametrize("wrong", [["a", 1, 2, "b"], [np.inf, 1, -np.inf, 2]])
def test_values_that_are_no_finite_numbers_are_counted_and_named(wrong):
    with pytest.raises(UserError, match="age: 2 values are no finite numbers; list the column under categorical"):
        table(FRAME.assign(age=wrong))


@settings(max_examples=30)
@given(some.lists(some.tuples(some.integers(-5, 5), some.sampled_from("abc")), min_size=1, max_size=12), some.data())
def test_a_code_means_the_same_in_every_subset_and_tables_join_to_what_they_were(rows, data):
    frame = pd.DataFrame(rows, columns=["x", "y"])
    made = MixedTable.from_frame(frame, ["x"], ["y"])
    kept = np.array(data.draw(some.lists(some.integers(0, len(rows) - 1))), dtype=np.int64)
    part = made.take(kept)
    assert part.schema is made.schema and part.frame()["y"].tolist() == frame["y"].iloc[kept].tolist()
    cut = data.draw(some.integers(0, len(rows)))
    mask = np.arange(len(rows)) < cut
    joined = concatenate([made.take(mask), made.take(~mask)])
    assert np.array_equal(joined.codes, made.codes) and np.array_equal(joined.numeric, made.numeric)
    assert joined.schema == made.schema


def test_a_category_is_added_at_the_end_and_taken_off_again():
    more = table().with_category("label", np.array([1, 0, 0, 1], np.int8), ("0", "1"))
    assert more.schema.order[-1] == more.schema.categorical[-1] == "label" and more.codes.dtype == np.int32
    assert more.frame()["label"].tolist() == ["1", "0", "0", "1"]
    less, label = more.without_last_category()
    assert label.tolist() == [1, 0, 0, 1] and less.schema == table().schema
    assert np.array_equal(less.codes, table().codes)
