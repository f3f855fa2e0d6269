"""Log-odds: exact values, finite ends, and the bits of the formula that studies used before."""

import numpy as np
import pytest

from scripts.common.log_odds import log_odds


@pytest.mark.parametrize("margin", [1e-6, 1e-7, 1e-9])
def test_ends_are_finite_and_symmetric(margin):
    for dtype in (np.float32, np.float64):
        low, middle, high = log_odds(np.array([0, 0.5, 1], dtype), margin)
        assert middle == 0 and high == pytest.approx(-low) == pytest.approx(np.log((1 - margin) / margin))


def test_values_between_are_exact_and_nan_stays():
    assert log_odds(np.array([0.25, 0.9, 1e-8])).tolist() == pytest.approx([-np.log(3), np.log(9), np.log(1e-8) + 1e-8])
    assert np.isnan(log_odds(np.array([np.nan]))).all()


def test_scores_in_single_precision_are_those_of_the_quotient():
    """Saved scores are float32; log(p / (1 - p)) rounds to the same ones."""
    random = np.random.default_rng(0)
    p = np.r_[0, 1, random.random(100_000), random.random(1000) * 1e-5, 1 - random.random(1000) * 1e-5]
    for margin in (1e-6, 1e-7):
        cut = np.clip(p, margin, 1 - margin)
        before = np.log(cut / (1 - cut)).astype(np.float32)
        assert np.array_equal(log_odds(p, margin).astype(np.float32), before)
