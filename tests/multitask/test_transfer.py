"""Paired differences to single-task networks, and the interval over tasks and seeds against a literal double loop."""

import itertools

import numpy as np
import pandas as pd
import pytest

from scripts.common.aggregate import mean_interval
from scripts.common.interval_kinds import STUDENT, TASKS_AND_SEEDS
from scripts.multitask import transfer
from scripts.multitask.measures import COMPARED, MEAN
from scripts.multitask.transfer import DRAWS, Numbers, crossed_draws, crossed_interval, crossed_intervals, differences


def test_the_interval_is_that_of_a_literal_double_loop():
    matrix = np.random.default_rng(0).normal(size=(3, 5))
    matrix[0, 2] = np.nan
    by_seed, by_task = crossed_draws(3, 5)
    means = []
    for seeds, tasks in zip(by_seed, by_task, strict=True):
        drawn = [
            matrix[s, t]
            for s in range(3)
            for t in range(5)
            for _ in range(int(seeds[s]) * int(tasks[t]))
            if not np.isnan(matrix[s, t])
        ]
        means.append(np.mean(drawn) if drawn else np.nan)
    expected = np.nanquantile(means, [0.025, 0.975])
    assert crossed_interval(matrix) == pytest.approx(tuple(expected), abs=1e-12)


def exact_means(matrix):
    """Means of all S^S T^T equally likely resamples."""
    seeds, tasks = matrix.shape
    return np.array(
        [
            matrix[np.ix_(s, t)].mean()
            for s in itertools.product(range(seeds), repeat=seeds)
            for t in itertools.product(range(tasks), repeat=tasks)
        ]
    )


@pytest.mark.parametrize("shape", [(2, 3), (1, 4), (3, 2), (3, 3)])
def test_resamples_are_those_of_the_exact_enumeration(shape):
    matrix = np.random.default_rng(1).normal(size=shape)
    by_seed, by_task = crossed_draws(*shape)
    drawn = ((by_seed @ matrix) * by_task).sum(1) / (shape[0] * shape[1])
    exact = exact_means(matrix)
    assert drawn.mean() == pytest.approx(exact.mean(), abs=4 * exact.std() / DRAWS**0.5)
    assert drawn.std() == pytest.approx(exact.std(), rel=0.05)
    assert set(np.round(drawn, 9)) <= set(np.round(exact, 9))
    ranks = [(exact <= end + 1e-12).mean() for end in crossed_interval(matrix)]  # discrete: ends lie on its steps
    assert ranks[0] >= 0.025 - 0.01 and ranks[1] >= 0.975 - 0.01
    assert [(exact < end - 1e-12).mean() for end in crossed_interval(matrix)][1] <= 0.975 + 0.01


def test_draws_are_multinomial_and_the_same_each_time():
    by_seed, by_task = crossed_draws(3, 7)
    assert by_seed.shape == (DRAWS, 3) and by_task.shape == (DRAWS, 7)
    assert (by_seed.sum(1) == 3).all() and (by_task.sum(1) == 7).all()
    assert by_task.mean(0) == pytest.approx([1] * 7, abs=0.1)
    crossed_draws.cache_clear()
    assert np.array_equal(crossed_draws(3, 7)[1], by_task)


def test_undefined_numbers():
    with np.errstate(all="raise"):
        for nothing in (np.full((3, 4), np.nan), np.ones((3, 1)), np.empty((0, 4))):
            assert np.isnan(crossed_interval(nothing)).all()
        assert crossed_interval(np.ones((3, 4))) == (1.0, 1.0)
        some = np.full((2, 3), np.nan)
        some[1, 0] = 2.0  # resamples without it have no mean and are left out
        assert crossed_interval(some) == (2.0, 2.0)


def test_several_sets_at_once_are_those_of_one_after_the_other():
    sets = np.random.default_rng(2).normal(size=(4, 3, 5))
    sets[1, 0, 0], sets[2] = np.nan, np.nan
    ends = np.array(crossed_intervals(sets)).T
    for own, (low, high) in zip(sets, ends, strict=True):
        np.testing.assert_allclose(crossed_interval(own), (low, high), rtol=0, atol=1e-12)


def test_it_covers_the_choice_of_tasks_and_seeds():
    """Of effects of 20 tasks and 8 seeds around a mean of 1, the interval holds 1 about as often as it says."""
    random, hits, narrow = np.random.default_rng(3), 0, 0
    for _ in range(200):
        matrix = 1 + random.normal(size=(8, 1)) + 2 * random.normal(size=(1, 20)) + random.normal(size=(8, 20))
        low, high = crossed_interval(matrix)
        hits += low <= 1 <= high
        half = 1.96 * matrix.std(ddof=1) / matrix.size**0.5  # as if all differences were independent
        narrow += abs(matrix.mean() - 1) <= half
    assert 0.87 <= hits / 200 <= 0.99 and narrow / 200 < 0.75


def numbers(values, seeds=(1, 2, 3)):
    """A frame of two fits, two tasks and all metrics: values[fit][metric][seed][task]."""
    rows = [
        {"fit": fit, "seed": seed, "task": task, "subgroup": "all", "metric": metric, "value": by_task[place]}
        for fit, by_metric in values.items()
        for metric, by_seed in by_metric.items()
        for seed, by_task in zip(seeds, by_seed, strict=False)
        for place, task in enumerate(("a", "b"))
    ]
    return pd.DataFrame(rows)


def filled(**given):
    return {metric: given.get(metric, [[0.5, 0.5]] * 3) for metric in COMPARED}


def by(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_gains_by_hand():
    """KG: accuracies .80 .70 .75 against .70 .70 .70 of task a, and .9 against .95 of task b. DG: of a .1 less."""
    frame = numbers(
        {
            "mtl": filled(
                accuracy=[[0.80, 0.9], [0.70, 0.9], [0.75, 0.9]],
                equalized_odds_sum=[[0.2, 0.4], [0.2, 0.4], [0.2, 0.4]],
            ),
            "stl": filled(accuracy=[[0.70, 0.95]] * 3, equalized_odds_sum=[[0.3, 0.4]] * 3),
        }
    )
    found = differences(Numbers.of(frame), "mtl", "stl")
    assert list(found.columns) == transfer.COLUMNS and len(found) == 3 * len(COMPARED)
    gain = by(found, metric="accuracy", task="a")
    assert gain["value"] == pytest.approx(0.05) and gain["interval"] == STUDENT and gain["seeds"] == 3
    assert (gain["ci_low"], gain["ci_high"]) == pytest.approx(mean_interval([0.1, 0.0, 0.05]))
    assert by(found, metric="accuracy", task=MEAN)["value"] == pytest.approx((0.05 - 0.05) / 2)
    assert by(found, metric="equalized_odds_sum", task="a")["value"] == pytest.approx(-0.1)
    mean = by(found, metric="equalized_odds_sum", task=MEAN)
    assert mean["value"] == pytest.approx(-0.05) and mean["interval"] == TASKS_AND_SEEDS
    assert (mean["ci_low"], mean["ci_high"]) == pytest.approx((-0.1, 0.0))
    back = differences(Numbers.of(frame), "stl", "mtl")
    assert (back["value"] + found["value"]).abs().max() < 1e-12 and back["first"].unique() == ["stl"]


def test_an_undefined_number_is_left_out_and_counted_and_never_0():
    nan = float("nan")
    frame = numbers(
        {
            "mtl": filled(equalized_odds_sum=[[0.5, nan], [0.5, nan], [0.7, nan]]),
            "stl": filled(equalized_odds_sum=[[0.1, 0.2], [nan, 0.2], [0.1, 0.2]]),
        }
    )
    found = differences(Numbers.of(frame), "mtl", "stl")
    one, other, mean = (by(found, metric="equalized_odds_sum", task=task) for task in ("a", "b", MEAN))
    assert one["value"] == pytest.approx(0.5) and one["undefined"] == 1
    assert np.isnan(other["value"]) and other["undefined"] == 3 and other["interval"] is None
    assert mean["value"] == pytest.approx(0.5) and mean["undefined"] == 4
    assert (found[found["metric"] == "accuracy"]["undefined"] == 0).all()


def test_only_seeds_that_both_have_are_compared():
    """A fit with one seed has no differences of the others: they are not undefined, and not drawn either."""
    few = {metric: values[:1] for metric, values in filled(accuracy=[[0.9, 0.8]] * 3).items()}
    frame = numbers({"majority": filled(), "ablation": few, "stl": filled(accuracy=[[0.8, 0.8]] * 3)})
    frame.loc[frame["fit"] == "majority", "seed"] = 0
    found = differences(Numbers.of(frame), "ablation", "stl")
    assert (found["seeds"] == 1).all() and (found["undefined"] == 0).all()
    task = by(found, metric="accuracy", task="a")
    assert task["value"] == pytest.approx(0.1) and np.isnan(task["ci_low"]) and task["interval"] is None
    expected = crossed_interval(np.array([[0.1, 0.0]]))
    mean = by(found, metric="accuracy", task=MEAN)
    assert (mean["ci_low"], mean["ci_high"]) == pytest.approx(expected, abs=1e-12)
    assert (differences(Numbers.of(frame), "stl", "stl")["seeds"] == 3).all()


def test_numbers_are_everyones_of_single_tasks():
    frame = numbers({"mtl": filled()})
    more = [frame.assign(task=MEAN, value=9.0), frame.assign(subgroup="men", value=9.0), frame.assign(metric="other")]
    found = Numbers.of(pd.concat([frame, *more]))
    assert found.values.shape == (1, len(COMPARED), 3, 2) and (found.values == 0.5).all() and found.fitted.all()
