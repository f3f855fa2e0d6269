"""Means over seeds: every kind of interval, against scipy, brute force and what must always hold."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scripts.claims.measures import measure, seed_values
from scripts.common.aggregate import (
    OVER_SEEDS,
    aggregate,
    bounds_of,
    combined,
    mean_interval,
    sampling_half_widths,
    student_half_width,
)


def rows(values, down=0.1, up=0.2) -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    frame = pd.DataFrame({"value": values, "ci_low": values - down, "ci_high": values + up})
    return frame.assign(seed=range(len(values)))


def test_the_seed_part_is_students_interval():
    values = np.array([0.1, 0.4, 0.2, 0.9, 0.3])
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert student_half_width(values) == pytest.approx((high - low) / 2)
    assert math.isnan(student_half_width(values[:1]))


def test_seeds_judged_on_the_same_rows_do_not_average_sampling_error_away():
    """Brute force: models that answer alike, over many test sets of 200 rows."""
    random = np.random.default_rng(1)
    right = random.random((4000, 200)) < 0.7  # [test set, row], the same for every seed
    means = right.mean(axis=1)
    half = 1.96 * math.sqrt(0.7 * 0.3 / 200)
    down, up = sampling_half_widths(rows([0.7] * 5, half, half))
    assert (down, up) == pytest.approx((half, half))
    assert 1.96 * means.std() == pytest.approx(down, rel=0.05)  # and not half / sqrt(5)


def test_both_parts_together_cover_the_mean():
    """Brute force: seeds and test rows vary independently; 95 of 100 intervals hold the true mean."""
    random = np.random.default_rng(2)
    sampling, spread, seeds, held = 0.03, 0.03, 4, []
    for _ in range(2000):
        values = 0.5 + random.normal(0, sampling) + random.normal(0, spread, seeds)
        half = 1.96 * sampling
        own = rows(values, half, half)
        width = combined(*sampling_half_widths(own)[:1], student_half_width(seed_values(own)))
        held.append(abs(values.mean() - 0.5) <= width)
    assert 0.94 < np.mean(held) < 0.99


def test_a_missing_interval_makes_the_sampling_part_unknown():
    frame = rows([0.1, 0.2])
    frame.loc[0, "ci_low"] = np.nan
    assert math.isnan(sampling_half_widths(frame)[0])
    assert combined(math.nan, 0.3) == 0.3 and math.isnan(combined(math.nan, math.nan))


values = st.lists(st.floats(-1, 1), min_size=1, max_size=8)


@settings(max_examples=30)
@given(values, st.floats(0, 1), st.floats(0, 1))
def test_the_joint_interval_is_at_least_as_wide_as_each_part_and_moves_with_the_values(numbers, down, up):
    frame = rows(numbers, down, up).assign(method="a")
    entry = {"file": "metrics", "select": {"method": "a"}}
    ours = measure(frame, entry, "corrected", "toy")
    spread = student_half_width(np.array(numbers))
    spread = 0.0 if math.isnan(spread) else spread
    assert ours.low <= ours.value - max(down, spread) + 1e-9 and ours.high >= ours.value + max(up, spread) - 1e-9
    assert ours.high - ours.low <= 2 * spread + down + up + 1e-9
    moved = frame.assign(**{name: frame[name] + 3 for name in ("value", "ci_low", "ci_high")})
    later = measure(moved, entry, "corrected", "toy")
    assert (later.low - 3, later.high - 3) == pytest.approx((ours.low, ours.high), abs=1e-9)


@settings(max_examples=30)
@given(values)
def test_pairs_that_differ_by_a_constant_have_no_spread_over_seeds(numbers):
    first = rows(numbers).assign(method="a")
    second = rows([number - 0.25 for number in numbers]).assign(method="b")
    entry = {"file": "metrics", "select": {"method": "a"}, "minus": {"method": "b"}, "interval": "student over seeds"}
    ours = measure(pd.concat([first, second]), entry, "corrected", "toy")
    assert ours.value == pytest.approx(0.25)
    if len(numbers) > 1:
        assert (ours.low, ours.high) == pytest.approx((0.25, 0.25), abs=1e-9)


def test_a_mean_over_splits_is_wider_than_that_of_independent_samples():
    numbers = np.array([1.0, 2.0, 3.0, 4.0])
    low, high = mean_interval(numbers)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 3, 2.5, stats.sem(numbers)))
    wider = mean_interval(numbers, test_by_train=0.6)
    assert (wider[1] - wider[0]) / (high - low) == pytest.approx(np.sqrt((0.25 + 0.6) / 0.25))
    assert np.isnan(mean_interval(numbers[:1], 0.6)).all() and np.isnan(mean_interval([1.0, np.nan], 0.6)).all()


EXPECTED = {  # of the two seeds below: 0.2 [0.1, 0.3] and 0.4 [0.3, 0.6], half a training row per test row
    "range": (0.1, 0.6),
    "bootstrap over rows": (0.2, 0.45),
    "student over seeds": tuple(0.3 + sign * 12.7062 * 0.1 for sign in (-1, 1)),
    "corrected resampled t": tuple(0.3 + sign * 12.7062 * 0.02**0.5 for sign in (-1, 1)),
    "rows and seeds": (0.3 - np.hypot(0.1, 1.27062), 0.3 + np.hypot(0.15, 1.27062)),
}


@pytest.mark.parametrize("kind", OVER_SEEDS)
def test_each_kind_of_interval_by_hand(kind):
    frame = pd.DataFrame({"method": ["b", "a", "b"], "seed": [1, 1, 2], "value": [0.2, 0.9, 0.4]})
    frame = frame.assign(ci_low=[0.1, 0.8, 0.3], ci_high=[0.3, 1.0, 0.6], n=[50, 70, 40], test_by_train=0.5)
    found = aggregate(frame, ["method"], kind).set_index("method")
    assert list(found.index) == ["b", "a"] and found.loc["b", "interval"] == kind
    assert found.loc["b", ["value", "n", "seeds"]].tolist() == pytest.approx([0.3, 40, 2])
    assert found.loc["b", "deviation"] == pytest.approx(0.2 / 2**0.5)
    assert found.loc["b", ["ci_low", "ci_high"]].tolist() == pytest.approx(EXPECTED[kind], rel=1e-4)
    alone = found.loc["a", ["ci_low", "ci_high"]].tolist()
    if kind in ("student over seeds", "corrected resampled t"):  # one seed says nothing of others
        assert np.isnan(alone).all() and found.loc["a", "interval"] is None
    else:
        assert alone == pytest.approx([0.8, 1.0])


def test_no_other_kind_is_one_over_seeds():
    with pytest.raises(ValueError, match="no interval over seeds of the kind 'wilson'"):
        bounds_of(rows([0.1, 0.2]), "wilson")
