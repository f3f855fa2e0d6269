"""What is wrong with a table is said in one line; a split is a split."""

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.income.people import people, split
from tests.income.made_up import made_up


def with_nan(frame, column):
    return frame.assign(**{column: frame[column].astype(object).where(frame.index != 3)})


BAD = {
    "a missing column": (lambda frame: frame.drop(columns="occupation"), "column occupation is missing"),
    "no row ids": (lambda frame: frame.drop(columns="row_id"), "column row_id is missing"),
    "a missing subset": (lambda frame: frame.drop(columns="complete"), "column complete is missing"),
    "an absent group": (
        lambda frame: frame[frame["sex"] == "Male"].reset_index(drop=True),
        "'women' of sex has no",
    ),
    "a missing number": (lambda frame: with_nan(frame, "age"), "age is missing in 1 rows"),
    "a missing word": (lambda frame: with_nan(frame, "workclass"), "workclass is missing in 1 rows"),
    "a missing label": (lambda frame: with_nan(frame, "y"), "y is missing in 1 rows"),
    "an unknown label": (lambda frame: frame.assign(y=frame["y"].where(frame.index != 3, 7)), "y holds 7, expected 0"),
    "a row twice": (lambda frame: frame.assign(row_id=frame["row_id"] // 2), "row_id 5 occurs twice"),
    "one label in a group": (
        lambda frame: frame.assign(y=(frame["sex"] == "Male") * 1),
        "all women have the same",
    ),
    "words for a number": (lambda frame: frame.assign(age="old"), "age holds 400 values that are no numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_named_in_one_line(case):
    change, words = BAD[case]
    with pytest.raises(UserError) as error:
        rows = "complete" if case == "a missing subset" else "all"
        people(change(made_up()), "adult_all", "sex", rows).features(np.arange(100))
    message = str(error.value)
    assert words in message and "\n" not in message and len(message) < 200


def test_an_unknown_attribute_is_named():
    with pytest.raises(UserError, match="no attribute 'gender'; there are sex, race"):
        people(made_up(), "adult_all", "gender")


def test_the_parts_of_a_split_share_no_row_and_seeds_differ():
    parts = split(1000, "adult_all", 1)
    assert [len(part) for part in (parts.train, parts.valid, parts.test)] == [500, 200, 300]
    assert sorted(np.concatenate([parts.fitted, parts.test])) == list(range(1000))
    assert np.array_equal(parts.test, split(1000, "adult_all", 1).test)
    assert not np.array_equal(parts.test, split(1000, "adult_all", 2).test)


def test_without_the_attribute_its_columns_are_gone_and_no_others():
    data = people(made_up(), "adult_all", "sex")
    x, kept = data.features(np.arange(400))
    assert (~kept).sum() == 2  # one for each word of the column
    assert all(set(np.unique(column)) == {0, 1} for column in x[:, ~kept].T)
    assert np.array_equal(x[:, ~kept].argmax(1), data.group) or np.array_equal(x[:, ~kept].argmin(1), data.group)


def test_a_subset_is_taken():
    frame = made_up()
    assert len(people(frame, "adult_all", "sex", "complete").y) == frame["complete"].sum()
