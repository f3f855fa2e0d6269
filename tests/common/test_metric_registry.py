"""The vocabulary: metrics.yaml, conditions, kinds of interval, and what writing refuses."""

import importlib
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.common import parquet
from scripts.common.conditions import condition, condition_value, parameters_of
from scripts.common.errors import UserError
from scripts.common.interval_kinds import KINDS, in_words
from scripts.common.metric_registry import PATH, registry
from scripts.common.metrics import FAIRNESS, RATES, balanced_accuracy, count_table, f1_score, signed
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS, select_metric
from scripts.common.scores import brier_score, roc_auc
from scripts.common.yaml_files import check, read_yaml

SCHEMA = PATH.with_name("metrics.schema.yaml")
# metrics of other predictions (under attack or encryption, of an attack, of synthetic rows) by the function of an id
SAME_AS = {
    "robust_accuracy": "accuracy",
    "robust_zero_one_loss": "zero_one_loss",
    "robust_false_negative_rate": "false_negative_rate",
    "robust_false_positive_rate": "false_positive_rate",
    "attack_success_rate": "accuracy",
    "attack_balanced_accuracy": "balanced_accuracy",
    "real_synthetic_roc_auc": "roc_auc",
    "prediction_agreement": "accuracy",
}
OURS = RATES | FAIRNESS | {"balanced_accuracy": balanced_accuracy, "f1_score": f1_score}
OF_SCORES = {"roc_auc": roc_auc, "brier_score": brier_score}
WITH_ORACLE = [name for name, entry in registry().items() if entry["oracle"]]


def function_of(dotted):
    module, name = dotted.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def row(**changes):
    told = {"study": "s", "dataset": "d", "method": "m", "protocol": "corrected", "run": "r", "seed": 1}
    told |= {"split": "test", "attribute": "none", "subgroup": "all", "metric": "accuracy", "condition": ""}
    told |= {"value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "interval": "wilson", "n": 10}
    return pd.DataFrame([told | changes])


def test_the_registry_matches_its_schema():
    check(read_yaml(PATH), read_yaml(SCHEMA), PATH)


def test_an_entry_without_oracle_and_source_is_refused():
    entry = {"title": "abc", "formula": "abc", "range": [0, 1], "better": "lower", "oracle": None}
    with pytest.raises(UserError, match="'source' is a required property"):
        check({"new": entry}, read_yaml(SCHEMA), PATH)


@pytest.mark.parametrize("name", [name for name in WITH_ORACLE if SAME_AS.get(name, name) not in OF_SCORES])
@pytest.mark.parametrize("groups", [2, 4])
def test_each_metric_equals_its_oracle(name, groups):
    random = np.random.default_rng(groups)
    y, group = random.integers(2, size=500), random.integers(groups, size=500)
    predicted = np.where(random.random(500) < 0.6 + 0.1 * (group == 0), y, 1 - y)
    oracle, entry = function_of(registry()[name]["oracle"]), registry()[name]
    counts = count_table(y, predicted, group, sizes=[groups])
    ours = OURS[SAME_AS.get(name, name)]
    if name in FAIRNESS:
        value, expected = ours(counts), oracle(y, predicted, sensitive_features=group)
    else:
        value, expected = ours(counts.sum(0)), oracle(y, predicted)
    assert float(value) == pytest.approx(expected, abs=1e-12)
    low, high = entry["range"]
    assert low <= value <= high


@pytest.mark.parametrize("name", OF_SCORES)
@pytest.mark.parametrize("decimals", [1, 15])  # with and without ties
def test_each_metric_of_scores_equals_its_oracle(name, decimals):
    random = np.random.default_rng(decimals)
    y = random.integers(2, size=500)
    score = (0.7 * random.random(500) + 0.3 * y).round(decimals)
    assert OF_SCORES[name](y, score) == pytest.approx(function_of(registry()[name]["oracle"])(y, score), abs=1e-12)


def test_every_metric_of_tables_and_scores_is_registered():
    assert {*OURS, *OF_SCORES, *(signed(name) for name in RATES)} <= set(registry())


@given(st.dictionaries(st.sampled_from(["attack", "eps", "norm", "queries"]), st.sampled_from(["a b", 3, 0.01, 1e-5])))
def test_a_condition_can_be_taken_apart(parameters):
    text = condition(**parameters)
    assert parameters_of(text) == {k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in parameters.items()}
    assert list(parameters_of(text)) == sorted(parameters)


def test_a_condition_in_examples():
    assert condition(norm="linf", eps=0.01, attack="apgd") == "attack=apgd, eps=0.01, norm=linf"
    assert condition() == "" and condition(queries=None) == ""
    assert condition_value("queries=10", "queries") == "10" and condition_value("", "queries") is None
    with pytest.raises(ValueError, match="no condition"):
        condition(attack="a, b")


@pytest.mark.parametrize(
    "text", ["eps", "eps=", "Eps=1", "eps=1,norm=linf", "norm=linf, eps=1", "a=1, a=2", " ", "a=b=c"]
)
def test_a_malformed_condition_is_refused(text, tmp_path):
    with pytest.raises(ValueError, match="condition"):
        parquet.write(row(condition=text), tmp_path / "m.parquet", METRICS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "acc"}, r"metrics.yaml lacks: \['acc'\]"),
        ({"interval": "sd"}, r"interval_kinds.py lacks: \['sd'\]"),
        ({"attribute": None}, "attribute is missing in 1 rows"),
        ({"interval": None}, "accuracy has an interval of no named kind"),
    ],
)
def test_what_the_vocabulary_lacks_is_not_written(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        parquet.write(row(**changes), tmp_path / "m.parquet", METRICS)
    assert list(tmp_path.iterdir()) == []


def test_metrics_and_comparisons_are_written_and_read(tmp_path):
    parquet.write(row(), tmp_path / "m.parquet", METRICS)
    assert parquet.read(tmp_path / "m.parquet", METRICS)["interval"].tolist() == ["wilson"]
    compared = row(first="a", second="b", paired_by="rows", seeds=1, interval="newcombe").drop(
        columns=["method", "run"]
    )
    parquet.write(pd.concat([compared, compared.assign(seed=None)]), tmp_path / "c.parquet", COMPARISONS)
    assert parquet.read(tmp_path / "c.parquet", COMPARISONS)["seed"].isna().tolist() == [False, True]
    with pytest.raises(ValueError, match=r"paired_by \['people'\]"):
        parquet.write(compared.assign(paired_by="people"), tmp_path / "d.parquet", COMPARISONS)
    with pytest.raises(ValueError, match="lacks"):
        parquet.write(compared.assign(metric="acc"), tmp_path / "d.parquet", COMPARISONS)


def test_a_metric_is_selected_by_attribute_and_condition():
    rows = pd.concat([row(), row(attribute="sex", subgroup="men"), row(condition="images=stamped")])
    assert len(select_metric(rows, "accuracy")) == 1
    assert len(select_metric(rows, "accuracy", "men", attribute="sex")) == 1
    assert len(select_metric(rows, "accuracy", condition="images=stamped")) == 1
    with pytest.raises(UserError, match="no rows of 'accuracy' for attribute 'race', subgroup 'men' in the test split"):
        select_metric(rows, "accuracy", "men", attribute="race")


def test_kinds_in_words():
    assert in_words(pd.Series(["wilson", None, "bootstrap over rows"])) == KINDS["bootstrap over rows"]
    assert in_words("range") == KINDS["range"] and in_words(pd.Series([None, math.nan], dtype=object)) == "no intervals"
    assert in_words(pd.Series(["wilson", "newcombe"])) == "95 % Wilson intervals; 95 % Newcombe intervals"
