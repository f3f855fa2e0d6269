"""The wrapper of fairlearn's mitigations against fairlearn itself, with two and with three groups; lazy imports."""

import logging
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, ExponentiatedGradient
from sklearn.linear_model import LogisticRegression

from scripts.common.mitigations import (
    CONSTRAINTS,
    fit_reduction,
    reduction_labels,
    reduction_probability,
    threshold_probability,
    warnings_to_log,
)

ROOT = Path(__file__).parents[2]
groups = pytest.mark.parametrize("k", [2, 3])


def people(k: int, n: int = 900):
    random = np.random.default_rng(k)
    group, x = random.integers(0, k, n), random.normal(size=(n, 3))
    y = (x[:, 0] + 1.2 * group / (k - 1) + random.normal(size=n) > 0.6).astype(int)
    return np.column_stack([x, group]), y, group


@groups
def test_the_reduction_is_fairlearns_and_meets_its_constraint(k):
    x, y, group = people(k)
    model = fit_reduction(LogisticRegression(), "demographic_parity", x, y, group, 0.02, 20, 0.02)
    probability = reduction_probability(model, x)
    theirs = ExponentiatedGradient(
        LogisticRegression(), DemographicParity(difference_bound=0.02), eps=0.02, max_iter=20
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(x, y, sensitive_features=group)
        assert np.array_equal(probability, np.clip(theirs._pmf_predict(x)[:, 1], 0, 1))
        assert np.array_equal(reduction_labels(model, x, 7), theirs.predict(x, random_state=7))
    rates = [probability[group == g].mean() for g in range(k)]
    plain = LogisticRegression().fit(x, y).predict(x)
    before = demographic_parity_difference(y, plain, sensitive_features=group)
    assert max(rates) - min(rates) < 0.1 < before


@groups
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_every_constraint_runs_and_gives_probabilities(k, constraint):
    x, y, group = people(k, 300)
    model = fit_reduction(LogisticRegression(), constraint, x, y, group, 0.05, 5)
    probability = reduction_probability(model, x)
    assert probability.shape == (300,) and probability.min() >= 0 and probability.max() <= 1


@groups
@pytest.mark.parametrize("prefit", [False, True])
def test_thresholds_are_fairlearns_and_equalise(k, prefit):
    x, y, group = people(k)
    estimator = LogisticRegression().fit(x, y) if prefit else LogisticRegression()
    settings = {"constraints": "equalized_odds", "objective": "balanced_accuracy_score", "predict_method": "auto"}
    probability = threshold_probability(
        estimator, "equalized_odds", (x, y, group), x, group, "balanced_accuracy_score", prefit
    )
    theirs = ThresholdOptimizer(estimator=estimator, prefit=prefit, **settings)
    theirs.fit(x, y, sensitive_features=group)
    assert np.array_equal(probability, np.clip(theirs._pmf_predict(x, sensitive_features=group)[:, 1], 0, 1))
    drawn = (np.random.default_rng(0).random((50, len(y))) < probability).astype(int)
    gaps = [equalized_odds_difference(y, row, sensitive_features=group) for row in drawn]
    plain = LogisticRegression().fit(x, y).predict(x)
    assert np.mean(gaps) < equalized_odds_difference(y, plain, sensitive_features=group) - 0.05


def test_a_looser_bound_is_passed_on():
    x, y, group = people(2)
    model = fit_reduction(LogisticRegression(), "demographic_parity", x, y, group, 0.2, 20)
    theirs = ExponentiatedGradient(LogisticRegression(), DemographicParity(), eps=0.2, max_iter=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(x, y, sensitive_features=group)
        assert np.array_equal(reduction_probability(model, x), np.clip(theirs._pmf_predict(x)[:, 1], 0, 1))


def test_an_unknown_constraint_is_named():
    x, y, group = people(2, 50)
    with pytest.raises(ValueError, match="unknown constraint 'dp'; choose one of demographic_parity"):
        fit_reduction(LogisticRegression(), "dp", x, y, group, 0.1)


def test_warnings_go_to_the_log_once(caplog):
    with caplog.at_level(logging.INFO), warnings_to_log():
        for _ in range(3):
            warnings.warn("first line\nsecond", UserWarning, stacklevel=1)
    assert [record.getMessage() for record in caplog.records] == ["fairlearn: first line"]


def test_a_job_that_mitigates_nothing_does_not_import_fairlearn():
    code = "import sys, scripts.common.mitigations, scripts.common.log_odds\n"
    code += "print(sorted({'fairlearn', 'sklearn', 'pandas', 'numba'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert ran.stdout.strip() == "[]"
