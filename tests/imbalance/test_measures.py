"""Every number of a run against fairlearn and scikit-learn, and the finding on the published column "ROC AUC"."""

import fairlearn.metrics as fair
import numpy as np
import pytest
from sklearn import metrics as sk

from scripts.common.schemas.metrics import EVERYONE, NO_ATTRIBUTE
from scripts.imbalance.classifier import probability
from scripts.imbalance.measures import GAPS, GROUP_RATES, OF_SPLITS, measure

NAMES = {2: ["women", "men"], 4: ["women, others", "women, White", "men, others", "men, White"]}


def people(groups, rows=400, seed=0):
    random = np.random.default_rng(seed)
    group = random.integers(0, groups, rows).astype(np.int8)
    score = random.normal(0.3 * group - 0.5, 1, rows).astype(np.float32)
    y = (score + random.normal(0, 1, rows) > 0).astype(np.int8)
    return y, (score > 0).astype(np.int8), score, group


@pytest.fixture(params=[2, 4])
def run(request):
    y, guessed, score, group = people(request.param)
    names = NAMES[request.param]
    return (
        (y, guessed, score, group),
        names,
        measure(y, guessed, score, group, names, "people").set_index(["attribute", "subgroup", "metric"]),
    )


def test_gaps_are_those_of_fairlearn(run):
    (y, guessed, _, group), _, found = run
    given = {"y_true": y, "y_pred": guessed, "sensitive_features": group}
    rates = fair.MetricFrame(
        metrics={"tpr": fair.true_positive_rate, "fpr": fair.false_positive_rate}, **given
    ).difference(method="between_groups")
    expected = {
        "demographic_parity_difference": fair.demographic_parity_difference(**given),
        "demographic_parity_ratio": fair.demographic_parity_ratio(**given),
        "equal_opportunity_difference": fair.equal_opportunity_difference(**given),
        "equalized_odds_difference": fair.equalized_odds_difference(**given),
        "equalized_odds_sum": rates["tpr"] + rates["fpr"],
    }
    assert set(expected) == set(GAPS)
    for name, value in expected.items():
        row = found.loc["people", EVERYONE, name]
        assert row["value"] == pytest.approx(value, abs=1e-12)
        assert row["ci_low"] <= row["value"] <= row["ci_high"]


def test_rates_of_every_group_are_those_of_fairlearn(run):
    (y, guessed, _, group), names, found = run
    functions = {
        "selection_rate": fair.selection_rate,
        "true_positive_rate": fair.true_positive_rate,
        "false_positive_rate": fair.false_positive_rate,
        "accuracy": sk.accuracy_score,
    }
    assert set(functions) == set(GROUP_RATES)
    by_group = fair.MetricFrame(metrics=functions, y_true=y, y_pred=guessed, sensitive_features=group).by_group
    for code, group_name in enumerate(names):
        for name in functions:
            assert found.loc["people", group_name, name]["value"] == pytest.approx(by_group[name][code], abs=1e-12)


def test_numbers_of_everyone_are_those_of_scikit_learn(run):
    (y, guessed, score, _), _, found = run
    expected = {
        "accuracy": sk.accuracy_score(y, guessed),
        "selection_rate": guessed.mean(),
        "balanced_accuracy": sk.balanced_accuracy_score(y, guessed),
        "f1_score": sk.f1_score(y, guessed),
        "roc_auc": sk.roc_auc_score(y, score),
        "brier_score": sk.brier_score_loss(y, probability(score)),
    }
    everyone = found.loc[NO_ATTRIBUTE].droplevel("subgroup")
    assert set(everyone.index) == set(expected) and (everyone["n"] == 400).all()
    for name, value in expected.items():
        assert everyone.loc[name, "value"] == pytest.approx(value, abs=1e-12)
    assert not found.index.duplicated().any()
    assert set(OF_SPLITS) <= set(found.index.get_level_values("metric"))


def test_the_published_roc_auc_of_hard_labels_is_balanced_accuracy(run):
    """The published code gives labels for scores: what it prints is (TPR + TNR) / 2, and not this study's AUC."""
    (y, guessed, _, _), _, found = run
    balanced = found.loc[NO_ATTRIBUTE, EVERYONE, "balanced_accuracy"]["value"]
    assert sk.roc_auc_score(y, guessed) == pytest.approx(balanced, abs=1e-12)
    assert found.loc[NO_ATTRIBUTE, EVERYONE, "roc_auc"]["value"] > balanced + 0.02


def test_a_group_without_a_positive_leaves_the_gaps_of_its_rates_undefined_and_no_others():
    y, guessed, score, group = people(2)
    y[group == 0] = 0
    found = measure(y, guessed, score, group, NAMES[2], "sex")
    own = found[found["attribute"] == "sex"].set_index(["subgroup", "metric"])["value"]
    gaps = own.loc[EVERYONE]
    undefined = {"equal_opportunity_difference", "equalized_odds_difference", "equalized_odds_sum"}
    assert set(gaps.index[gaps.isna()]) == undefined and np.isnan(own["women", "true_positive_rate"])


def test_a_group_that_no_test_row_is_of_is_no_error():
    y, guessed, score, _ = people(2)
    found = measure(y, guessed, score, np.ones(400, np.int8), NAMES[2], "sex").set_index(["subgroup", "metric"])
    assert np.isnan(found.loc[(EVERYONE, "demographic_parity_difference"), "value"])
    assert found.loc[("women", "selection_rate"), "n"] == 0
