"""The numbers of an audit: against fairlearn, by hand, and of two predictions."""

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score

from scripts.audits.audit_compare import compare
from scripts.audits.audit_measure import metric_rows
from scripts.audits.findings import findings
from scripts.audits.leaks import leaks
from scripts.audits.measures import measure
from scripts.audits.reading import read_audited, read_second
from scripts.common import parquet
from scripts.common.metrics import RATES
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from tests.audits.made_up import entry, people

RATE_ORACLES = {
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "selection_rate": fairlearn.selection_rate,
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "true_negative_rate": fairlearn.true_negative_rate,
    "false_negative_rate": fairlearn.false_negative_rate,
    "positive_predictive_value": precision_score,
}
DIFFERENCES = {
    "demographic_parity_difference": fairlearn.demographic_parity_difference,
    "demographic_parity_ratio": fairlearn.demographic_parity_ratio,
    "equal_opportunity_difference": fairlearn.equal_opportunity_difference,
    "equalized_odds_difference": fairlearn.equalized_odds_difference,
    "true_negative_rate_difference": fairlearn.true_negative_rate_difference,
}


@pytest.fixture
def audited(tmp_path):
    return read_audited(entry(tmp_path, people(), score="score"))


def measured(audited):
    rows, warnings = measure(audited.y_true, audited.y_pred, audited.codes, audited.groups)
    assert warnings == []
    return rows.set_index(["attribute", "subgroup", "metric"])


def test_every_number_is_fairlearns(audited):
    rows = measured(audited)
    frame = people()
    y, p = (frame["income"] == ">50K").astype(int), (frame["predicted"] == ">50K").astype(int)
    features = {"sex": frame["sex"], "race": frame["race"], "sex x race": frame["sex"] + " x " + frame["race"]}
    for attribute, groups in features.items():
        oracle = fairlearn.MetricFrame(metrics=RATE_ORACLES, y_true=y, y_pred=p, sensitive_features=groups)
        for metric in RATE_ORACLES:
            assert rows.loc[("none", "all", metric), "value"] == pytest.approx(oracle.overall[metric], abs=1e-12)
            for name, value in oracle.by_group[metric].items():
                assert rows.loc[(attribute, name, metric), "value"] == pytest.approx(value, abs=1e-12)
        for metric, function in DIFFERENCES.items():
            value = function(y, p, sensitive_features=groups)
            assert rows.loc[(attribute, "all", metric), "value"] == pytest.approx(value, abs=1e-12)
        sizes = groups.value_counts()
        assert {name: rows.loc[(attribute, name, "accuracy"), "n"] for name in sizes.index} == sizes.to_dict()


def test_every_defined_number_lies_in_an_interval_of_a_named_kind(audited):
    rows = measured(audited)
    assert rows["value"].notna().all() and rows["interval"].notna().all()
    assert (rows["ci_low"] <= rows["value"] + 1e-12).all() and (rows["value"] <= rows["ci_high"] + 1e-12).all()
    signed = rows.loc[("sex", "all", "selection_rate_signed_difference")]
    female, male = (rows.loc[("sex", name, "selection_rate"), "value"] for name in ("Female", "Male"))
    assert signed["value"] == pytest.approx(female - male)
    assert set(RATES) <= set(rows.index.get_level_values("metric"))


def test_a_small_group_is_kept_with_wide_intervals_and_undefined_rates_have_none(tmp_path):
    frame = people(2000)
    frame.loc[:4, ["race", "income", "predicted"]] = ["Other", "<=50K", ">50K"]
    rows = measured(read_audited(entry(tmp_path, frame)))
    other = rows.loc[("race", "Other", "selection_rate")]
    assert other["value"] == 1 and other["n"] == 5 and other["ci_high"] - other["ci_low"] > 0.4
    assert np.isnan(rows.loc[("race", "Other", "true_positive_rate"), "value"])
    gap = rows.loc[("race", "all", "equal_opportunity_difference")]
    assert gap[["value", "ci_low", "ci_high", "interval"]].isna().all()
    parity = rows.loc[("race", "all", "demographic_parity_difference")]
    assert parity["value"] > 0.6 and parity["ci_high"] - parity["ci_low"] > 0.3


def test_three_attributes_give_all_pairs_and_all_together(tmp_path):
    frame = people(1500).assign(region=lambda frame: np.where(frame["person"] % 3, "north", "south"))
    audited = read_audited(entry(tmp_path, frame, attributes=["sex", "race", "region"]))
    names = [*dict.fromkeys(measured(audited).index.get_level_values("attribute"))]
    assert names == [
        "none",
        "sex",
        "race",
        "region",
        "sex x race",
        "sex x region",
        "race x region",
        "sex x race x region",
    ]


def test_too_many_combinations_are_warned_of(tmp_path):
    frame = people(4000)
    frame["a"], frame["b"] = frame["person"] % 61, frame["person"] % 62
    audited = read_audited(entry(tmp_path, frame, attributes=["a", "b"]))
    rows, warnings = measure(audited.y_true, audited.y_pred, audited.codes, audited.groups)
    assert warnings == ["a x b: 3,782 combinations of groups, too many to compare; left out."]
    assert set(rows["attribute"]) == {"none", "a", "b"}


def test_rows_fit_the_schema_and_carry_the_attacks(audited, tmp_path):
    rows, leaking, _ = metric_rows(audited, "people")
    parquet.write(rows, tmp_path / "m.parquet", METRICS)
    read = parquet.read(tmp_path / "m.parquet", METRICS)
    attacks = read[read["metric"] == "attack_balanced_accuracy"].set_index(["attribute", "condition"])["value"]
    assert set(attacks.index) == {(name, f"input={what}") for name in ("sex", "race") for what in ("label", "score")}
    assert attacks["sex", "input=score"] > 0.6
    sex = leaking[(leaking["attribute"] == "sex") & (leaking["exposure"] == "label")].iloc[0]
    assert sex["verdict"] == "leaks" and sex["bound_label"] == pytest.approx((1 + sex["dpd"]) / 2)


def test_leakage_leaves_out_small_groups_by_name_and_needs_two(tmp_path):
    frame = people(800)
    frame.loc[:30, "race"] = "Other"
    frame["rare"] = np.where(frame["person"] < 120, "few", "most")
    audited = read_audited(entry(tmp_path, frame, attributes=["race", "rare"]))
    rows, warnings = leaks(audited, "people", 0)
    assert rows["k"].tolist() == [3] and rows["attribute"].tolist() == ["race"]
    assert "on Other (31); the leakage audit is of the other 3 groups." in warnings[0]
    assert "few (20); the leakage audit is of no group of this attribute." in warnings[1]


def test_differences_of_two_predictions_are_paired_by_rows(tmp_path):
    frame = people()
    frame["other"] = np.where(frame["score"] > 1.0, ">50K", "<=50K")
    settings = entry(tmp_path, frame, compare_prediction="other")
    first = read_audited(settings)
    second = read_second(settings, first)
    rows = compare(first, second, "people", replicates=300)
    parquet.write(rows, tmp_path / "c.parquet", COMPARISONS)
    found = rows.set_index(["attribute", "subgroup", "metric"])
    p, q = first.y_pred, second.y_pred
    selected = found.loc[("none", "all", "selection_rate")]
    assert selected["value"] == pytest.approx(p.mean() - q.mean()) and selected["ci_high"] < 0
    sex = np.array(first.groups["sex"], object)[first.codes["sex"]]
    parity = [fairlearn.demographic_parity_difference(first.y_true, y, sensitive_features=sex) for y in (p, q)]
    gap = found.loc[("sex", "all", "demographic_parity_difference")]
    assert gap["value"] == pytest.approx(parity[0] - parity[1]) and gap["ci_low"] <= gap["value"] <= gap["ci_high"]
    wide = np.sqrt(p.var() / len(p) + q.var() / len(q)) * 2 * 1.96
    assert selected["ci_high"] - selected["ci_low"] < 0.6 * wide  # unpaired it would be as wide
    labels = found.loc[("race", "White", "prevalence")]
    assert labels["value"] == labels["ci_low"] == labels["ci_high"] == 0


def test_a_prediction_compared_with_itself_differs_nowhere(audited):
    rows = compare(audited, audited, "people", replicates=50)
    assert (rows["value"] == 0).all() and (rows[["ci_low", "ci_high"]] == 0).all(axis=None)


def test_findings_name_the_groups_or_say_that_chance_explains_it(tmp_path):
    loud, _, _ = metric_rows(read_audited(entry(tmp_path, people())), "loud")
    said = findings(loud, leaks(read_audited(entry(tmp_path, people())), "loud", 0)[0], None)
    assert said[0].startswith("Of sex, Male are selected in") and "demographic parity difference of 0." in said[0]
    assert any(line.startswith("From the predictions alone sex is guessed") for line in said)
    frame = people().assign(sex=pd.Series(["a", "b"] * 1500), race=pd.Series(["c", "d", "e"] * 1000))
    audited = read_audited(entry(tmp_path, frame))
    rows, leaking, _ = metric_rows(audited, "silent")
    said = findings(rows, leaking, None)
    assert said[0].startswith("No attribute shows a difference in selection that exceeds chance")
    assert said[1].startswith("No attack on these outputs guesses an attribute better than chance")
