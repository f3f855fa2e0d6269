"""From predictions to released tables: gaps per split, paired differences, undecided cells, damaged files."""

import numpy as np
import pandas as pd
import pytest

from scripts.boosting.boosting_measure import counts_of, round_metrics, stage_metrics
from scripts.boosting.boosting_two_stages import decide
from scripts.boosting.measures import WORST, measure, probability_gaps
from scripts.boosting.notions import NEGATIVES, ODDS, ODDS_SUM, OPPORTUNITY, PARITY
from scripts.boosting.two_stages import ARMS
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.interval_kinds import BOOTSTRAP, RESAMPLED_T, STUDENT
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS


def test_a_gap_is_taken_per_split_and_averaged_after(measured, written):
    metrics, summary = parquet.read(measured["metrics"], METRICS), parquet.read(measured["summary"])
    own = metrics[(metrics["method"] == "MFBPP") & (metrics["protocol"] == "corrected")]
    own = own[(own["metric"] == ODDS) & (own["attribute"] == WORST)]
    frame = parquet.read(written["adult.sex-race"]["predictions"])
    by_hand = []
    for run in own["run"]:
        said, worst = frame[frame["run"] == run], []
        for attribute in ("sex", "race"):
            rates = said.groupby(["y_true", attribute])["y_pred"].mean().unstack()
            worst += [abs(rates.loc[y, 1] - rates.loc[y, 0]) for y in (0, 1)]
        by_hand.append(max(worst))
    np.testing.assert_allclose(own["value"], by_hand)
    mean = summary[(summary["method"] == "MFBPP") & (summary["protocol"] == "corrected")]
    mean = mean[(mean["metric"] == ODDS) & (mean["attribute"] == WORST)]
    assert mean["value"].item() == pytest.approx(np.mean(by_hand)) and mean["seeds"].item() == 2


def test_differences_are_paired_over_the_splits(measured):
    metrics, compared = parquet.read(measured["metrics"], METRICS), parquet.read(measured["comparisons"], COMPARISONS)
    key = (metrics["metric"] == ODDS_SUM) & (metrics["attribute"] == "sex") & (metrics["attributes"] == "sex")
    own = metrics[key & (metrics["protocol"] == "as_published")].set_index(["method", "seed"])["value"]
    found = compared[(compared["first"] == "AdaFair") & (compared["second"] == "AdaBoost")]
    found = found[(found["metric"] == ODDS_SUM) & (found["attribute"] == "sex")]
    single = found[found["paired_by"] == "rows"].set_index("seed")
    for seed in (0, 1):
        assert single.loc[seed, "value"] == pytest.approx(own["AdaFair", seed] - own["AdaBoost", seed])
    assert single["interval"].isna().all() and single["ci_low"].isna().all()  # one split has none
    (mean,) = found[found["paired_by"] == "splits"].itertuples()
    assert mean.value == pytest.approx(single["value"].mean()) and mean.ci_low <= mean.value <= mean.ci_high
    assert (mean.interval, mean.seeds) == (RESAMPLED_T, 2) and np.isnan(mean.seed)
    pairs = set(zip(compared["first"], compared["second"], strict=True))
    assert {("MFBPP", "AdaFair on race"), ("MFBPP", "AdaBoost"), ("AdaFair on sex", "AdaBoost")} <= pairs
    assert ("AdaFair", "AdaFair (as published)") in pairs


def test_every_number_has_the_names_of_the_data(measured):
    metrics = parquet.read(measured["metrics"], METRICS)
    assert set(metrics.loc[metrics["attribute"] == "sex", "subgroup"]) == {"all", "women", "men"}
    together = metrics[metrics["attribute"] == "sex x race"]
    assert (together["attributes"] == "sex, race").all() and set(together["subgroup"]) == {"all"}
    assert {PARITY, OPPORTUNITY, "differential_fairness"} <= set(together["metric"])
    one = metrics[metrics["attributes"] == "sex"]  # of one attribute, the worst is that one and is not said twice
    assert set(one["attribute"]) == {"none", "sex"} and (one.groupby(["run", "metric", "subgroup"]).size() <= 2).all()
    parity = one[(one["metric"] == PARITY) & (one["subgroup"] == "all")]
    assert not parity["run"].duplicated().any() and set(parity["run"]) == set(one["run"])
    assert (parity["interval"] == BOOTSTRAP).all()


def test_gradient_boosters_show_gaps_of_probabilities_beside_those_of_labels(measured):
    metrics = parquet.read(measured["metrics"])
    own = metrics[metrics["metric"].str.startswith("probability_")]
    assert set(own["method"]) == {"xgboost", "fair xgboost, DP, weight 0.1", "fair xgboost, EO, weight 0.1"}
    y, groups = np.array([0, 1, 1, 0]), np.array([[0], [0], [1], [1]])
    gaps = probability_gaps(np.array([0.1, 0.5, 0.9, 0.4]), y, groups, ("sex",))
    assert gaps[f"probability_{OPPORTUNITY}", "sex", "all"] == pytest.approx(0.4)
    assert gaps[f"probability_{ODDS}", "sex", "all"] == pytest.approx(0.4)
    assert gaps[f"probability_{PARITY}", "sex", "all"] == pytest.approx(0.35)


def test_a_small_combination_is_undecided_without_an_interval():
    counts = np.full((2, 2, 2, 2), 30)
    counts[0, 0, 1] = [2, 1]
    key, words = ["metric", "attribute", "subgroup"], {"sex": ("women", "men"), "race": ("others", "White")}
    found = measure(counts[None], words, 20, 50, [1]).set_index(key)
    row = found.loc[(OPPORTUNITY, "sex x race", "all")]
    assert np.isnan(row["value"]) and np.isnan(row["ci_low"]) and row["interval"] is None
    assert found.loc[(NEGATIVES, "sex x race", "all"), "value"] == 0
    assert found.loc[("true_positive_rate", "sex", "women"), "value"] == pytest.approx(31 / 63)
    twice = measure(np.stack([counts, counts]), words, 20, 50, [2, 1])
    again = twice[twice["place"] == 1].set_index(key).drop(columns="place")
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
    found = stage_metrics(tmp_path / "p.parquet")
    assert set(found["interval"]) == {STUDENT}
    found = found.set_index(["method", "metric", "attribute", "condition"])
    for arm in ARMS:
        own = frame[frame["run"].str.contains(f".{arm}.", regex=False)]
        gaps = [abs(np.diff(part.groupby("first")["y_pred"].mean())[0]) for _, part in own.groupby("run")]
        assert found.loc[(arm, PARITY, "first", ""), "value"] == pytest.approx(np.mean(gaps))


def test_the_rounds_in_numbers_put_both_halves_together(measured, written):
    rounds = [round_metrics(parquet.read(paths["rounds"]), parquet.read(paths["runs"])) for paths in written.values()]
    rounds = pd.concat(rounds, ignore_index=True)
    assert set(rounds["part"]) == {"watched", "choice", "report", "test"}
    test = rounds[(rounds["part"] == "test") & (rounds["attributes"] == "sex")]
    assert (test["n"] == 300).all() and test[["zero_one_loss", "balance", PARITY]].notna().all(axis=None)
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
    assert len(same) == len(drawn) and (same[ODDS] == same[f"{ODDS}_all"]).all()
