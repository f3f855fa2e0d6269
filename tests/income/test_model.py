"""Models on shared bins are the library's own, and a fit leaves nothing behind for the next one."""

import pickle

import numpy as np
from xgboost import XGBClassifier

from scripts.income.model import Binned, Classifier, scores

RANDOM = np.random.default_rng(5)
X = np.column_stack([RANDOM.normal(size=(3000, 3)), RANDOM.random((3000, 4)) < 0.3]).astype(np.float32)
Y = (X[:, 0] + X[:, 3] + RANDOM.normal(size=3000) > 0.5).astype(np.int8)
OTHER = (X[:, 1] + RANDOM.normal(size=3000) > 0).astype(np.int8)


def margins(model: XGBClassifier) -> np.ndarray:
    return model.predict(X, output_margin=True)


def test_without_weights_the_trees_are_those_of_the_library():
    rows = Binned(X)
    for labels in (Y, OTHER, Y):  # a fit in between changes nothing
        assert np.array_equal(scores(rows.fit(labels), X), margins(XGBClassifier(nthread=1).fit(X, labels)))


def test_weights_count_and_are_forgotten():
    rows, weights = Binned(X), np.where(X[:, 3] > 0, 5.0, 0.5)
    weighted = scores(rows.fit(Y, weights), X)
    own = margins(XGBClassifier(nthread=1).fit(X, Y, sample_weight=weights))
    assert np.corrcoef(weighted, own)[0, 1] > 0.95
    assert np.array_equal(scores(rows.fit(Y), X), margins(XGBClassifier(nthread=1).fit(X, Y)))
    assert np.abs(weighted - scores(rows.fit(Y), X)).max() > 0.1


def test_a_pickled_classifier_is_fitted_on_the_same_rows():
    Classifier.binned[7] = Binned(X)
    copy = pickle.loads(pickle.dumps(Classifier(7, trees=20)))
    copy.fit(X, Y)
    del Classifier.binned[7]
    own = XGBClassifier(n_estimators=20, nthread=1).fit(X, Y)
    assert np.allclose(copy.predict_proba(X), own.predict_proba(X), atol=1e-6)
    assert np.array_equal(copy.predict(X), own.predict(X))
