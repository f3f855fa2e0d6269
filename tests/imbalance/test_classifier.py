"""The classifiers against xgboost's and scikit-learn's front ends, and on categories that no training row has."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from scripts.common.mixed_table import MixedTable, concatenate
from scripts.imbalance.classifier import boosted_log_odds, logistic_log_odds, matrix, probability
from tests.imbalance.synthetic import adults

SETTINGS = {"rounds": 12, "depth": 5, "learning_rate": 0.3}


def rows(count=600, seed=0, categories=9):
    """Numbers and two categories, one of more values than xgboost splits off one by one, and labels."""
    random = np.random.default_rng(seed)
    effect = random.normal(0, 2, categories)
    many = np.concatenate([np.arange(categories), random.integers(0, categories, count - categories)])
    frame = pd.DataFrame({"few": random.choice(["p", "q", "r"], count), "x": random.normal(size=count).round(2)})
    frame = frame.assign(many=[f"value {code}" for code in many], n=random.integers(0, 20, count))
    raw = frame["x"] + 0.1 * frame["n"] + effect[many] + (frame["few"] == "q") + random.normal(0, 1, count)
    return MixedTable.from_frame(frame, ["x", "n"], ["few", "many"]), (raw > raw.median()).to_numpy(np.int8)


TABLE, Y = rows()
TRAIN, TEST = np.arange(400), np.arange(400, 600)


def frame_of(table):
    """The same columns as a pandas frame with all categories declared, in the order of the matrix."""
    return table.frame()[[*table.schema.numeric, *table.schema.categorical]]


def front_end(train, y, weight=None):
    """xgboost's own classifier, fitted on the frame."""
    model = xgboost.XGBClassifier(
        n_estimators=SETTINGS["rounds"],
        max_depth=SETTINGS["depth"],
        learning_rate=SETTINGS["learning_rate"],
        tree_method="hist",
        enable_categorical=True,
        n_jobs=1,
    )
    return model.fit(frame_of(train), y, sample_weight=weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_booster_is_that_of_a_frame_with_declared_categories(weighted):
    weight = np.random.default_rng(1).uniform(0.5, 3, 400) if weighted else None
    train, test = TABLE.take(TRAIN), TABLE.take(TEST)
    found = boosted_log_odds(train, Y[TRAIN], test, SETTINGS, weight)
    expected = front_end(train, Y[TRAIN], weight).predict(frame_of(test), output_margin=True)
    assert found.dtype == np.float32 and np.allclose(found, expected, atol=1e-6, rtol=0)
    assert ((found > 0) == Y[TEST]).mean() > 0.8


def test_all_else_is_the_library_s_default_as_published():
    table, y = rows(200, 3)
    settings = {"rounds": 100, "depth": 6, "learning_rate": 0.3}
    model = xgboost.XGBClassifier(tree_method="hist", enable_categorical=True, n_jobs=1).fit(frame_of(table), y)
    expected = model.predict(frame_of(table), output_margin=True)
    assert np.allclose(boosted_log_odds(table, y, table, settings), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("categories", [3, 9])
def test_a_category_of_the_test_part_alone_is_no_error_and_goes_where_no_split_lists_it(categories):
    """Whatever the version of xgboost: a tree sends it where it sends the categories that it does not list."""
    table, y = rows(500, 4, categories)
    for absent in range(3):
        kept = table.codes[:, 1] != absent
        train, test = table.take(kept), table.take(np.arange(20))
        test.codes[:, 1] = absent
        found = boosted_log_odds(train, y[kept], test, SETTINGS)
        model = front_end(train, y[kept])
        assert np.allclose(found, model.predict(frame_of(test), output_margin=True), atol=1e-6, rtol=0)
        walked = np.array([sum_of_leaves(model, row) for row in matrix(test)[0]])
        assert np.allclose(found - found[0], walked - walked[0], atol=1e-5, rtol=0)
        assert found.max() - found.min() > 0.5


def sum_of_leaves(model, row):
    """Walk the trees of a model: a category takes "yes" where the split lists it, a number where it is smaller."""
    places = {name: place for place, name in enumerate(model.get_booster().feature_names)}
    total = 0.0
    for tree in model.get_booster().get_dump(dump_format="json"):
        node = json.loads(tree)
        while "leaf" not in node:
            value, condition = row[places[node["split"]]], node["split_condition"]
            taken = value in condition if isinstance(condition, list) else value < np.float32(condition)
            node = next(child for child in node["children"] if child["nodeid"] == node["yes" if taken else "no"])
        total += node["leaf"]
    return total


def test_a_category_that_no_row_has_changes_nothing():
    train, test = TABLE.take(TRAIN), TABLE.take(TEST)
    few, many = TABLE.schema.categories
    wider = replace(TABLE.schema, categories=(few, (*many, "nobody")))
    wide = [MixedTable(wider, part.numeric, part.codes) for part in (train, test)]
    found = boosted_log_odds(train, Y[TRAIN], test, SETTINGS)
    assert np.array_equal(found, boosted_log_odds(wide[0], Y[TRAIN], wide[1], SETTINGS))


def test_codes_are_read_as_they_are_whatever_rows_stand_beside_them():
    train, test = TABLE.take(TRAIN), TABLE.take(TEST)
    whole = boosted_log_odds(train, Y[TRAIN], test, SETTINGS)
    for rows_of in (np.arange(1), np.array([5, 3]), np.flatnonzero(test.codes[:, 1] == test.codes[0, 1])):
        assert np.array_equal(boosted_log_odds(train, Y[TRAIN], test.take(rows_of), SETTINGS), whole[rows_of])
    features, types = matrix(train)
    assert types == ["q", "q", "c", "c"] and features.dtype == np.float32
    assert np.array_equal(features[:, 2:], train.codes)


def test_a_weight_of_two_is_a_row_that_stands_twice():
    """Up to the bins of numbers, whose weighted quantiles are approximate: whole numbers of few values have none."""
    table = MixedTable.from_frame(TABLE.frame(), ["n"], ["few", "many"]).take(TRAIN)
    twice = np.flatnonzero(TABLE.numeric[TRAIN, 1] > 9)
    weight = np.where(TABLE.numeric[TRAIN, 1] > 9, 2.0, 1.0)
    found = boosted_log_odds(table, Y[TRAIN], table, SETTINGS, weight)
    doubled = concatenate([table, table.take(twice)])
    y = np.concatenate([Y[TRAIN], Y[TRAIN][twice]])
    assert np.allclose(found, boosted_log_odds(doubled, y, table, SETTINGS), atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_regression_is_that_of_scikit_learn_s_pipeline(weighted):
    own = adults(200)
    table, y = own.features.take(np.arange(1, 120)), own.y[1:120]  # the rare country is in the test part alone
    table.numeric[:, 2] = 7  # a constant
    test = own.features.take(np.r_[0, 120:200])
    weight = np.random.default_rng(1).uniform(0.5, 3, 119) if weighted else None
    schema = table.schema
    one_hot = OneHotEncoder(categories=[list(values) for values in schema.categories])
    encode = ColumnTransformer([("n", StandardScaler(), [*schema.numeric]), ("c", one_hot, [*schema.categorical])])
    model = make_pipeline(encode, LogisticRegression(max_iter=300))
    test.numeric[:, 2] = 7
    model.fit(frame_of(table), y, logisticregression__sample_weight=weight)
    found = logistic_log_odds(table, y, test, weight)
    assert found.dtype == np.float32
    assert np.allclose(found, model.decision_function(frame_of(test)), atol=1e-4)


def test_probabilities_are_those_of_the_log_odds():
    assert np.allclose(probability(np.array([0, np.log(3), -np.log(3)], np.float32)), [0.5, 0.75, 0.25])
    assert probability(np.float32([0])).dtype == np.float64
