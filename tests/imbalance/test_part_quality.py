"""Quality of synthetic rows of a part, and means over parts."""

import math

import numpy as np
import pytest

from scripts.imbalance.part_quality import (
    ASSOCIATIONS,
    AUC,
    COPIES,
    MARGINALS,
    METRICS,
    RATIO,
    Measured,
    Reference,
    mean_over_parts,
    part_quality,
    real_quality,
)
from tests.common.mixed_tables import drawn


@pytest.fixture(scope="module")
def reference():
    return Reference.of(drawn(400, 0), drawn(300, 1), 200, "test")


def test_copies_of_training_rows(reference):
    copies = drawn(400, 0).take(np.random.default_rng(0).integers(400, size=500))
    found = part_quality(copies, reference, 250, 5, "copies")
    assert set(found) == set(METRICS)
    assert found[COPIES].value == 1 and found[COPIES].n == 250
    assert (found[RATIO].value, found[RATIO].low, found[RATIO].high) == (0, 0, 0)


def test_fresh_rows_are_like_real_ones(reference):
    found = part_quality(drawn(300, 2), reference, 250, 20, "fresh")
    assert found[COPIES].value == 0 and found[RATIO].low < 1 < found[RATIO].high
    assert found[AUC].low < 0.5 < found[AUC].high and found[AUC].n == 200  # as many as held-out rows
    floor = real_quality(reference, 20, "real")
    assert floor[COPIES].value == 0 and RATIO not in floor and floor[AUC].low < 0.5 < floor[AUC].high
    for metric in (MARGINALS, ASSOCIATIONS):
        assert 0 < found[metric].value < 3 * floor[metric].value and math.isnan(found[metric].low)


def test_shifted_rows_are_recognised(reference):
    found = part_quality(drawn(300, 2, shift=5.0), reference, 250, 20, "shifted")
    assert found[AUC].value > 0.98 and found[RATIO].low > 1.5 and found[MARGINALS].value > 0.2


def test_held_out_rows_as_synthetic_ones_have_ratio_one():
    held_out = drawn(150, 1)
    reference = Reference.of(drawn(400, 0), held_out, 500, "test")
    found = part_quality(held_out, reference, 500, 5, "same")
    assert found[RATIO].value == pytest.approx(1, abs=1e-12)
    assert found[MARGINALS].value == 0 and found[ASSOCIATIONS].value == pytest.approx(0, abs=1e-12)


def test_held_out_rows_that_occur_in_training_are_counted():
    training = drawn(400, 0)
    reference = Reference.of(training, training.take(np.arange(20)), 500, "test")
    assert real_quality(reference, 5, "real")[COPIES].value == 1


def test_the_names_decide_the_rows(reference):
    rows = drawn(600, 3)
    first, again, other = (part_quality(rows, reference, 100, 5, name) for name in "aab")
    assert repr(first) == repr(again) and first != other


def test_without_held_out_rows_only_copies_are_known():
    training = drawn(40, 0)
    found = part_quality(training, Reference.of(training, training.take(np.arange(0)), 50, "test"), 50, 5, "empty")
    assert found[COPIES].value == 1 and all(math.isnan(found[name].value) for name in METRICS if name != COPIES)


def test_means_by_hand():
    parts = [
        {COPIES: Measured(0.2, 0.1, 0.5, 30), RATIO: Measured(1.0, 0.8, 1.2, 30)},
        {COPIES: Measured(0.6, 0.5, 0.6, 10), RATIO: Measured(math.nan, math.nan, math.nan, 10)},
    ]
    means = mean_over_parts(parts, [300, 100])
    assert means[COPIES].value == pytest.approx(0.3) and means[COPIES].n == 40
    assert means[COPIES].low == pytest.approx(0.3 - math.hypot(0.75 * 0.1, 0.25 * 0.1))
    assert means[COPIES].high == pytest.approx(0.3 + 0.75 * 0.3)
    assert means[RATIO] == Measured(1.0, 0.8, 1.2, 30)
    assert math.isnan(mean_over_parts(parts[1:], [1])[RATIO].value)
    assert mean_over_parts([{MARGINALS: Measured(0.1, math.nan, math.nan, 5)}] * 2, [1, 3])[MARGINALS].value == 0.1
