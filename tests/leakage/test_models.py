"""The study's own models: the perceptron's gradient, what a method exposes, and that a seed is a seed."""

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.tabular import groups, table_of
from scripts.leakage.leakage_models import predict
from scripts.leakage.methods import METHODS, Task
from scripts.leakage.mlp import Perceptron, sigmoid
from scripts.leakage.words import METHOD_WORDS

SETTINGS = {"rows": None, "epochs": 1, "epsilon": 0.05, "iterations": 3}


@pytest.fixture
def task() -> Task:
    random = np.random.default_rng(0)
    groups = random.integers(2, size=600)
    features = random.normal(size=(600, 4)).astype(np.float32) + groups[:, None]
    labels = (features.sum(1) + random.normal(size=600) > 2).astype(np.int64)
    return Task(features, labels, groups, np.arange(300), 1, SETTINGS)


def test_the_gradient_is_that_of_the_weighted_loss():
    random = np.random.default_rng(1)
    features, labels = random.normal(size=(20, 3)), random.integers(2, size=20).astype(float)
    weights = random.random(20)
    model = Perceptron(0, 0).fit(features, labels)

    def loss() -> float:
        p = sigmoid(model.logits(features))
        return float(-(weights * (labels * np.log(p) + (1 - labels) * np.log(1 - p))).mean())

    gradients = model._gradients(features, labels, weights)
    parts = [part for layer in model.layers for part in layer]
    for part, gradient in zip(parts, gradients, strict=True):
        place = np.unravel_index(abs(gradient).argmax(), gradient.shape)
        kept = part[place]
        part[place] = kept + 1e-6
        above = loss()
        part[place] = kept - 1e-6
        below = loss()
        part[place] = kept
        assert gradient[place] == pytest.approx((above - below) / 2e-6, rel=1e-4)


def test_with_batch_mean_weights_only_the_mean_of_a_batch_counts():
    random = np.random.default_rng(2)
    features, labels = random.normal(size=(100, 3)), random.integers(2, size=100)
    weights = random.random(100)
    plain, proper = Perceptron(2, 0).fit(features, labels), Perceptron(2, 0).fit(features, labels, weights)
    faulty = Perceptron(2, 0, batch_mean_weight=True).fit(features, labels, weights)  # one batch: its mean is 1
    assert np.allclose(faulty.logits(features), plain.logits(features))
    assert not np.allclose(proper.logits(features), plain.logits(features))


@pytest.mark.parametrize("method", METHODS)
def test_a_method_exposes_finite_scores_and_is_repeatable(method, task):
    first, second = METHODS[method](task), METHODS[method](task)
    for ending, exposed in first.items():
        assert method + ending in METHOD_WORDS
        assert set(np.unique(exposed.labels)) <= {0, 1} and np.isfinite(exposed.score).all()
        assert np.array_equal(exposed.labels, second[ending].labels) and np.array_equal(
            exposed.score, second[ending].score
        )
        if "probability" in exposed.further:
            probability = exposed.further["probability"]
            assert ((probability >= 0) & (probability <= 1)).all()
            assert abs(exposed.labels.mean() - probability.mean()) < 0.08  # drawn with these probabilities


@pytest.fixture
def adult(tmp_path) -> str:
    random, table = np.random.default_rng(3), table_of("adult")
    n = 400
    frame = pd.DataFrame({"row_id": np.arange(n), "y": random.integers(2, size=n).astype(np.int8)})
    for name in table.numeric:
        frame[name] = random.normal(size=n)
    for name in table.categorical:
        frame[name] = random.choice(["a", "b"], size=n)
    frame["sex"] = random.choice(["Male", "Female"], size=n)
    frame["race"] = random.choice(["White", "Black", "Other"], size=n)
    parquet.write(frame, tmp_path / "adult.parquet")
    return str(tmp_path / "adult.parquet")


def test_predictions_have_the_schema_and_the_attribute_is_no_feature(adult):
    frame = predict(adult, "adult", "sex", ["logistic"], [0, 1], SETTINGS)
    assert set(frame["run"]) == {"adult.sex.logistic.seed0", "adult.sex.logistic.seed1"}
    assert frame["sex"].dtype == np.int8 and not frame.duplicated(["run", "row_id"]).any()
    assert (frame.groupby("run")["split"].value_counts() == 200).all()
    changed = parquet.read(adult)
    changed["sex"] = changed["sex"].map({"Male": "Female", "Female": "Male"})
    parquet.write(changed, adult)
    other = predict(adult, "adult", "sex", ["logistic"], [0, 1], SETTINGS)
    assert np.array_equal(frame["score"], other["score"]) and np.array_equal(frame["sex"], 1 - other["sex"])


def test_five_races_have_the_codes_of_their_alphabet(adult):
    races = ["Amer-Indian-Eskimo", "Asian-Pac-Islander", "Black", "Other", "White"]
    frame = parquet.read(adult).assign(race=races * 80)
    assert groups(frame, table_of("adult"), "race_five").tolist() == [0, 1, 2, 3, 4] * 80
    parquet.write(frame, adult)
    found = predict(adult, "adult", "race_five", ["logistic"], [0], SETTINGS)
    assert sorted(found["race_five"].unique()) == [0, 1, 2, 3, 4]
    with pytest.raises(UserError, match="no attribute 'race_five'; there are sex, race, race_six"):
        groups(frame, table_of("compas"), "race_five")
