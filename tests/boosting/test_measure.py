"""From predictions to released tables: gaps per split, paired differences, undecided cells, damaged files."""

import numpy as np
import pandas as pd
import pytest

from scripts.boosting.boosting_measure import counts_of, round_metrics, stage_metrics
from scripts.boosting.boosting_two_stages import decide
from scripts.boosting.measures import WORST, measure, probability_gaps
from scripts.boosting.two_stages import ARMS
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS


def test_a_gap_is_taken_per_split_and_averaged_after(measured, written):
    metrics, summary = parquet.read(measured["metrics"], METRICS), parquet.read(measured["summary"])
    own = metrics[(metrics["method"] == "MFBPP") & (metrics["protocol"] == "corrected")]
    own = own[(own["metric"] == "EOdds_max") & (own["subgroup"] == WORST)]
    frame = parquet.read(written["adult.sex-race"]["predictions"])
    by_hand = []
    for run in own["run"]:
        said, worst = frame[frame["run"] == run], []
        for attribute in ("sex", "race"):
            rates = said.groupby(["y_true", attribute])["y_pred"].mean().unstack()
            worst += [abs(rates.loc[y, 1] - rates.loc[y, 0]) for y in (0, 1)]
        by_hand.append(max(worst))
    np.testing.assert_allclose(own["value"], by_hand)
    mean = summary[
        (summary["method"] == "MFBPP") & (summary["protocol"] == "corrected") & (summary["quantity"] == "value")
    ]
    mean = mean[(mean["metric"] == "EOdds_max") & (mean["subgroup"] == WORST)]
    assert mean["value"].item() == pytest.approx(np.mean(by_hand)) and mean["seeds"].item() == 2


def test_differences_are_paired_over_the_splits(measured):
    metrics, findings = (parquet.read(measured[name]) for name in ("metrics", "findings"))
    key = (metrics["metric"] == "EOdds_sum") & (metrics["subgroup"] == WORST) & (metrics["attributes"] == "sex")
    own = metrics[key & (metrics["protocol"] == "as_published")].set_index(["method", "seed"])["value"]
    found = findings[(findings["method"] == "AdaFair minus AdaBoost") & (findings["metric"] == "EOdds_sum")]
    found = found[found["subgroup"] == WORST].set_index("seed")
    for seed in (0, 1):
        assert found.loc[seed, "value"] == pytest.approx(own["AdaFair", seed] - own["AdaBoost", seed])
    assert found["ci_low"].nunique() == 1 and (found["ci_low"] <= found["value"].mean()).all()
    pairs = set(findings["method"])
    assert {"MFBPP minus AdaFair on race", "MFBPP minus AdaBoost", "AdaFair on sex minus AdaBoost"} <= pairs
    assert "AdaFair minus AdaFair (as published)" in pairs


def test_gradient_boosters_show_gaps_of_probabilities_beside_those_of_labels(measured):
    metrics = parquet.read(measured["metrics"])
    own = metrics[metrics["metric"].str.startswith("probability_")]
    assert set(own["method"]) == {"xgboost", "fair xgboost, DP, weight 0.1", "fair xgboost, EO, weight 0.1"}
    y, groups = np.array([0, 1, 1, 0]), np.array([[0], [0], [1], [1]])
    gaps = probability_gaps(np.array([0.1, 0.5, 0.9, 0.4]), y, groups, ("sex",))
    assert gaps["probability_EOpp", "sex"] == pytest.approx(0.4)
    assert gaps["probability_EOdds_max", "sex"] == pytest.approx(0.4)
    assert gaps["probability_SP", "sex"] == pytest.approx(0.35)


def test_a_small_combination_is_undecided_without_an_interval():
    counts = np.full((2, 2, 2, 2), 30)
    counts[0, 0, 1] = [2, 1]
    found = measure(counts[None], ("sex", "race"), 20, 50, [1]).set_index(["metric", "subgroup"])
    row = found.loc[("intersectional_TPR", "combinations")]
    assert np.isnan(row["value"]) and np.isnan(row["ci_low"])
    assert found.loc[("intersectional_TNR", "combinations"), "value"] == 0
    assert found.loc[("tpr", "sex: group 0"), "value"] == pytest.approx(31 / 63)
    twice = measure(np.stack([counts, counts]), ("sex", "race"), 20, 50, [2, 1])
    again = twice[twice["place"] == 1].set_index(["metric", "subgroup"]).drop(columns="place")
    pd.testing.assert_frame_equal(again, found.drop(columns="place"))  # a run's numbers do not depend on its company
    inside = found.dropna()
    assert (inside["ci_low"] <= inside["ci_high"]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="race"), "race"),
        (lambda f: f.assign(y_pred=np.int8(2)), "y_pred holds another value than 0 or 1"),
        (lambda f: f.assign(sex=np.int8(-1)), "sex holds another value than 0 or 1"),
    ],
)
def test_a_damaged_predictions_file_is_named(written, tmp_path, change, message):
    frame = change(parquet.read(written["adult.sex-race"]["predictions"]))
    parquet.write(frame, tmp_path / "bad.parquet")
    with pytest.raises(UserError, match=f"bad.parquet.*{message}.*delete it"):
        counts_of(tmp_path / "bad.parquet", ("sex", "race"))


def test_the_two_stages_end_with_what_the_predictions_say(tmp_path):
    frame = decide(800, 8, [0, 1])
    parquet.write(frame, tmp_path / "p.parquet", PREDICTIONS)
    assert (frame["y_pred"] == (frame["stages"] == 2)).all() and ((frame["score"] > 0) == frame["y_pred"]).all()
    found = stage_metrics(tmp_path / "p.parquet").set_index(["method", "metric"])
    for arm in ARMS:
        own = frame[frame["run"].str.contains(f".{arm}.", regex=False)]
        gaps = [abs(np.diff(part.groupby("first")["y_pred"].mean())[0]) for _, part in own.groupby("run")]
        assert found.loc[(arm, "end_to_end_1"), "value"] == pytest.approx(np.mean(gaps))


def test_the_rounds_in_numbers_put_both_halves_together(measured, written):
    rounds = [round_metrics(parquet.read(paths["rounds"]), parquet.read(paths["runs"])) for paths in written.values()]
    rounds = pd.concat(rounds, ignore_index=True)
    assert set(rounds["part"]) == {"watched", "choice", "report", "test"}
    test = rounds[(rounds["part"] == "test") & (rounds["attributes"] == "sex")]
    assert (test["n"] == 300).all() and test[["error", "balance", "SP"]].notna().all(axis=None)
    masses = pd.read_parquet(measured["masses"])
    sums = masses.groupby(["attributes", "protocol", "method", "round"])["share"].sum()
    np.testing.assert_allclose(sums, 1)
    assert set(masses["attributes"]) == {"sex"}  # the figure of weights draws no combinations
    drawn = parquet.read(measured["rounds"])
    assert set(zip(drawn["attributes"], drawn["part"], strict=True)) == {
        ("sex", "test"),
        ("sex", "watched"),
        ("sex, race", "test"),
    }
    keys = ["attributes", "protocol", "method", "round", "part", "theta"]
    same = drawn.merge(rounds, on=keys, suffixes=("", "_all"))
    assert len(same) == len(drawn) and (same["EOdds_max"] == same["EOdds_max_all"]).all()
