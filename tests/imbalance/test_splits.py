"""Splits as published, and gaps filled from training rows alone."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import RepeatedKFold

from scripts.common.errors import UserError
from scripts.common.mixed_table import MISSING, MixedTable
from scripts.imbalance.people import people
from scripts.imbalance.plans import CLASS, CLASS_PROTECTED, PROTECTED, SAME_CLASS, rows_to_add
from scripts.imbalance.splits import Splitting, fill_gaps, lost_categories, splits
from tests.imbalance.synthetic import RARE, adults

# Rows that the plans add in split 0: of Adult by sex and label, of Credit in all.
ADULT = {
    CLASS: [[0, 7534], [0, 7676]],
    CLASS_PROTECTED: [[5383, 12917], [0, 7676]],
    PROTECTED: [10624, 0],
    SAME_CLASS: [[0, 2802], [0, 0]],
}
CREDIT = {CLASS: 11092, CLASS_PROTECTED: 18348, PROTECTED: 4228, SAME_CLASS: 1351}


def test_adult_has_the_published_splits_and_counts(prepared):
    adult = people(prepared("adult"), "adult", ["sex"])
    drawn = splits(adult, Splitting())
    assert len(drawn) == 6 and {len(train) for train, _ in drawn} == {30148}
    counts = adult.counts(drawn[0][0])
    assert {plan: rows_to_add(plan, counts).tolist() for plan in ADULT} == ADULT
    countries = adult.features.codes[:, adult.features.schema.categorical.index("native_country")]
    assert [len(set(countries[train])) for train, _ in drawn] == [40, 41, 41, 40, 41, 41]
    lost = [lost_categories(adult.features, train) for train, _ in drawn]
    assert lost[0] == lost[3] == {"native_country": ["Holand-Netherlands"]} and not any(lost[1:3] + lost[4:])


def test_credit_has_the_published_counts(prepared):
    credit = people(prepared("credit"), "credit", ["sex"])
    train, test = splits(credit, Splitting())[0]
    assert (len(train), len(test)) == (20000, 10000)
    assert {plan: int(rows_to_add(plan, credit.counts(train)).sum()) for plan in CREDIT} == CREDIT


def test_splits_are_those_of_scikit_learn_in_its_order():
    own = adults(100)
    expected = RepeatedKFold(n_splits=4, n_repeats=3, random_state=7).split(np.zeros(100))
    for (train, test), (first, second) in zip(splits(own, Splitting(4, 3, 7)), expected, strict=True):
        assert train.tolist() == sorted(first) and test.tolist() == sorted(second)
    assert Splitting(4).test_by_train == pytest.approx(25 / 75) and Splitting().test_by_train == 0.5


def test_stratified_splits_have_the_same_fraction_of_every_cell():
    own = adults(300)
    whole = own.counts(np.arange(300))
    for train, test in splits(own, Splitting(stratify=True)):
        assert (abs(own.counts(test) - whole / 3) <= 1).all()
        assert sorted([*train, *test]) == list(range(300))


def test_more_folds_than_rows_are_refused():
    own = adults(60)
    with pytest.raises(UserError, match="adult: the table has 60 rows, fewer than 61 folds; take fewer folds"):
        splits(own, Splitting(61))
    fewest = np.bincount(own.cells).min()
    message = f"the smallest cell of group and label has {fewest} rows, fewer than {fewest + 1} folds"
    with pytest.raises(UserError, match=message):
        splits(own, Splitting(int(fewest) + 1, stratify=True))


def gapped(seed=0, rows=40):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"n": random.integers(0, 9, rows).astype(float), "x": random.normal(size=rows)})
    frame = frame.assign(c=random.choice(["a", "b", "c"], rows)).astype({"c": object})
    return MixedTable.from_frame(frame.mask(random.random(frame.shape) < 0.3), ["n", "x"], ["c"])


@pytest.mark.parametrize("seed", range(6))
def test_gaps_take_the_training_rows_median_and_most_frequent_category(seed):
    table, train = gapped(seed), np.arange(0, 40, 2)
    full, frame = fill_gaps(table, train), table.frame()
    expected = frame.fillna({"n": np.floor(frame["n"].iloc[train].median()), "x": frame["x"].iloc[train].median()})
    texts = frame["c"].astype(object)
    expected["c"] = texts.fillna(texts.iloc[train].mode().min())
    pd.testing.assert_frame_equal(full.frame().astype({"c": object}), expected.astype({"n": np.int64}))
    assert full.schema == table.schema and (full.codes != MISSING).all()


@pytest.mark.parametrize("seed", range(6))
def test_other_test_rows_change_no_value_that_is_filled_in(seed):
    table, train = gapped(), np.arange(0, 40, 2)
    random = np.random.default_rng(seed)
    numeric, codes = table.numeric.copy(), table.codes.copy()
    tested = np.setdiff1d(np.arange(40), train)
    numeric[np.ix_(tested, [0, 1])] = random.normal(50, 50, (20, 2))
    codes[tested] = random.integers(0, 3, (20, 1))
    changed = fill_gaps(MixedTable(table.schema, numeric, codes), train)
    kept = fill_gaps(table, train)
    assert np.array_equal(changed.numeric[train], kept.numeric[train])
    assert np.array_equal(changed.codes[train], kept.codes[train])
    # and a gap of a test row is filled with the same values
    assert np.isin(kept.numeric[np.isnan(table.numeric[:, 1]), 1], kept.numeric[train, 1]).all()


def test_a_tie_goes_to_the_first_category_and_whole_columns_stay_whole():
    frame = pd.DataFrame({"n": [1.0, 2.0, None, 9.0], "x": [1.0, 2.5, None, 9.5], "c": ["z", "b", None, "b"]})
    table = MixedTable.from_frame(frame, ["n", "x"], ["c"])
    full = fill_gaps(table, np.array([0, 1]))
    assert full.numeric[2].tolist() == [1.0, 1.75] and full.frame()["c"][2] == "b"
    assert full.frame()["n"].dtype == np.int64


def test_a_table_without_gaps_is_left_alone_and_not_shared():
    table = adults(50).features
    full = fill_gaps(table, np.arange(20))
    assert np.array_equal(full.numeric, table.numeric) and np.array_equal(full.codes, table.codes)
    full.numeric[:] = 0
    assert table.numeric.any()


@pytest.mark.parametrize("name", ["n", "c"])
def test_a_column_without_a_training_value_is_refused(name):
    frame = pd.DataFrame({"n": [1.0, 2.0, 3.0], "c": ["a", "b", "a"]})
    frame[name] = frame[name].where(frame.index == 2)
    table = MixedTable.from_frame(frame, ["n"], ["c"])
    with pytest.raises(UserError, match=f"{name}: has no value in the training rows of a split; leave the column out"):
        fill_gaps(table, np.array([0, 1]))


def test_categories_of_test_rows_alone_are_named_by_column():
    own = adults()
    assert lost_categories(own.features, np.arange(1, 360)) == {"native_country": [RARE]}
    assert lost_categories(own.features, np.arange(360)) == {}
