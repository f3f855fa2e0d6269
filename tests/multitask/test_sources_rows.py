"""Splits, subsamples and feature numbers that all sources share."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.multitask.sources.rows import drawn, encode, fewer, standardised, title_of, with_validation


def test_three_tenths_are_test_rows_and_a_third_of_the_rest_is_validation():
    split = drawn(1000, "adult")
    assert np.bincount(split).tolist() == [467, 233, 300]
    assert (split == drawn(1000, "adult")).all() and (split != drawn(1000, "german")).any()
    assert np.bincount(with_validation(900, "acs")).tolist() == [600, 300]


def test_a_number_of_rows_is_shared_among_the_splits_as_they_are():
    split = drawn(1000, "adult")
    taken = fewer(split, 100, "adult")
    assert np.bincount(split[taken]).tolist() == [47, 23, 30]
    assert (np.diff(taken) > 0).all()
    assert len(fewer(split, 10**6, "adult")) == len(fewer(split, None, "adult")) == 1000


def test_a_number_for_each_split_takes_those_it_does_not_name_whole_and_fewer_rows_stand_in_more():
    split = drawn(1000, "adult")
    taken = fewer(split, {"train": 50, "valid": None}, "adult")
    assert np.bincount(split[taken]).tolist() == [50, 233, 300]
    assert {*fewer(split, {"train": 20}, "adult")} < {*taken}
    assert {*taken} != {*fewer(split, {"train": 50}, "german")}


def test_a_title_names_the_training_rows_only_where_some_are_left_out():
    split = np.repeat(np.array([0, 1, 2], np.int8), [2000, 500, 500])
    taken = fewer(split, {"train": 1500}, "x")
    assert title_of("Loans", taken, split) == "Loans, 1,500 training rows"
    assert title_of("Loans", np.arange(3000), split) == "Loans"


def test_features_are_standardised_and_one_hot_by_the_training_rows_alone():
    frame = pd.DataFrame({"age": [1.0, 3.0, 100.0, 5.0], "town": ["b", "a", "c", "a"]})
    split = np.array([0, 0, 2, 1], np.int8)
    features, names = encode(frame, ["age"], ["town"], split, "place")
    assert names == ("age", "town=a", "town=b", "town: rare")
    assert features.tolist() == [[-1, 0, 1, 0], [1, 1, 0, 0], [98, 0, 0, 1], [3, 1, 0, 0]]
    assert features.dtype == np.float32
    values = standardised(np.array([[1.0, 7], [3, 7], [100, 8], [5, 7]]), split)
    assert values.tolist() == [[-1, 0], [1, 0], [98, 0], [3, 0]]


@pytest.mark.parametrize(
    ("columns", "split", "message"),
    [
        ([], [0, 1], "place: no feature is left"),
        (["age"], [2, 1], "place: there is no training row; raise most_rows"),
        (["height"], [0, 1], "place: the column height is missing"),
        (["gap"], [0, 1], "place: the feature gap is missing in 1 rows; drop it, or those rows"),
    ],
)
def test_features_that_cannot_be_used_are_refused(columns, split, message):
    frame = pd.DataFrame({"age": [1.0, 3.0], "gap": [1.0, None]})
    with pytest.raises(UserError, match=message):
        encode(frame, columns, [], np.array(split, np.int8), "place")
