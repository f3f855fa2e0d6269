import math

import fairlearn.metrics as fair
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scripts.common.errors import UserError
from scripts.common.metrics import (
    FAIRNESS,
    RATES,
    balanced_accuracy,
    by_attribute,
    count_table,
    joint_table,
    signed,
    subgroup_rates,
)
from scripts.common.seeds import seed_from

SEXES = {"men": 1, "women": 0}
tables = hnp.arrays(np.int64, (3, 2, 2), elements=st.integers(0, 6))


def rows(n=400, categories=2, seed=0):
    random = np.random.default_rng(seed)
    group = random.integers(categories, size=n)
    y_true = (random.random(n) < 0.3 + 0.1 * group).astype(int)
    y_pred = (random.random(n) < 0.2 + 0.4 * y_true + 0.1 * group).astype(int)
    return y_true, y_pred, group


def test_exact_small_case():
    # men: 1 true accept, 1 false reject, 2 true reject, 1 false accept; women: 2 true accepts, 1 false accept
    y_true = [1, 1, 0, 0, 0, 1, 1, 0]
    y_pred = [1, 0, 0, 0, 1, 1, 1, 1]
    male = [1, 1, 1, 1, 1, 0, 0, 0]
    counts = count_table(y_true, y_pred, male)
    assert counts.tolist() == [[[0, 1], [0, 2]], [[2, 1], [1, 1]]]
    np.testing.assert_array_equal(count_table(*map(pd.Series, (y_true, y_pred, male))), counts)
    values = subgroup_rates(counts, SEXES)
    assert values["accuracy", "all"] == 5 / 8
    assert values["accuracy", "men"] == 3 / 5
    assert values["zero_one_loss", "women"] == pytest.approx(1 / 3, abs=1e-15)
    assert values[signed("selection_rate"), "all"] == pytest.approx(2 / 5 - 1)
    assert values["false_negative_rate", "men"] == 1 / 2 and values["false_negative_rate", "women"] == 0
    assert values[signed("false_negative_rate"), "all"] == 0.5  # men minus women
    assert values["false_positive_rate", "men"] == pytest.approx(1 / 3) and values["false_positive_rate", "women"] == 1
    assert values["true_negative_rate", "women"] == 0
    assert values["positive_predictive_value", "all"] == 3 / 5
    assert values["prevalence", "men"] == 2 / 5
    assert balanced_accuracy(counts[1]) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_equals_sklearn_and_fairlearn():
    y_true, y_pred, group = rows(categories=3)
    frame = fair.MetricFrame(
        metrics={
            "accuracy": sk.accuracy_score,
            "zero_one_loss": sk.zero_one_loss,
            "selection_rate": fair.selection_rate,
            "false_positive_rate": fair.false_positive_rate,
            "false_negative_rate": fair.false_negative_rate,
            "true_positive_rate": sk.recall_score,
            "true_negative_rate": fair.true_negative_rate,
            "positive_predictive_value": sk.precision_score,
            "prevalence": lambda y, _: np.mean(y),
        },
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=group,
    )
    names = {f"group {code}": code for code in range(3)}
    values = subgroup_rates(count_table(y_true, y_pred, group), names)
    assert set(frame.overall.index) == set(RATES)
    for metric in RATES:
        assert values[metric, "all"] == pytest.approx(frame.overall[metric], abs=1e-12)
        for name, code in names.items():
            assert values[metric, name] == pytest.approx(frame.by_group[metric][code], abs=1e-12)
    assert (signed("accuracy"), "all") not in values  # three groups have no single difference


@pytest.mark.parametrize("categories", [2, 4])
def test_fairness_summaries_equal_fairlearn(categories):
    y_true, y_pred, group = rows(categories=categories, seed=3)
    counts = count_table(y_true, y_pred, group)
    given = {"y_true": y_true, "y_pred": y_pred, "sensitive_features": group}
    oracle = {
        "demographic_parity_difference": fair.demographic_parity_difference(**given),
        "demographic_parity_ratio": fair.demographic_parity_ratio(**given),
        "equal_opportunity_difference": fair.equal_opportunity_difference(**given),
        "equalized_odds_difference": fair.equalized_odds_difference(**given),
    }
    for name, value in oracle.items():
        assert FAIRNESS[name](counts) == pytest.approx(value, abs=1e-12), name
    tpr = fair.MetricFrame(metrics=fair.true_positive_rate, **given).difference()
    fpr = fair.MetricFrame(metrics=fair.false_positive_rate, **given).difference()
    assert FAIRNESS["equalized_odds_sum"](counts) == pytest.approx(tpr + fpr, abs=1e-12)
    assert balanced_accuracy(counts.sum(0)) == pytest.approx(sk.balanced_accuracy_score(y_true, y_pred), abs=1e-12)


def test_undefined_is_nan():
    counts = count_table([0, 0, 1], [0, 1, 1], [1, 1, 0], sizes=[2])
    values = subgroup_rates(counts, SEXES)
    assert math.isnan(values["false_negative_rate", "men"]) and math.isnan(values[signed("true_positive_rate"), "all"])
    assert math.isnan(values["false_positive_rate", "women"])
    assert math.isnan(FAIRNESS["equal_opportunity_difference"](counts))
    assert math.isnan(FAIRNESS["demographic_parity_ratio"](count_table([0, 1], [0, 0], [0, 1])))
    assert all(math.isnan(rate(np.zeros((2, 2), dtype=int))) for rate in RATES.values())


@given(hnp.arrays(np.int64, (5, 3, 2, 2), elements=st.integers(0, 6)))
def test_leading_axes_are_vectorised(counts):
    functions = [*RATES.values(), *FAIRNESS.values(), balanced_accuracy]
    for function in functions:
        np.testing.assert_array_equal(function(counts), [function(table) for table in counts])


@given(tables)
def test_identities(counts):
    rate = {name: rate(counts) for name, rate in RATES.items()}
    np.testing.assert_allclose(
        rate["accuracy"] + rate["zero_one_loss"], np.where(counts.sum((-2, -1)) > 0, 1.0, np.nan)
    )
    np.testing.assert_allclose(rate["true_positive_rate"], 1 - rate["false_negative_rate"])
    np.testing.assert_allclose(rate["true_negative_rate"], 1 - rate["false_positive_rate"])
    larger, total = FAIRNESS["equalized_odds_difference"](counts), FAIRNESS["equalized_odds_sum"](counts)
    assert np.isnan(total) or larger <= total <= 2 * larger


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 3, st.integers(0, 2)), min_size=1, max_size=30))
@settings(max_examples=50)
def test_table_of_two_attributes_holds_every_row(people):
    y_true, y_pred, sex, race = (np.array(column) for column in zip(*people, strict=True))
    counts = count_table(y_true, y_pred, sex, race, sizes=[2, 3])
    assert counts.shape == (2, 3, 2, 2) and counts.dtype == np.int64
    for place in np.ndindex(counts.shape):
        assert counts[place] == sum(place == (s, r, y, p) for y, p, s, r in people)
    np.testing.assert_array_equal(by_attribute(counts, 2, [0]), count_table(y_true, y_pred, sex, sizes=[2]))
    np.testing.assert_array_equal(by_attribute(counts, 2, [1]), count_table(y_true, y_pred, race, sizes=[3]))
    cells = count_table(y_true, y_pred, sex * 3 + race, sizes=[6])
    np.testing.assert_array_equal(by_attribute(counts, 2, [0, 1]), cells)
    np.testing.assert_array_equal(by_attribute(np.stack([counts, counts]), 2, [0, 1]), [cells, cells])


def test_bad_input_is_one_clear_line():
    with pytest.raises(UserError, match="y_true must hold whole numbers from 0 to 1, found -1"):
        count_table([-1, 1], [0, 1], [0, 1])
    with pytest.raises(UserError, match="differ in length"):
        count_table([0, 1], [0, 1, 1], [0, 1])
    with pytest.raises(UserError, match=r"y_pred .* found 0\.5"):
        count_table([0, 1], [0.5, 1], [0, 1])
    with pytest.raises(UserError, match="group 0 must hold whole numbers from 0 to 1, found 2"):
        count_table([0, 1], [0, 1], [0, 2], sizes=[2])
    with pytest.raises(UserError, match="found nan"):
        joint_table({"score": [0.0, math.nan]}, [2])


def test_seeds_depend_on_the_names_alone():
    assert seed_from("a", "bc") != seed_from("ab", "c")
    assert seed_from(7, "run") == seed_from("7", "run")
    assert seed_from("bootstrap", "tradeoffs", 1306) == 1205648481  # the same on every machine
    assert all(0 <= seed_from(k) < 2**31 for k in range(100))
    assert len({seed_from(k) for k in range(1000)}) == 1000
