"""Rows from trees: what is a function of another column stays one, and every value is that of a row of the leaf."""

import logging

import numpy as np
import pandas as pd
import pytest

from scripts.common.mixed_table import MixedTable
from scripts.imbalance.generators import cart

LEAF = {"leaf": 5}


def rng(seed=0):
    return np.random.default_rng(seed)


def table_of(numeric=(), **columns):
    return MixedTable.from_frame(
        pd.DataFrame(columns), list(numeric), [name for name in columns if name not in numeric]
    )


def drawn(table, rows=500, settings=LEAF, seed=0):
    part = np.zeros(len(table), int)
    return cart.fit(table, part, [0], settings, rng(seed)).sample(0, rows, rng(seed + 1)).frame()


def mixed(rows=600):
    """A category, two numbers and a category that hang together, in that order of the file."""
    random = rng(7)
    job = random.choice(["clerk", "nurse", "smith"], rows)
    age = random.integers(18, 70, rows)
    hours = np.where(job == "smith", 60.5, 20) + age / 10 + random.normal(0, 1, rows)
    return table_of(["age", "hours"], job=job, age=age, hours=hours, old=np.where(age > 50, "yes", "no"))


def test_a_function_of_another_column_stays_one():
    x = np.repeat(np.arange(12), 9)
    names = np.array(list("caebdfcaebdf"))
    table = table_of(["x", "square"], x=x, square=(x * x) % 7 + 0.5, name=names[x])
    rows = drawn(table)
    assert (rows["square"] == (rows["x"] ** 2) % 7 + 0.5).all()
    assert (rows["name"].astype(str) == names[rows["x"]]).all() and rows["x"].nunique() == 12


def test_a_category_is_told_from_codes_and_tells_a_number():
    """Also where the category comes first: its codes split the rows of what follows."""
    name = np.repeat(list("abcd"), 20)
    worth = np.repeat([4.0, -1.0, 2.5, -1.0], 20)
    rows = drawn(table_of(["worth"], name=name, worth=worth))
    assert (rows["worth"] == rows["name"].astype(str).map({"a": 4.0, "b": -1.0, "c": 2.5, "d": -1.0})).all()


def test_every_value_was_observed_and_columns_keep_their_order_and_kind():
    table = mixed()
    rows, real = drawn(table), table.frame()
    assert list(rows) == ["job", "age", "hours", "old"] and (rows.dtypes == real.dtypes).all()
    for name in rows:
        assert set(rows[name]) <= set(real[name]), name
    assert not rows.merge(real.drop_duplicates(), how="left", indicator=True)["_merge"].eq("both").all()  # new rows too


def test_values_come_from_the_rows_of_the_leaf_alone_and_from_all_of_them():
    """x splits the rows at 50 into leaves of y, below and above 0; a leaf keeps its rows' values, unaveraged."""
    x = np.repeat([0.0, 100.0], 5)
    y = np.array([-1.0, -2.0, -3.0, -4.0, -5.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    rows = drawn(table_of(["x", "y"], x=x, y=y))
    for side, values in rows.groupby("x")["y"]:
        assert set(values) == set(y[x == side])


def test_what_hangs_together_still_does():
    table = mixed(3000)
    rows, real = drawn(table, 3000), table.frame()
    means, expected = (frame.groupby("job", observed=True)["hours"].mean() for frame in (rows, real))
    assert (means - expected).abs().max() < 0.6
    assert np.corrcoef(rows["age"], rows["old"] == "yes")[0, 1] > 0.8
    # ages of both uniform: the largest distance of the two distribution functions, at 1e-4
    grid = np.arange(18, 70)
    distance = np.abs([(rows["age"] <= at).mean() - (real["age"] <= at).mean() for at in grid]).max()
    assert distance < np.sqrt(np.log(2 / 1e-4)) / np.sqrt(3000)


def test_a_constant_column_stays_constant():
    x = np.arange(40)
    rows = drawn(table_of(["x", "zero"], same=["s"] * 40, x=x, zero=np.zeros(40), other=["o"] * 20 + ["p"] * 20))
    assert (rows["same"] == "s").all() and (rows["zero"] == 0).all()
    assert (drawn(table_of([], same=["s"] * 40)) == "s").all(axis=None)


def test_a_part_smaller_than_two_leaves_has_independent_columns_and_the_log_says_so(caplog):
    x = np.repeat([0, 1], 4)
    table = table_of(["x", "y"], x=x, y=x)
    with caplog.at_level(logging.WARNING, "counterweight"):
        rows = drawn(table, 20_000)
    assert caplog.messages == [
        "CART: part 0 has 8 rows, fewer than two leaves of 5: its columns are drawn independently"
    ]
    both = (rows["x"] * rows["y"]).mean()
    assert abs(both - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 20_000)
    assert rows["x"].mean() == pytest.approx(0.5, abs=0.02)
    caplog.clear()
    assert (drawn(table, settings={"leaf": 4}).eval("x == y")).all() and not caplog.messages


def test_two_rows_are_enough_and_no_rows_can_be_asked_for():
    table = table_of(["x"], x=[1.0, 2.0], name=["a", "b"])
    assert set(drawn(table, 50)["x"]) == {1.0, 2.0}
    assert len(drawn(table, 0)) == 0


def test_a_column_with_nearly_as_many_categories_as_rows_is_learnt_without_a_warning():
    names = [f"n{number}" for number in range(25)] + ["n0"] * 5
    assert set(drawn(table_of(["x"], x=np.arange(30), name=names))["name"]) <= set(names)


def test_parts_do_not_mix_and_each_is_the_same_whatever_else_is_fitted():
    table = mixed()
    part = np.arange(len(table)) % 3
    several, alone = (cart.fit(table, part, parts, LEAF, rng()) for parts in ([0, 1, 2], [2]))
    rows, again = several.sample(2, 400, rng(3)), alone.sample(2, 400, rng(3))
    assert (rows.numeric == again.numeric).all() and (rows.codes == again.codes).all()
    assert set(rows.numeric[:, 1]) <= set(table.numeric[part == 2, 1])
    twice = table_of(["x", "same", "y"], x=np.arange(300), same=np.arange(300), y=rng(1).random(300))  # splits that tie
    splits = [
        cart.fit(twice, np.arange(300) % 3, parts, LEAF, rng()).columns_of[2][2].tree.feature for parts in ([0, 2], [2])
    ]
    assert (splits[0] == splits[1]).all() and {0, 1} <= set(splits[0])
    assert not set(several.sample(1, 400, rng(3)).numeric[:, 1]) & set(rows.numeric[:, 1])
