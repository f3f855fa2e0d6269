"""Measures against fairlearn, the choice of the knob, intervals and paired differences."""

import fairlearn.metrics
import numpy as np
import pandas as pd
import pytest
import scipy.stats

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.interval_kinds import BOOTSTRAP, STUDENT
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.tabular import table_of
from scripts.frtrain.choose import DI, GAP, best, choose
from scripts.frtrain.findings import PRINTED, SETTING, at_printed_lambda
from scripts.frtrain.frtrain_fit import group_words
from scripts.frtrain.frtrain_measure import measure_runs
from scripts.frtrain.plan import METHODS, SYNTHETIC_BATCHES, Cell, Plan, cells
from scripts.frtrain.seed_pairs import paired, paired_either, seed_pairs
from tests.common.test_config import merged


def test_measures_are_those_of_fairlearn(small):
    frame = parquet.read(small / "baselines_poisoned.predictions", PREDICTIONS)
    measured = measure_runs(frame, "z", ("0", "1"), 100)
    for run in list(frame["run"].unique())[::7]:
        own = frame[(frame["run"] == run) & (frame["split"] == "test")]
        values = measured[(measured["run"] == run) & (measured["split"] == "test") & (measured["subgroup"] == "all")]
        values = values.set_index("metric")["value"]
        arguments = {"sensitive_features": own["z"]}
        pair = (own["y_true"], own["y_pred"])
        assert values[DI] == pytest.approx(fairlearn.metrics.demographic_parity_ratio(*pair, **arguments))
        assert values[GAP] == pytest.approx(fairlearn.metrics.equalized_odds_difference(*pair, **arguments))
        assert values["accuracy"] == pytest.approx((own["y_true"] == own["y_pred"]).mean())


def test_intervals_hold_their_values(small):
    metrics = parquet.read(small / "metrics.parquet", METRICS)
    own = metrics[(metrics["metric"] == "accuracy") & (metrics["subgroup"] == "all")]
    assert ((own["ci_low"] <= own["value"]) & (own["value"] <= own["ci_high"])).mean() > 0.99
    assert (own["ci_high"] > own["ci_low"]).all()


def test_an_interval_does_not_depend_on_the_runs_measured_beside_it(small):
    frame = parquet.read(small / "baselines_poisoned.predictions", PREDICTIONS)
    last = frame["run"].iloc[-1]
    together = measure_runs(frame, "z", ("0", "1"), 100).query("run == @last")
    alone = measure_runs(frame[frame["run"] == last], "z", ("0", "1"), 100)
    pd.testing.assert_frame_equal(together.reset_index(drop=True), alone)


def test_a_part_without_rows_is_named():
    frame = pd.DataFrame({"run": "a", "split": "test", "y_true": [0, 1], "y_pred": [0, 1], "z": [0, 1]})
    with pytest.raises(UserError, match="no rows in the part valid"):
        measure_runs(frame, "z", ("0", "1"), 100)


def test_the_most_accurate_setting_that_meets_the_demand_is_taken():
    frame = pd.DataFrame({"accuracy": [0.9, 0.8, 0.7], DI: [0.5, 0.8, 0.95], GAP: [0.3, 0.2, 0.05]}, index=[7, 8, 9])
    assert best(frame, "parity") == (8, True)
    assert best(frame, "odds") == (9, True)
    assert best(frame.loc[[7]], "parity") == (7, False)
    assert best(frame.assign(**{DI: [0.5, np.nan, 0.6]}), "parity") == (9, False)


def test_as_published_reads_the_test_rows_and_corrected_the_validation_rows(small):
    choices = parquet.read(small / "choices.parquet", METRICS)
    metrics = parquet.read(small / "metrics.parquet", METRICS)
    assert set(choices["split"]) == {"test"}
    for protocol, split in (("as_published", "test"), ("corrected", "valid")):
        own = choices[(choices["method"] == "FC") & (choices["protocol"] == protocol) & (choices["notion"] == "parity")]
        own = own[(own["labels"] == "clean") & (own["metric"] == "accuracy") & (own["subgroup"] == "all")]
        rows = metrics[(metrics["method"] == "FC") & (metrics["labels"] == "clean") & (metrics["split"] == split)]
        rows = rows[(rows["notion"] == "parity") & (rows["subgroup"] == "all")]
        wide = rows.pivot(index=["run", "knob"], columns="metric", values="value").reset_index()
        place, _ = best(wide, "parity")
        assert own["run"].tolist() == [wide.loc[place, "run"]]


def test_each_protocol_looks_at_its_own_part():
    values = {("valid", 1.0): (0.9, 0.85), ("valid", 2.0): (0.7, 0.85)}
    values |= {("test", 1.0): (0.6, 0.85), ("test", 2.0): (0.8, 0.85)}
    rows = [
        {"run": f"fc{knob:g}", "split": split, "knob": knob, "metric": metric, "value": value}
        for (split, knob), (accuracy, impact) in values.items()
        for metric, value in (("accuracy", accuracy), (DI, impact), (GAP, 0.2))
    ]
    facts = {"dataset": "synthetic", "attributes": "z", "labels": "clean", "method": "FC", "notion": "parity"}
    facts |= {"variant": "standard", "clean_labels": "truth", "seed": 1, "rule": "targeted", "rate": 0.0}
    frame = pd.DataFrame(rows).assign(**facts, clean_rows=200, subgroup="all")
    chosen = choose(frame, {}, {"synthetic": 1}).set_index("protocol")["run"]
    assert chosen.to_dict() == {"as_published": "fc2", "corrected": "fc1"}


def test_the_first_seed_of_as_published_and_all_seeds_of_corrected(small):
    choices = parquet.read(small / "choices.parquet", METRICS)
    own = choices[
        (choices["method"] == "FR-Train") & (choices["variant"] == "standard") & (choices["notion"] == "parity")
    ]
    assert set(own.loc[own["protocol"] == "as_published", "seed"]) == {1}
    assert set(own.loc[own["protocol"] == "corrected", "seed"]) == {1, 2}
    assert set(choices["method"]) == set(METHODS.values())


def test_the_summary_is_the_mean_over_seeds_with_the_interval_of_scipy(small):
    summary, choices = (parquet.read(small / f"{name}.parquet") for name in ("summary", "choices"))
    keys = ["protocol", *SETTING, "metric", "attribute", "subgroup", "condition"]
    assert not summary.duplicated(keys).any() and PRINTED in set(summary["method"])
    own = summary[(summary["method"] == "AD") & (summary["seeds"] == 2)].nlargest(1, "deviation").iloc[0]
    rows = choices[(choices[keys] == own[keys]).all(axis=1)]["value"]
    exact = scipy.stats.ttest_1samp(rows, 0).confidence_interval(0.95)
    assert (own["ci_low"], own["ci_high"]) == pytest.approx((exact.low, exact.high))
    assert (own["value"], own["deviation"]) == pytest.approx((rows.mean(), rows.std(ddof=1)))
    assert (own["lowest"], own["highest"], own["interval"]) == (rows.min(), rows.max(), STUDENT)
    alone = summary[summary["seeds"] == 1]
    assert alone["interval"].isna().all() and alone["ci_low"].isna().all()


def test_differences_are_paired_by_seed():
    ours = pd.DataFrame({"seed": [1, 2, 3], "value": [0.5, 0.6, 0.7], "n": 9})
    other = pd.DataFrame({"seed": [3, 1, 2], "value": [0.6, 0.4, 0.5], "n": [7, 8, 9]})
    found = paired(ours, other)
    assert found["value"].tolist() == pytest.approx([0.1, 0.1, 0.1]) and found["n"].tolist() == [8, 9, 7]
    one = other[other["seed"] == 1]  # one seed stands for all
    assert paired(ours, one)["value"].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert paired(one, ours)["seed"].tolist() == [1]
    turned = paired_either(one, ours)
    assert turned["value"].tolist() == pytest.approx([-0.1, -0.2, -0.3]) and turned["seed"].tolist() == [1, 2, 3]
    assert paired(ours, other.assign(seed=[7, 8, 9])).empty


def test_differences_by_seed_are_those_of_the_measured_runs(small):
    metrics, choices = (parquet.read(small / f"{name}.parquet", METRICS) for name in ("metrics", "choices"))
    printed = {"clean": 0.85, "poisoned": 0.52}
    fixed = at_printed_lambda(metrics, printed)
    found = seed_pairs(metrics, choices, fixed, printed)
    own = found[(found["first"] == "no_weights") & (found["metric"] == "accuracy")]
    values = fixed[(fixed["metric"] == "accuracy") & (fixed["labels"] == "poisoned") & (fixed["subgroup"] == "all")]
    means = values.groupby("variant")["value"].mean()
    assert own["value"].item() == pytest.approx(means["no_weights"] - means["standard"])
    assert (own["second"].item(), own["seeds"].item(), own["interval"].item()) == ("standard", 2, STUDENT)
    assert {"flipped", "50 clean rows", "LR", "no_weights"} <= set(found["first"])
    assert {"unflipped", "200 clean rows", "FR-Train", "standard"} == set(found["second"])


def test_findings_hold_the_fair_seeds_and_the_weight_on_flipped_rows(small):
    findings = parquet.read(small / "findings.parquet", METRICS)
    assert set(findings["metric"]) == {"share_of_fair_seeds", "flipped_weight_mass"}
    fair = findings[findings["metric"] == "share_of_fair_seeds"]
    assert set(fair["condition"]) == {"threshold=0.8"} and fair["value"].isin([0, 0.5, 1]).all()
    assert not findings.duplicated(["dataset", "labels", "method", "notion", "variant", "clean_labels", "protocol",
                                    "metric", "seed", "rule", "rate", "clean_rows"]).any()  # fmt: skip


def test_every_run_says_its_parity_with_an_interval_and_its_groups_by_name(small):
    metrics = parquet.read(small / "metrics.parquet", METRICS)
    parity = metrics[metrics["metric"] == "demographic_parity_difference"]
    assert set(parity["run"]) == set(metrics["run"]) and (parity["attribute"] == "z").all()
    assert (parity["interval"] == BOOTSTRAP).all() and (parity["ci_low"] <= parity["ci_high"]).all()
    assert set(metrics.loc[metrics["metric"] == "selection_rate", "subgroup"]) == {"0", "1"}
    cell = Cell("compas.sex", "clean", "lr", 1)  # a real table's groups have words
    assert group_words(cell) == table_of("compas").attributes["sex"].two_words


@pytest.mark.parametrize("name", ["config.yaml", "config.paper.yaml", "config.test.yaml"])
def test_every_run_has_a_name_of_its_own(name):
    study = merged(name)["frtrain"]
    runs = [cell.run for batch in Plan(study).batches for cell in cells(batch, study)]
    assert len(set(runs)) == len(runs)


def test_a_batch_depends_on_its_own_part_of_the_config_only():
    study = merged("config.yaml")["frtrain"]
    for batch, (_, keys) in SYNTHETIC_BATCHES.items():
        assert cells(batch, {key: study[key] for key in keys}) == cells(batch, study)


def test_predictions_have_the_common_schema_and_an_attribute(small):
    frame = parquet.read(small / "grid_poisoned.predictions", PREDICTIONS)
    assert frame["z"].dtype == np.int8 and set(frame["split"]) == {"valid", "test"}
    assert ((frame["score"] > 0) == (frame["y_pred"] == 1)).all()
