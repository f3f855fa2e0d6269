"""Columns as codes, and ensembles that predict identically after a trip through JSON."""

import json

import numpy as np
import pytest

from scripts.boosting import stumps
from scripts.boosting.fair import Settings, fit
from scripts.boosting.stumps import Columns, ensemble_of
from scripts.common.errors import UserError
from tests.boosting.synthetic import CATEGORICAL, NUMERIC, coded, small


def test_a_value_is_coded_by_the_midpoints_of_the_fitted_values():
    frame, _, _ = small(4)
    frame = frame.assign(age=[10, 20, 20, 40], hours=1, job=["a", "b", "b", "c"])
    columns = Columns.fit(frame, NUMERIC, CATEGORICAL)
    assert columns.columns[0].cuts.tolist() == [15, 30] and columns.columns[1].cuts.tolist() == []
    new = frame.assign(age=[15, 15.5, 31, -3], job=["c", "unknown", "a", "b"])
    codes = columns.codes(new)
    assert codes[:, 0].tolist() == [0, 1, 2, 0] and codes[:, 2].tolist() == [2, 3, 0, 1]


def test_a_missing_column_or_number_is_named():
    frame, _, _ = small(20)
    with pytest.raises(UserError, match="the column job is missing"):
        Columns.fit(frame.drop(columns="job"), NUMERIC, CATEGORICAL)
    with pytest.raises(UserError, match="hours holds 1 values that are no numbers"):
        Columns.fit(frame.assign(hours=[None, *frame["hours"][1:]]), NUMERIC, CATEGORICAL)
    with pytest.raises(UserError, match="the model needs the column age"):
        Columns.fit(frame, NUMERIC, CATEGORICAL).codes(frame.drop(columns="age"))


def test_a_saved_ensemble_predicts_identically(tmp_path):
    columns, rows, frame = coded(500, attributes=2)
    ensemble = fit(columns, rows, Settings("DM", 40)).ensemble.first(33)
    stumps.save({"mine": ensemble}, tmp_path / "models.json")
    loaded = stumps.load(tmp_path / "models.json", "mine")
    new, _, _ = small(300, seed=9)  # other people, with ages between the fitted ones and a new category
    new = new.assign(age=new["age"] + 0.5, job=np.where(np.arange(300) % 7, new["job"], "pilot"))
    for people in (frame, new):
        assert loaded.decision(people).tobytes() == ensemble.decision(people).tobytes()
    assert len(loaded) == 33


def test_the_file_is_in_the_words_of_the_table(tmp_path):
    columns, rows, _ = coded(300)
    stumps.save({"a": fit(columns, rows, Settings("none", 5, csb=1)).ensemble}, tmp_path / "m.json")
    content = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    first = content["models"]["a"][0]
    assert first["column"] in [*NUMERIC, *CATEGORICAL] and {first["yes"], first["no"]} <= {0, 1}


@pytest.mark.parametrize(
    ("stump", "message"),
    [
        ({"column": "age", "yes": 1, "no": 0, "weight": 1.0}, "needs column, at_most or equals"),
        ({"column": "age", "at_most": 3, "yes": 2, "no": 0, "weight": 1.0}, "labels, 0 or 1"),
    ],
)
def test_a_damaged_model_is_named(stump, message):
    with pytest.raises(UserError, match=message):
        ensemble_of([stump])


def test_a_file_that_is_none_is_named(tmp_path):
    (tmp_path / "no.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be read as JSON"):
        stumps.load(tmp_path / "no.json", "a")
    (tmp_path / "other.json").write_text('{"format": "x"}', encoding="utf-8")
    with pytest.raises(UserError, match="is no 'counterweight stump ensemble 1' file"):
        stumps.load(tmp_path / "other.json", "a")
    stumps.save({}, tmp_path / "empty.json")
    with pytest.raises(UserError, match="has no model 'a'"):
        stumps.load(tmp_path / "empty.json", "a")
