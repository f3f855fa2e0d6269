"""Predictions of several tasks, of more than two classes and of attributes with more than two groups."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.leakage import bounds
from scripts.common.leakage.audit_run import Settings
from scripts.common.schemas.predictions import PREDICTIONS, attributes_of, class_scores, groups_of, write_predictions
from scripts.leakage.leakage_audit import audit
from scripts.leakage.reading import read_predictions
from tests.leakage.synthetic import write

SETTINGS = Settings(0, 0.1)


def classes(n=900, k=3, labels=3, noise=0.0, seed=0, run="wide"):
    """One run whose label is the group, but for a fraction of rows; its class scores give the label."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % k
    y_pred = np.where(random.random(n) < noise, random.integers(labels, size=n), group % labels)
    frame = pd.DataFrame(
        {
            "run": run,
            "row_id": np.arange(n),
            "split": "test",
            "y_true": random.integers(labels, size=n).astype(np.int8),
            "y_pred": y_pred.astype(np.int8),
            "score": np.full(n, np.nan, np.float32),
        }
    )
    logits = random.random((n, labels)) + 2 * np.eye(labels)[y_pred]
    for number in range(labels):
        frame[f"score_{number}"] = logits[:, number].astype(np.float32)
    return frame.assign(group=group.astype(np.int8))


def audited(tmp_path, frame, name="run"):
    return audit([write(tmp_path, frame, name=name)], SETTINGS, [1], 1)


def test_labels_and_scores_that_are_the_group_give_it_away_whole(tmp_path):
    rows, *_ = audited(tmp_path, classes())
    found = rows.set_index("exposure")
    assert set(found["output"]) == {"y_pred", "score_0, score_1, score_2"}
    assert found["attack_ba"].tolist() == [1, 1] and found.loc["label", "bound_label"] == 1
    assert (found["k"] == 3).all() and (found["chance"] == 1 / 3).all() and (found["verdict"] == "leaks").all()
    assert found["label_from_score"].all() and found["dpd"].isna().all()


@pytest.mark.parametrize(("k", "labels"), [(3, 3), (5, 3), (2, 4), (4, 2)])
def test_the_bound_is_the_best_of_all_maps_tried_one_by_one(tmp_path, k, labels):
    frame = classes(k * 160, k, labels, noise=0.7, seed=k)
    if labels == 2:
        frame = frame.drop(columns=["score_0", "score_1"]).assign(score=np.float32(0))
    rows, _, splits, _ = audited(tmp_path, frame)
    judged = frame.set_index("row_id").loc[splits.loc[splits["part"] == "attack test", "row_id"]]
    y, g = judged["y_pred"].to_numpy(), judged["group"].to_numpy()
    reached = [
        np.mean([(np.array(chosen)[y[g == group]] == group).mean() for group in range(k)])
        for chosen in product(range(k), repeat=labels)
    ]
    label = rows[rows["exposure"] == "label"].iloc[0]
    assert label["bound_label"] == pytest.approx(max(reached), abs=1e-12)
    assert label["attack_ba"] <= label["bound_label"] + 1e-12


def test_two_groups_and_several_classes_are_certified_from_rows_alone(tmp_path):
    frame = classes(60_000, 2, 3, noise=1.0)
    label = audited(tmp_path, frame)[0].set_index("exposure").loc["label"]
    assert label["upper_method"] == "Weissman" and label["verdict"] == "certified(0.1)"
    assert label["bound_upper"] >= label["bound_label"]
    random, law, covered = np.random.default_rng(1), np.array([[0.5, 0.4], [0.3, 0.3], [0.2, 0.3]]), 0
    for _ in range(300):
        counts = np.stack([random.multinomial(80, law[:, g]) for g in (0, 1)], axis=1)
        upper = bounds.total_variation(counts) + bounds.binned_error(counts.sum(0), 3)
        covered += upper >= bounds.total_variation(law * 1000)
    assert covered >= 285


def test_every_task_of_a_run_is_audited_by_itself_on_the_same_halves(tmp_path):
    binary = classes(run="multi").drop(columns=["score_0", "score_1", "score_2"])
    smiles = binary.assign(task="smile", y_true=np.int8(1), y_pred=np.int8(1), score=np.float32(1))
    frame = pd.concat([classes(run="multi").assign(task="age"), smiles], ignore_index=True)
    rows, _, splits, files = audited(tmp_path, frame)
    found = rows.set_index(["task", "exposure"])
    assert found.loc[("age", "label"), "attack_ba"] == 1 and found.loc[("age", "score"), "verdict"] == "leaks"
    assert found.loc[("smile", "label"), "attack_ba"] == pytest.approx(1 / 3)
    assert found.loc[("smile", "score"), "output"] == "score"
    assert rows["rows"].nunique() == 1 and len(splits) == 900 and files["runs"].tolist() == [1]


def test_files_without_tasks_and_names_keep_their_bytes(tmp_path):
    frame = classes().drop(columns=["score_0", "score_1", "score_2"]).assign(score=np.float32(0))
    write_predictions(frame, tmp_path / "a.parquet", ["group"])
    parquet.write(frame, tmp_path / "b.parquet", PREDICTIONS, metadata={"attributes": '["group"]'})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_names_of_groups_are_read_back(tmp_path):
    path = tmp_path / "named.parquet"
    write_predictions(classes(), path, {"group": ["women", "men", "Åland"]})
    assert attributes_of(path) == ["group"] and groups_of(path) == {"group": ["women", "men", "Åland"]}
    write_predictions(classes(), path, ["group"])
    assert groups_of(path) == {}
    with pytest.raises(ValueError, match=r"holds the codes 0 .. 2, its groups are"):
        write_predictions(classes(), path, {"group": ["women", "men"]})


def test_a_group_too_small_to_audit_is_called_by_its_name(tmp_path):
    frame = classes(300).drop(columns=["score_0", "score_1", "score_2"]).assign(score=np.float32(0))
    frame = frame[(frame["group"] != 2) | (frame["row_id"] < 30)]
    path = tmp_path / "results/other/predictions/named.parquet"
    write_predictions(frame, path, {"group": ["women", "men", "others"]})
    rows, *_ = audit([str(path)], SETTINGS, [1], 1)
    assert rows["reason"].str.startswith("the smallest group ('others') has 5 of").all()


BAD = {
    "a class left out": (lambda frame: frame.drop(columns="score_1"), r"scores of the classes \[0, 2\]"),
    "two classes": (lambda frame: frame.drop(columns="score_2"), r"scores of the classes \[0, 1\]"),
    "label without score": (lambda frame: frame.assign(y_true=np.int8(3)), "class"),
    "missing score": (lambda frame: frame.assign(score_2=frame["score_2"].where(frame["row_id"] != 4)), "score"),
}


@pytest.mark.parametrize("case", BAD)
def test_class_scores_that_do_not_fit_are_refused(tmp_path, case):
    spoil, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        write_predictions(spoil(classes()), tmp_path / "bad.parquet", ["group"])
    path = tmp_path / "results/other/predictions/bad.parquet"
    parquet.write(spoil(classes()), path, PREDICTIONS, metadata={"attributes": '["group"]'})
    with pytest.raises(UserError, match=words):
        read_predictions(path)


def test_scores_of_two_kinds_in_one_row_and_rows_of_no_task_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not both"):
        write_predictions(classes().assign(score=np.float32(1)), tmp_path / "bad.parquet", ["group"])
    with pytest.raises(ValueError, match="900 rows are of no task"):
        write_predictions(classes().assign(task=None), tmp_path / "bad.parquet", ["group"])
    assert class_scores(["score", "score_hidden", "score_01"]) == []
