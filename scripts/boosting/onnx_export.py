"""A fair gradient booster for other runtimes: ONNX by onnxmltools, checked against xgboost before it is written.

The input `features` is float32 [n, d], by the shared encoder, with an unset column (a category that a person does not
have) as nan, not 0: the boosters were fitted that way. The outputs are the label and the probabilities of both labels.
The names of the columns stand in the file's metadata. Ensembles of stumps have no converter; their JSON is in the words
of the table.
"""

import json

import numpy as np
import onnx
import xgboost
from onnx.reference import ReferenceEvaluator
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

TOLERANCE = 1e-5
ROWS_CHECKED = 16


def to_onnx(booster: xgboost.Booster) -> onnx.ModelProto:
    """Return the booster as an ONNX model; the booster itself is left as it is.

    Raises:
        ValueError: the ONNX model says something else than xgboost, a fault of a converter.
    """
    names, width = booster.feature_names, booster.num_features()
    unnamed = booster.copy()
    unnamed.feature_names = None  # the converter knows columns by number only
    model = convert_xgboost(unnamed, initial_types=[("features", FloatTensorType([None, width]))])
    onnx.helper.set_model_props(model, {"features": json.dumps(names), "unset": "nan"})
    rows = np.random.default_rng(0).normal(size=(ROWS_CHECKED, width)).astype(np.float32)
    rows[np.random.default_rng(1).random(rows.shape) < 0.5] = np.nan
    off = np.abs(probabilities(model, rows) - unnamed.predict(xgboost.DMatrix(rows, nthread=1))).max()
    if off > TOLERANCE:
        raise ValueError(f"the ONNX model is off by {off:.1e} in probability")
    return model


def probabilities(model: onnx.ModelProto, rows: np.ndarray) -> np.ndarray:
    """Return the probability of label 1, float [n], by ONNX's own reference runtime (slow; for checks)."""
    _, both = ReferenceEvaluator(model).run(None, {"features": rows})
    return np.asarray(both)[:, 1]
