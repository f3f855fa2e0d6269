"""ONNX says what xgboost says, and the exported file is that of the run that was asked for."""

import json

import numpy as np
import onnx
import pytest
import xgboost

from scripts.boosting import gradient, onnx_export
from scripts.boosting.boosting_onnx import export
from scripts.boosting.onnx_export import probabilities, to_onnx
from scripts.boosting.plan import Plan
from tests.boosting.synthetic import SEVERAL, STUDY


def test_the_exported_booster_gives_the_probabilities_of_xgboost(written, tmp_path):
    study = STUDY | {"files": {}, "datasets": [SEVERAL]}
    (run,) = Plan(study).exported
    assert run == "adult.sex-race.corrected.fair xgboost, EO, weight 0.1.seed0"
    path = written["adult.sex-race"]["gradient"]
    export([path], [run], [str(tmp_path / "m.onnx")])
    booster, model = gradient.load(path, run), onnx.load(tmp_path / "m.onnx")
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(told["features"]) == booster.feature_names and "age" in booster.feature_names
    rows = np.random.default_rng(3).normal(size=(40, booster.num_features())).astype(np.float32)
    rows[:, ::3] = np.nan
    theirs = booster.predict(xgboost.DMatrix(rows, feature_names=booster.feature_names, nthread=1))
    np.testing.assert_allclose(probabilities(model, rows), theirs, atol=1e-6)
    assert theirs.std() > 0


def test_a_converter_that_errs_is_not_believed(written, monkeypatch):
    booster = gradient.load(written["adult.sex"]["gradient"], "adult.sex.corrected.xgboost.seed0")
    monkeypatch.setattr(onnx_export, "probabilities", lambda model, rows: np.full(len(rows), 0.9))
    with pytest.raises(ValueError, match="the ONNX model is off by"):
        to_onnx(booster)
