"""The audit from files to verdicts."""

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.leakage.audit_run import COLUMNS, Settings
from scripts.common.schemas.metrics import METRICS
from scripts.leakage import leakage_audit
from scripts.leakage.gather import gather
from scripts.leakage.leakage_audit import BrokenIdentity, audit, check, overlaps, weaker_than_label
from scripts.leakage.leakage_checks import COLUMNS as CHECKS
from scripts.leakage.numbers import ATTACK, BEST, BOUND, SCORE
from scripts.leakage.numbers import asked as asked_condition
from scripts.leakage.queries import query_rows
from tests.leakage.synthetic import predictions, write

SETTINGS = Settings(0, 0.1)


def run(tmp_path, *frames, **more):
    paths = [write(tmp_path, frame, name=f"run{number}") for number, frame in enumerate(frames)]
    return audit(paths, more.get("settings", SETTINGS), [1, 5], 1)


def test_a_leaking_model_leaks_and_a_silent_one_does_not(tmp_path):
    rows, _, _, _ = run(tmp_path, predictions(run="loud"), predictions(8000, shift=0, run="silent", seed=3))
    found = rows.set_index(["run", "exposure"])
    assert list(rows.columns) == list(COLUMNS)
    assert found.loc[("loud", "score"), "verdict"] == found.loc[("loud", "label"), "verdict"] == "leaks"
    assert found.loc[("silent", "label"), "verdict"] == "certified(0.1)"
    assert found.loc[("silent", "score"), "verdict"] != "leaks"
    assert (found["p_holm"] >= found["p_value"]).all()
    # N(0, 1) against N(1, 1): at most Phi(0.5) = 0.691
    assert 0.64 < found.loc[("loud", "score"), "attack_ba"] < 0.72


def test_label_rows_equal_their_bound_or_a_flip(tmp_path):
    rows, *_ = run(tmp_path, *(predictions(400, shift=0.1 * n, seed=n, run=f"r{n}") for n in range(8)))
    labels = rows[rows["exposure"] == "label"]
    for row in labels.itertuples():
        assert min(abs(row.attack_ba - value) for value in (row.bound_label, 1 - row.bound_label, 0.5)) <= 1e-12
        assert row.bound_label == pytest.approx((1 + row.dpd) / 2, abs=1e-12)


def test_a_tiny_group_is_kept_and_undecided(tmp_path):
    rows, *_ = run(tmp_path, predictions(600, share=0.03))
    assert (rows["verdict"] == "undecided").all() and rows["reason"].str.contains("fewer than 30").all()
    assert rows["attack_ba"].isna().all() and len(rows) == 2


def test_a_group_that_only_training_rows_have_is_undecided(tmp_path):
    frame = predictions(600)
    frame.loc[frame["split"] == "test", "group"] = np.int8(0)
    rows, *_ = run(tmp_path, frame)
    assert (rows["verdict"] == "undecided").all() and (rows["n_test_min_group"] == 0).all()


def test_every_exposed_output_has_its_own_row(tmp_path):
    frame = predictions(2000)
    frame["score_hidden"] = frame["group"] + np.random.default_rng(0).normal(0, 0.3, len(frame))
    frame["vector_0"], frame["vector_1"] = frame["score"], frame["score_hidden"]
    rows, *_ = run(tmp_path, frame)
    found = rows.set_index("output")["attack_ba"]
    assert set(found.index) == {"y_pred", "score", "score_hidden", "vector_0, vector_1"}
    assert found["score_hidden"] > 0.9 and found["vector_0, vector_1"] > 0.9 and found["score"] < 0.75


def test_predictions_without_a_vector_get_no_vector_row(tmp_path):
    rows, *_ = run(tmp_path, predictions(600))
    assert set(rows["exposure"]) == {"label", "score"}


def test_parts_do_not_overlap_and_are_the_same_for_the_same_people(tmp_path):
    first, second = predictions(800, run="a"), predictions(800, run="b", shift=0.3)
    rows, _, splits, _ = run(tmp_path, pd.concat([first, second]).sample(frac=1, random_state=0))
    assert rows["rows"].nunique() == 1 and overlaps(splits) == []
    parts = splits.set_index("row_id")["part"]
    assert (parts[first.loc[first["split"] == "train", "row_id"]] == "target training").all()
    assert set(parts) == {"target training", "attack training", "attack test"}
    twice = pd.concat([splits, splits.head(1)])
    assert overlaps(twice) == [splits["rows"].iloc[0]]


def test_more_groups_and_more_labels(tmp_path):
    frame, random = predictions(4000), np.random.default_rng(1)
    frame["group"] = random.integers(4, size=len(frame)).astype(np.int8)
    frame["y_pred"] = ((frame["group"] + random.integers(2, size=len(frame))) % 3).astype(np.int8)
    rows, *_ = run(tmp_path, frame)
    label = rows[rows["exposure"] == "label"].iloc[0]
    assert label["k"] == 4 and label["chance"] == 0.25 and np.isnan(label["dpd"])
    assert label["attack_ba"] <= label["bound_label"] + 1e-12 and label["verdict"] == "leaks"


def test_a_broken_identity_fails_the_rule(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.common.leakage.identities.parity_gap", lambda counts: 0.123)
    with pytest.raises(BrokenIdentity, match=r"other/made\.up, group"):
        run(tmp_path, predictions(600))


def test_a_weak_attack_on_a_score_fails_the_rule(tmp_path, monkeypatch):
    rows, _, splits, _ = run(tmp_path, predictions(4000))
    assert weaker_than_label(rows) == []
    weak = rows.assign(broken="")
    weak.loc[weak["exposure"] == "score", ["attack_ba", "ba_lo", "ba_hi"]] = [0.51, 0.49, 0.53]
    assert len(weaker_than_label(weak)) == 1
    with pytest.raises(BrokenIdentity, match="too weak"):
        check(weak, splits)


def test_the_result_does_not_depend_on_the_number_of_jobs(tmp_path):
    paths = [write(tmp_path, predictions(600, seed=n, run=f"r{n}"), name=f"run{n}") for n in range(2)]
    one, two = (audit(paths, SETTINGS, [1], jobs)[0] for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_of_many_runs_of_another_study_some_are_audited_and_all_are_counted(tmp_path):
    frame = pd.concat([predictions(300, seed=n, run=f"r{n}") for n in range(5)], ignore_index=True)
    paths = [write(tmp_path, frame, study="income"), write(tmp_path, frame, study="leakage")]
    rows, _, _, files = audit(paths, SETTINGS, [1], 1, most=2)
    assert rows.groupby("study")["run"].nunique().to_dict() == {"income": 2, "leakage": 5}
    assert files["held"].tolist() == [5, 5] and sorted(files["runs"]) == [2, 5]
    everything, *_ = audit(paths[:1], SETTINGS, [1], 1)
    assert everything["run"].nunique() == 5


def test_repeated_queries_find_what_one_label_hides(tmp_path):
    """The exact example X9 as a sample: halves of .2 and .6 against .4."""
    frame = predictions(8000)
    uneven = np.where(np.random.default_rng(9).random(8000) < 0.5, 0.2, 0.6)
    frame["probability"] = np.where(frame["group"] == 0, uneven, 0.4)
    random = np.random.default_rng(0)
    frame["y_pred"] = (random.random(8000) < frame["probability"]).astype(np.int8)
    frame["row_id"] = random.permutation(8000)
    _, asked, _, _ = audit([write(tmp_path, frame)], SETTINGS, [1, 2, 20], 1)
    best = asked.set_index("queries")["best"]
    assert (
        abs(best[1] - 0.5) < 0.02
        and best[2] == pytest.approx(0.54, abs=0.02)
        and best[20] == pytest.approx(0.764, abs=0.02)
    )
    assert (asked["attack_ba"] <= asked["best"] + 1e-12).all()


def test_an_attack_with_queries_is_the_mean_over_draws():
    random = np.random.default_rng(2)
    groups = np.arange(400) % 2
    probability = np.where(groups == 1, 0.7, 0.3) + random.normal(0, 0.05, 400)
    halves = leakage_audit.split_rows(np.arange(400), groups, np.arange(400), 0, "x")
    row = query_rows(probability, groups, 2, halves, [3])[0]
    ones = random.binomial(3, probability[halves.judge], size=(4000, len(halves.judge)))
    guessed = (ones >= 2).astype(int)
    group = groups[halves.judge]
    mean = np.mean([(guessed[:, group == g] == g).mean() for g in (0, 1)])
    assert row["attack_ba"] == pytest.approx(mean, abs=0.01)


def test_numbers_are_gathered_in_the_schema(tmp_path):
    frame = predictions(2000, run="adult.sex.logistic.seed3").rename(columns={"group": "sex"})
    frame["probability"] = 0.5
    rows, asked, _, files = audit([write(tmp_path, frame, study="leakage")], SETTINGS, [1], 1)
    checks = pd.DataFrame(
        [("simulated", "law", "corrected", 0, "group", ATTACK, SCORE, 0.6, 0.5, 0.7, "newcombe", 10)], columns=CHECKS
    )
    metrics = gather(rows, asked, files, checks)
    parquet.write(metrics, tmp_path / "metrics.parquet", METRICS)
    own = metrics[metrics["method"] == "sex.logistic"]
    assert set(own["dataset"]) == {"AdultCensus"} and set(own["seed"]) == {3}
    assert {BOUND, SCORE, asked_condition(1), BEST} <= set(own.loc[own["metric"] == ATTACK, "condition"])
    assert set(own.loc[own["metric"] == ATTACK, "attribute"]) == {"sex"}
    parity = own[own["metric"] == "demographic_parity_difference"]
    assert parity[["attribute", "subgroup", "interval"]].values.tolist() == [["sex", "all", "newcombe"]]
    assert metrics.loc[metrics["condition"] == "verdict=leaks", "value"].item() == 2
