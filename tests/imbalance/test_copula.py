"""Rows from a Gaussian copula: columns keep their distributions and, for normal ones, their correlation."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from scripts.common.mixed_table import MixedTable
from scripts.imbalance.generators import copula

ROWS = 20_000


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(numeric=(), rows=ROWS, seed=0, **columns):
    table = MixedTable.from_frame(
        pd.DataFrame(columns), list(numeric), [name for name in columns if name not in numeric]
    )
    return copula.fit(table, np.zeros(len(table), int), [0], {}, rng(seed)).sample(0, rows, rng(seed + 1)).frame()


def normal(correlation, rows=ROWS):
    a, b = rng(5).standard_normal((2, rows))
    return a, correlation * a + np.sqrt(1 - correlation**2) * b


@pytest.mark.parametrize("correlation", [0.6, -0.9, 0.0])
def test_normal_columns_keep_their_correlation(correlation):
    x, y = normal(correlation)
    rows = drawn(["x", "y"], x=x, y=10 + 3 * y)
    assert np.corrcoef(rows["x"], rows["y"])[0, 1] == pytest.approx(correlation, abs=0.02)


def test_a_monotone_change_of_a_column_changes_nothing_else():
    x, y = normal(0.6)
    plain, changed = drawn(["x", "y"], x=x, y=y), drawn(["x", "y"], x=x, y=np.exp(y))
    assert (plain["x"] == changed["x"]).all() and np.allclose(np.exp(plain["y"]), changed["y"])


def test_marginals_pass_their_tests():
    random = rng(8)
    hours = np.where(random.random(ROWS) < 0.5, 40, random.integers(1, 99, ROWS))
    gain = np.where(random.random(ROWS) < 0.9, 0, random.lognormal(8, 1, ROWS))
    job = np.where(
        hours > 45, "smith", random.choice(["clerk", "nurse", "smith", "rare"], ROWS, p=[0.6, 0.3, 0.09, 0.01])
    )
    rows = drawn(["hours", "gain"], hours=hours, gain=gain, job=job)
    assert scipy.stats.ks_2samp(rows["gain"], gain).pvalue > 1e-3
    assert scipy.stats.ks_2samp(rows["hours"], hours).pvalue > 1e-3
    expected = pd.Series(job).value_counts()
    counts = rows["job"].astype(str).value_counts().reindex(expected.index, fill_value=0)
    assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3
    assert (rows["gain"] == 0).mean() == pytest.approx((gain == 0).mean(), abs=0.01)
    assert set(rows["gain"]) <= set(gain) and rows["hours"].dtype == np.int64


def test_independent_columns_stay_independent():
    random = rng(9)
    job, sport = random.choice(list("abc"), ROWS, p=[0.5, 0.3, 0.2]), random.choice(list("xy"), ROWS, p=[0.8, 0.2])
    rows = drawn(["age"], job=job, age=random.integers(18, 70, ROWS), sport=sport)
    assert scipy.stats.chi2_contingency(pd.crosstab(rows["job"], rows["sport"])).pvalue > 1e-3
    ages = [values for _, values in rows.groupby("job", observed=True)["age"]]
    assert scipy.stats.kruskal(*ages).pvalue > 1e-3


def test_categories_that_go_together_still_do_and_the_most_frequent_comes_first():
    sport = np.repeat(["a", "b", "c"], [2000, 6000, 12000])
    rows = drawn(["x"], sport=sport, x=np.repeat([2.0, 1.0, 0.0], [2000, 6000, 12000]))
    means = rows.groupby("sport", observed=True)["x"].mean()
    assert means["c"] < means["b"] < means["a"]  # the rarest lies at the upper end, as its number does
    intervals = copula.Categories.of(np.array([4, 4, 1, 2, 2, 4, 1, 7]))
    assert intervals.codes.tolist() == [4, 1, 2, 7] and intervals.ends.tolist() == [0.375, 0.625, 0.875, 1.0]
    assert intervals.at(np.array([0, 0.37, 0.375, 0.63, 0.9, 1.0])).tolist() == [4, 4, 1, 2, 7, 7]
    codes = rng().choice([1, 2, 4, 7], 1000)
    assert (intervals.at(intervals.uniforms(codes, rng(1))) == codes).all()


def test_equal_numbers_are_ranked_in_random_order():
    values = np.array([3.0, 1.0, 3.0, 3.0])
    ranks = {tuple(copula.ranks(values, rng(seed))) for seed in range(60)}
    assert {each[1] for each in ranks} == {0.125} and len(ranks) == 6
    assert all(sorted(each) == [0.125, 0.375, 0.625, 0.875] for each in ranks)


def test_a_singular_correlation_is_shrunk_to_a_positive_definite_one_and_another_is_left_alone():
    singular = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    shrunk = copula.positive(singular)
    assert np.linalg.eigvalsh(singular)[0] < 0 < np.linalg.eigvalsh(shrunk)[0]
    assert np.linalg.eigvalsh(shrunk)[0] == pytest.approx(copula.LEAST_EIGENVALUE)
    assert np.diag(shrunk) == pytest.approx(np.ones(3))
    factors = shrunk[np.triu_indices(3, 1)] / singular[np.triu_indices(3, 1)]
    assert factors == pytest.approx(np.full(3, factors[0]))
    fine = np.array([[1, 0.6], [0.6, 1]])
    assert (copula.positive(fine) == fine).all() and (copula.positive(np.eye(2)) == np.eye(2)).all()


def test_constant_columns_copies_of_columns_few_rows_and_one_kind_of_column():
    x = np.arange(50)
    rows = drawn(["x", "again", "zero"], 300, x=x, again=2 * x, zero=np.zeros(50), same=["s"] * 50)
    assert (rows["zero"] == 0).all() and (rows["same"] == "s").all()
    assert np.abs(rows["again"] / 2 - rows["x"]).max() <= 1  # but for the shrinkage
    assert drawn(["x"], 5, x=[7], job=["a"]).to_numpy().tolist() == [[7, "a"]] * 5
    assert set(drawn(["x"], 50, x=[7, 8])["x"]) == {7, 8}
    assert set(drawn([], 50, job=["a", "b"])["job"]) == {"a", "b"}
    assert len(drawn(["x"], 0, x=[7, 8])) == 0


def test_parts_do_not_mix_and_each_is_the_same_whatever_else_is_fitted():
    frame = pd.DataFrame({"x": np.arange(300), "job": np.resize(["a", "b"], 300)})
    table, part = MixedTable.from_frame(frame, ["x"], ["job"]), np.arange(300) % 3
    several, alone = (copula.fit(table, part, parts, {}, rng()) for parts in ([0, 1, 2], [2]))
    rows, again = several.sample(2, 400, rng(3)), alone.sample(2, 400, rng(3))
    assert (rows.numeric == again.numeric).all() and (rows.codes == again.codes).all()
    assert set(rows.numeric[:, 0] % 3) == {2} and set(several.sample(1, 400, rng(3)).numeric[:, 0] % 3) == {1}
