"""Differences of two numbers about the same people, and the claims that state them."""

import numpy as np
import pandas as pd
import pytest

from scripts.claims.claims_file import read_claims
from scripts.claims.measures import measure
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.leakage.audit_run import Settings
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.leakage.gather import gather
from scripts.leakage.leakage_audit import audit
from scripts.leakage.leakage_checks import COLUMNS
from scripts.leakage.leakage_compare import PAIRS, bound_less_prediction, compare, mean_difference
from scripts.leakage.numbers import ATTACK, BOUND, FOREST, PREDICTED
from tests.common.test_config import ROOT
from tests.leakage.synthetic import predictions, write

CLAIMS = ROOT / "scripts/leakage/claims.yaml"
MODELS = ("logistic", "logistic_egd", "logistic_eo_thresholds", "mlp_egd", "mlp_egd_batch_mean")


def model(name, seed, number):
    """Return a run of the study on the people of a seed, with a probability and a vector, in an order of its own."""
    frame = predictions(1200, shift=0.6 + 0.2 * number, seed=seed, run=f"adult.sex.{name}.seed{seed}")
    random = np.random.default_rng([seed, number])
    frame = frame.rename(columns={"group": "sex"}).assign(probability=1 / (1 + np.exp(-frame["score"])))
    frame["y_pred"] = np.where(random.random(len(frame)) < 0.1, 1 - frame["y_pred"], frame["y_pred"]).astype(np.int8)
    frame["vector_0"], frame["vector_1"] = frame["score"], frame["sex"] + random.normal(size=len(frame))
    return frame.sample(frac=1, random_state=number)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return (metrics, comparisons, paths, audit) of five made-up models, two seeds."""
    folder = tmp_path_factory.mktemp("leakage")
    paths = [
        write(folder, pd.concat([model(name, seed, number) for seed in (0, 1)]), "leakage", name)
        for number, name in enumerate(MODELS)
    ]
    audited, asked, _, files = audit(paths, Settings(0, 0.1), [1, 20])
    checks = pd.DataFrame(columns=COLUMNS)
    return gather(audited, asked, files, checks), compare(paths, audited, 0), paths, audited


def test_values_are_exactly_the_differences_of_the_metrics(study):
    metrics, compared, *_ = study
    values = metrics[metrics["metric"] == ATTACK].set_index(["run", "condition"])["value"]
    assert len(compared) == 2 * len(PAIRS)
    for row in compared.itertuples():
        assert row.value == values.loc[(row.run, row.condition)] - values.loc[(row.second_run, row.second_condition)]
        assert row.ci_low < row.value < row.ci_high


def test_the_interval_is_that_of_resampled_people():
    random, n = np.random.default_rng(0), 600
    groups = random.integers(0, 2, n)
    first = (random.random(n) < 0.7).astype(float)
    second = np.where(random.random(n) < 0.8, first, random.random(n))
    value, low, high = mean_difference(first, second, groups)

    def balanced(right, rows):
        return np.mean([right[rows][groups[rows] == g].mean() for g in (0, 1)])

    draws = [random.integers(n, size=n) for _ in range(4000)]
    oracle = np.quantile([balanced(first, rows) - balanced(second, rows) for rows in draws], [0.025, 0.975])
    assert value == pytest.approx(balanced(first, np.arange(n)) - balanced(second, np.arange(n)))
    assert [low, high] == pytest.approx(oracle.tolist(), abs=0.004)


def test_pairing_narrows_the_interval(study):
    metrics, compared, *_ = study
    both = [(ours["condition"], ours["first"], ours["second"]) for ours in compared.to_dict("records")]
    places = [place for place, (what, ours, other) in enumerate(both) if what == BOUND and ours != other]
    assert places
    values = metrics[metrics["metric"] == ATTACK].set_index(["run", "condition"])
    for row in compared.iloc[places].itertuples():
        ends = [values.loc[(run, BOUND)] for run in (row.run, row.second_run)]
        assert row.ci_high - row.ci_low < np.hypot(*(one["ci_high"] - one["ci_low"] for one in ends))


def test_the_odds_formula_takes_many_tables_at_once():
    tables = np.random.default_rng(0).integers(5, 50, (3, 2, 2, 2))
    assert bound_less_prediction(tables).tolist() == [float(bound_less_prediction(table)) for table in tables]


def test_small_groups_and_missing_models_have_no_row(tmp_path, study):
    _, _, paths, audited = study
    assert compare(paths[1:2], audited, 0)["first"].unique().tolist() == ["sex.logistic_egd"]
    frame = predictions(600, share=0.03, run="adult.sex.logistic.seed0").rename(columns={"group": "sex"})
    assert compare([write(tmp_path, frame, "leakage")], audited, 0).empty
    asked_nothing = parquet.read(paths[2]).drop(columns="probability")
    found = compare([write(tmp_path, asked_nothing, "leakage", "quiet")], audited, 0)
    assert found["second_condition"].unique().tolist() == [PREDICTED]


def test_other_test_rows_are_named(tmp_path, study):
    *_, paths, audited = study
    other = parquet.read(paths[2]).assign(row_id=lambda frame: frame["row_id"] + 1)
    with pytest.raises(UserError, match=r"thresholds\.seed0 and adult\.sex\.logistic\.seed0 have other test rows"):
        compare([paths[0], write(tmp_path, other, "leakage")], audited, 0)


def test_every_claim_on_a_difference_has_its_pair(study):
    metrics, compared, *_ = study
    seen = set()
    for claim in read_claims(CLAIMS):
        assert "minus" not in claim["measure"], claim["id"]
        if claim["measure"]["file"] != "comparisons":
            continue
        select = claim["measure"]["select"]
        if select["second_condition"] == FOREST:
            continue  # that of a check
        named = [(select["first"], select["condition"]), (select["second"], select["second_condition"])]
        seen.add(tuple((method.removeprefix("sex."), quantity) for method, quantity in named))
        (method, wanted), (other, minus) = named
        entry = {"select": {"dataset": "AdultCensus", "method": method, "metric": ATTACK, "condition": wanted}}
        entry["minus"] = {"method": other, "condition": minus}
        ours, theirs = measure(compared, claim["measure"], "corrected", ""), measure(metrics, entry, "corrected", "")
        assert (ours.value, ours.seeds, ours.n) == (theirs.value, theirs.seeds, theirs.n)
        assert ours.interval == "sampling error and seeds (Student's t)"
    assert seen == set(PAIRS)


def test_without_the_models_such_claims_are_not_testable(tmp_path, study):
    _, _, _, audited = study
    parquet.write(compare([], audited, 0), tmp_path / "comparisons.parquet", COMPARISONS)
    claim = next(own for own in read_claims(CLAIMS) if own["measure"]["file"] == "comparisons")
    assert "no rows with" in measure(parquet.read(tmp_path / "comparisons.parquet"), claim["measure"], "corrected", "")
