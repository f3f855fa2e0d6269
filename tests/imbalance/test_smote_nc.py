"""SMOTE-NC: exact neighbours, rows between their parents, the most frequent category; against imbalanced-learn."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from scripts.common.mixed_table import MixedTable
from scripts.imbalance.generators import smote_nc
from scripts.imbalance.generators.smote_nc import Neighbours, most_frequent

JOBS, SPORTS = ["clerk", "nurse", "smith"], ["ball", "chess", "none", "run"]


def rng(seed=0):
    return np.random.default_rng(seed)


def mixed(rows=300, whole=False, sports=SPORTS):
    """Three numbers of unlike spread and two categories; as integers there are ties and equal rows."""
    random = rng(1)
    spread = np.array([1.5, 2.0, 4.0] if whole else [1.0, 30.0, 2.0])
    numbers = random.standard_normal((rows, 3)) * spread
    frame = pd.DataFrame(np.rint(numbers) if whole else numbers, columns=["a", "b", "c"])
    frame = frame.assign(job=random.choice(JOBS, rows), sport=random.choice(sports, rows))
    return MixedTable.from_frame(frame, ["a", "b", "c"], ["job", "sport"])


def fitted(table, k=3):
    return smote_nc.fit(table, np.zeros(len(table), int), [0], {"neighbours": k}, rng())


def neighbours_of(table, k):
    return Neighbours(table.numeric, table.codes, k).of(np.arange(len(table)))


def by_definition(table, k):
    """All distances one by one; of equal ones the smaller row number."""
    penalty = np.median(table.numeric.std(0)) ** 2
    result = []
    for row in range(len(table)):
        squared = ((table.numeric[row] - table.numeric) ** 2).sum(1)
        squared += penalty * (table.codes[row] != table.codes).sum(1)
        others = [(squared[other], other) for other in range(len(table)) if other != row]
        result.append([other for _, other in sorted(others)[:k]])
    return np.array(result)


@pytest.mark.parametrize("k", [1, 3, 20, 299])
@pytest.mark.parametrize("whole", [False, True])
def test_neighbours_are_those_of_the_definition(whole, k):
    table = mixed(whole=whole)
    assert (neighbours_of(table, k) == by_definition(table, k)).all()


@pytest.mark.parametrize("rows", [4, 5, 63, 64, 65, 193])
def test_neighbours_are_exact_whatever_the_number_of_rows(rows):
    table = mixed(rows, whole=True)
    assert (neighbours_of(table, 3) == by_definition(table, 3)).all()


def test_neighbours_are_exact_in_small_blocks_and_far_from_zero(monkeypatch):
    """Beside values of 1e8, squares have errors far above the smallest distances: candidates must not be lost."""
    monkeypatch.setattr(smote_nc, "AT_ONCE", 1000)
    table = mixed(whole=True)
    table.numeric[::50, 1] = 1e8
    assert (neighbours_of(table, 3) == by_definition(table, 3)).all()
    table.numeric[:, 0] += 1e9
    assert (neighbours_of(table, 3) == by_definition(table, 3)).all()


def test_neighbours_do_not_depend_on_what_was_asked_before():
    table = mixed()
    every = neighbours_of(table, 3)
    some = Neighbours(table.numeric, table.codes, 3)
    for rows in ([5, 5, 2], [2, 7], [7]):
        assert (some.of(np.array(rows)) == every[rows]).all()


def test_one_mismatch_costs_the_median_standard_deviation():
    """Row 1 differs in the category, row 2 in the number, by just less or just more than the deviation."""
    for factor, first in ((0.99, 2), (1.01, 1)):
        x = np.array([0.0, 0.0, 2.0, -40.0, 40.0])
        for _ in range(60):  # the spread depends on the distance
            x[2] = factor * x.std()
        table = MixedTable.from_frame(pd.DataFrame({"x": x, "job": list("abaaa")}), ["x"], ["job"])
        assert neighbours_of(table, 1)[0, 0] == first


def test_with_a_median_deviation_of_zero_categories_do_not_count():
    frame = pd.DataFrame({"x": [0, 1, 5, 6], "y": [3] * 4, "z": [4] * 4, "job": list("abca")})
    table = MixedTable.from_frame(frame, ["x", "y", "z"], ["job"])
    assert neighbours_of(table, 1)[:, 0].tolist() == [1, 0, 3, 2]


def imbalanced_learn(table, k, rows, seed=0):
    """New rows of the first part by imbalanced-learn, numbers then codes, and its neighbours."""
    SMOTENC = pytest.importorskip("imblearn.over_sampling").SMOTENC
    n, p = table.numeric.shape
    x = np.hstack([table.numeric, table.codes])
    x = np.vstack([x, np.repeat(x[:1], n + rows, 0)])  # the other class, of which it uses nothing but its size
    y = np.repeat([1, 0], [n, n + rows])
    sampler = SMOTENC([*range(p, x.shape[1])], k_neighbors=k, random_state=seed, sampling_strategy={1: n + rows})
    found = {}
    sampler._make_samples = _keeping(sampler._make_samples, found)
    result, _ = sampler.fit_resample(x, y)
    return result[len(x) :], found["neighbours"]


def _keeping(function, kept):
    def wrapped(x, dtype, label, other, neighbours, *rest):
        kept["neighbours"] = neighbours
        return function(x, dtype, label, other, neighbours, *rest)

    return wrapped


@pytest.mark.parametrize("k", [1, 3, 7])
def test_neighbours_equal_those_of_imbalanced_learn_without_ties(k):
    table = mixed()
    assert (neighbours_of(table, k) == imbalanced_learn(table, k, 10)[1]).all()


def test_new_rows_have_the_distribution_of_those_of_imbalanced_learn():
    """With two values in a category three neighbours never tie; other ties are broken at random there."""
    table, rows = mixed(sports=SPORTS[:2]), 6000
    ours, theirs = fitted(table).sample(0, rows, rng(2)), imbalanced_learn(table, 3, rows)[0]
    for a, b in zip(ours.numeric.T, theirs.T, strict=False):
        assert abs(a.mean() - b.mean()) < 4 * a.std() * np.sqrt(2 / rows)
        assert a.std() / b.std() == pytest.approx(1, abs=0.06)
    p, q = ours.codes[:, 1].mean(), theirs[:, 4].mean()
    assert 0 < p < 1 and abs(p - q) < 4 * np.sqrt(2 * p * (1 - p) / rows)


def test_every_number_lies_between_two_neighbours_at_one_place_for_all_columns():
    table = mixed()
    near, rows = neighbours_of(table, 3), fitted(table).sample(0, 400, rng(3))
    pairs = np.array([(row, other) for row in range(len(table)) for other in near[row]])
    start, step = table.numeric[pairs[:, 0]], table.numeric[pairs[:, 1]] - table.numeric[pairs[:, 0]]
    for new, codes in zip(rows.numeric, rows.codes, strict=True):
        u = ((new - start) * step).sum(1) / (step**2).sum(1)
        fits = (np.abs(start + u[:, None] * step - new).max(1) < 1e-9) & (u >= 0) & (u < 1)
        assert fits.any()
        # the categories are the votes of the neighbours of one of the rows that it may start from
        votes = [[np.bincount(table.codes[near[row], at]).argmax() for at in (0, 1)] for row in pairs[fits, 0]]
        assert codes.tolist() in np.array(votes).tolist()
        assert any(set(codes[:1]) <= set(table.codes[near[row], 0]) for row in pairs[fits, 0])


def test_all_rows_neighbours_and_places_are_drawn_alike():
    """Three rows on a line with 2 neighbours: a sixth of the new rows lies between each row and each other, evenly."""
    table = MixedTable.from_frame(pd.DataFrame({"x": [0.0, 1.0, 10.5]}), ["x"], [])
    x = fitted(table, 2).sample(0, 60_000, rng(4)).numeric[:, 0]
    # a third between 0 and 1, a third between 1 and 10.5, a third between 0 and 10.5
    for low, high, fraction in ((0, 1, 1 / 3 + 1 / 31.5), (1, 10.5, 1 / 3 + 9.5 / 31.5), (0, 0.5, 1 / 6 + 0.5 / 31.5)):
        expected = 4 * np.sqrt(fraction * (1 - fraction) / len(x))
        assert abs(((x >= low) & (x < high)).mean() - fraction) < expected
    assert x.min() >= 0 and x.max() < 10.5


def test_with_all_others_as_neighbours_the_category_is_the_most_frequent_of_the_others():
    table = MixedTable.from_frame(pd.DataFrame({"x": [1.0, 2.0, 4.0, 8.0, 16.0], "job": list("aabbb")}), ["x"], ["job"])
    codes = fitted(table, 4).sample(0, 500, rng(5)).codes[:, 0]
    # without one of the three b there is a tie, which the smaller code wins
    assert (codes == 0).mean() == pytest.approx(3 / 5, abs=4 * np.sqrt(0.24 / 500))
    tied = most_frequent(np.array([[2, 1, 1, 2], [0, 3, 3, 0], [3, 3, 3, 0], [1, 2, 3, 0]]), 4)
    assert tied.tolist() == [1, 0, 3, 0]


def test_whole_numbers_are_rounded_not_cut():
    table = MixedTable.from_frame(pd.DataFrame({"x": [0, 1, 0, 1], "y": [0.0, 0.5, 0.2, 0.7]}), ["x", "y"], [])
    x, y = fitted(table, 3).sample(0, 4000, rng(6)).numeric.T
    assert set(x) == {0.0, 1.0} and len(set(y)) > 100
    assert x.mean() == pytest.approx(0.5, abs=0.04)  # cut, it would be a quarter at most


def test_constant_columns_equal_rows_and_the_fewest_rows():
    frame = pd.DataFrame({"x": [5, 5, 5, 5], "y": [1.5] * 4, "job": ["a"] * 4})
    rows = fitted(MixedTable.from_frame(frame, ["x", "y"], ["job"]), 3).sample(0, 20, rng()).frame()
    assert (rows == frame.iloc[0]).all(axis=None) and list(rows) == ["x", "y", "job"] and rows["x"].dtype == np.int64
    table = mixed(4)
    assert (neighbours_of(table, 3) == by_definition(table, 3)).all()
    assert len(fitted(table).sample(0, 0, rng())) == 0


def test_parts_do_not_mix_and_each_is_the_same_whatever_else_is_fitted():
    table = mixed()
    table.numeric[:] = np.arange(len(table))[:, None] % 3 * 1000 + np.abs(table.numeric)
    part = np.arange(len(table)) % 3
    several, alone = (smote_nc.fit(table, part, parts, {"neighbours": 3}, rng()) for parts in ([0, 1, 2], [2]))
    rows, again = several.sample(2, 400, rng(3)), alone.sample(2, 400, rng(3))
    assert (rows.numeric == again.numeric).all() and (rows.codes == again.codes).all()
    assert (rows.numeric >= 2000).all() and (several.sample(0, 400, rng(3)).numeric < 1000).all()
    assert all(low < high for low, high in pairwise([several.sample(key, 9, rng()).numeric.max() for key in (0, 1, 2)]))
