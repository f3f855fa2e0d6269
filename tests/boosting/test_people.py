"""The data as this study sees them, and all arms of a small split."""

import numpy as np
import pytest

from scripts.boosting import stumps
from scripts.boosting.boosting_fit import fit_cell, write_cell
from scripts.boosting.names import MORE_ATTRIBUTES
from scripts.boosting.people import OWN_ATTRIBUTES, people, split
from scripts.boosting.plan import Plan
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.leakage.reading import read_predictions
from tests.boosting.synthetic import ONE, SEVERAL, STUDY, adult_table


def test_every_arm_and_split_is_a_run_with_all_test_rows(written):
    for cell, rows in (("adult.sex", 300), ("adult.sex-race", 240)):
        frame, runs = (parquet.read(written[cell][kind]) for kind in ("predictions", "runs"))
        assert set(frame["run"]) == set(runs["run"]) and (frame.groupby("run").size() == rows).all()
        assert runs.groupby(["protocol", "method"])["seed"].nunique().eq(2).all()
        assert (runs["theta"].dropna() <= runs["rounds"].dropna()).all()
    methods = set(parquet.read(written["adult.sex-race"]["runs"])["method"])
    assert {"AdaFair on sex", "AdaFair on race", "AdaFair on the cell", "MFBPP", "MFBPP by preference"} <= methods


def test_the_audit_of_leakage_reads_the_predictions_and_their_attributes(written):
    found = read_predictions(written["adult.sex-race"]["predictions"])
    assert found.groups == {"sex": 2, "race": 2}
    drawn = found.frame.groupby("run")["probability"].agg(["count", "size"])
    assert set(drawn.index[drawn["count"] > 0].str.split(".").str[3]) == {
        "exponentiated gradient",
        "thresholds per group",
    }
    assert drawn["count"].isin([0, 240]).all()


def test_a_saved_model_gives_the_saved_predictions(written):
    frame, table = parquet.read(written["adult.sex"]["predictions"]), adult_table()
    for run in ("adult.sex.as_published.AdaFair.seed1", "adult.sex.corrected.AdaFair.seed0"):
        own = frame[frame["run"] == run]
        loaded = stumps.load(written["adult.sex"]["stumps"], run)
        votes = loaded.decision(table.set_index("row_id").loc[own["row_id"]].reset_index())
        assert (votes.astype(np.float32) == own["score"].to_numpy()).all() and ((votes > 0) == own["y_pred"]).all()


def test_the_rounds_hold_the_chosen_one(written):
    rounds = parquet.read(written["adult.sex-race"]["rounds"])
    assert set(rounds["part"]) == {"watched", "choice", "report"}
    frame = parquet.read(written["adult.sex-race"]["predictions"])
    for method in ("MFBPP", "AdaFair on race"):
        own = rounds[
            (rounds["method"] == method) & (rounds["protocol"] == "as_published") & (rounds["round"] == rounds["theta"])
        ]
        counts = np.sum(own.loc[own["part"] != "watched", "counts"].to_numpy(), axis=0).reshape(2, 2, 2, 2)
        said = frame[frame["run"] == f"adult.sex-race.as_published.{method}.seed0"]
        assert counts[..., 1].sum() == said["y_pred"].sum() and counts.sum() == 240
    assert rounds.loc[rounds["part"] == "choice", "counts"].map(sum).eq(120).all()


def test_a_cell_repeats_its_bytes(written, tmp_path):
    again = {kind: str(tmp_path / f"predictions/{kind}") for kind in written["adult.sex"]}
    parquet.write(adult_table(), tmp_path / "adult.parquet")
    write_cell(str(tmp_path / "adult.parquet"), ONE, STUDY, again)
    for kind, path in again.items():
        with open(path, "rb") as mine, open(written["adult.sex"][kind], "rb") as first:  # noqa: PTH123
            assert mine.read() == first.read(), kind


def test_a_split_keeps_the_share_of_labels_and_depends_on_its_name_alone():
    y = np.repeat([0, 1], [300, 100]).astype(np.int8)
    train, test = split(y, "adult", 0.6, 3)
    assert len(train) == 240 and y[train].mean() == y[test].mean() == 0.25
    assert not set(train) & set(test) and (split(y, "adult", 0.6, 3)[0] == train).all()
    assert not np.array_equal(split(y, "adult", 0.6, 4)[0], train)
    with pytest.raises(UserError, match="adult: 3 rows cannot be split by label"):
        split(np.array([0, 0, 1]), "adult", 0.5, 0)


def test_own_attributes_know_who_is_protected():
    frame = adult_table(50).drop(columns="y").assign(age=[25, 26, 59, 60, 40] * 10, marital=["married", "single"] * 25)
    extra = {name: "x" for name in ("job", "education", "default", "housing", "loan", "contact", "month", "poutcome")}
    numbers = {name: 1 for name in ("balance", "day", "duration", "campaign", "pdays", "previous")}
    bank = people(frame.assign(**extra, **numbers, y=[0, 1] * 25), "bank", ["marital", "age"])
    assert bank.groups[:5, 1].tolist() == [0, 1, 1, 0, 1] and bank.groups[:2, 0].tolist() == [0, 1]
    assert bank.words["marital"] == ("married", "not married")


@pytest.mark.parametrize(
    ("change", "attributes", "message"),
    [
        (lambda f: f.assign(y=1), ["sex"], "adult: all 600 rows have the label 1"),
        (lambda f: f.assign(y=f["y"] + 1), ["sex"], "y holds 2, expected 0 or 1"),
        (lambda f: f.assign(sex="Male"), ["sex"], "the group 'women' of sex has no rows"),
        (lambda f: f, ["height"], "no attribute 'height'; there are sex, race"),
        (lambda f: f.drop(columns="age"), ["sex"], "the column age is missing"),
        (lambda f: f.assign(age=None), ["sex"], "age is missing in 600 rows"),
    ],
)
def test_data_that_cannot_be_used_are_refused_in_one_line(change, attributes, message):
    with pytest.raises(UserError, match=message):
        people(change(adult_table()), "adult", attributes)


def test_a_wrong_preference_ends_before_anything_is_fitted():
    study = STUDY | {"preferences": {"adult": [0.5, 0.5, 0.5]}}
    with pytest.raises(UserError, match="adult: preference weights must sum to 1"):
        fit_cell(adult_table(), ONE, study)


def test_a_split_that_cannot_be_fitted_is_named():
    table = adult_table(40).assign(sex=["Female"] * 3 + ["Male"] * 37)
    with pytest.raises(UserError, match=r"adult.sex, split \d: (group 0 of )?attribute 1"):
        fit_cell(table, ONE, STUDY)


def test_a_data_set_without_its_file_stays_out():
    entries = [{"table": "bank", "attributes": ["marital"], "most_rows": None}, SEVERAL]
    study = {"files": {"bank": ""}, "datasets": entries}
    assert list(Plan(study).cells) == ["adult.sex-race"]
    there = Plan(study | {"files": {"bank": "~/bank.zip"}})
    assert list(there.cells) == ["bank.marital", "adult.sex-race"]
    assert there.tables == ["bank", "adult"]


def test_the_config_may_name_every_attribute_that_there_is():
    named = {(table, attribute) for table, own in MORE_ATTRIBUTES.items() for attribute in own}
    assert named == set(OWN_ATTRIBUTES)
