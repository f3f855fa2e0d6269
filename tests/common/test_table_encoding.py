"""Mixed tables as matrices and back: what is exact comes back exactly, what is drawn has the right distribution."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from scripts.common.mixed_table import MixedTable
from scripts.common.table_encoding import ALWAYS, NumericColumn, TableEncoding


def table(rows=400, seed=0):
    """A spike at 0 with a long tail, a continuous column, few whole numbers; a category that never occurs."""
    rng = np.random.default_rng(seed)
    gain = np.where(rng.random(rows) < 0.7, 0, rng.lognormal(8, 1, rows).round())
    frame = pd.DataFrame(
        {"gain": gain, "size": rng.normal(size=rows), "children": rng.integers(3, size=rows)}
        | {"city": rng.choice(["a", "c"], rows), "kind": rng.choice(list("wxyz"), rows)}
    )
    codes = MixedTable.from_frame(frame, ["gain", "size", "children"], ["kind"])
    return codes.with_category("city", np.where(frame["city"] == "a", 0, 2), ["a", "b", "c"])


def same(one, two):
    return np.array_equal(one.numeric, two.numeric) and np.array_equal(one.codes, two.codes)


def test_training_rows_come_back_exactly():
    rows = table()
    encoding = TableEncoding.fit(rows)
    matrix = encoding.encode(rows)
    assert matrix.dtype == np.float32 and matrix.shape == (400, encoding.layout.width)
    assert same(encoding.decode(matrix, np.random.default_rng(0)), rows)
    assert not same(encoding.decode(matrix * 0.3, np.random.default_rng(1)), rows)  # scores do mean something
    assert encoding.decode(matrix, np.random.default_rng(0)).codes.dtype == np.int32


def test_the_layout_of_a_small_table():
    encoding = TableEncoding.fit(table())
    layout = encoding.layout
    # gain: 0 or other, with a score; size: a score alone; children: three values and no other; kind; city in full.
    assert layout.scores == 2 and layout.sizes == (2, 3, 4, 3) and layout.gates == (3, ALWAYS)
    assert layout.blocks == [slice(2, 4), slice(4, 7), slice(7, 11), slice(11, 14)] and layout.width == 14
    matrix = encoding.encode(table())
    gain = table().numeric[:, 0]
    assert np.array_equal(matrix[:, 3] == 1, gain > 0) and (matrix[gain == 0, 0] == 0).all()
    assert all((matrix[:, block].sum(1) == 1).all() for block in layout.blocks)
    assert (matrix[:, 12] == 0).all()  # "b" occurs nowhere and has its column


def test_scores_are_normal_scores_of_the_values_that_are_not_frequent():
    values = np.array([0.0] * 6 + [5.0, 7.0, 7.0, 9.0])
    column = NumericColumn.of(values, 0.5)
    category, scores = column.encode(np.array([0.0, 5.0, 7.0, 9.0, 6.0, -3.0, 99.0]))
    assert column.frequent.tolist() == [0] and category.tolist() == [0, 1, 1, 1, 1, 1, 1]
    expected = stats.norm.ppf([1 / 8, 1 / 2, 7 / 8, 5 / 16, 1 / 8, 7 / 8])  # middles of the steps, a mean between two
    assert scores[0] == 0 and scores[1:] == pytest.approx(expected)


@pytest.mark.parametrize("frequent", [0.05, 2])
def test_any_score_decodes_to_a_value_of_the_training_rows_at_its_quantile(frequent):
    rows = table(5000)
    encoding = TableEncoding.fit(rows, frequent)
    matrix = np.tile(encoding.encode(rows)[:1], (9, 1)).astype(float)
    scores = np.array([-np.inf, -40, -9, -1, 0, 1, 9, 40, np.inf])
    matrix[:, : encoding.layout.scores] = scores[:, None]
    decoded = encoding.decode(matrix, np.random.default_rng(0)).numeric
    assert all(np.isin(decoded[:, place], rows.numeric[:, place]).all() for place in range(3))
    expected = np.quantile(rows.numeric[:, 1], stats.norm.cdf(scores), method="inverted_cdf")
    assert decoded[:, 1] == pytest.approx(expected) and decoded[-1, 1] == rows.numeric[:, 1].max()
    if frequent > 1:
        assert encoding.layout.gates == (ALWAYS,) * 3 and same(
            encoding.decode(encoding.encode(rows), np.random.default_rng(0)), rows
        )


def test_normal_scores_decode_to_the_distribution_of_the_training_rows():
    rows = table(4000)
    encoding = TableEncoding.fit(rows)
    matrix = np.zeros((4000, encoding.layout.width))
    matrix[:, 0:2] = np.random.default_rng(3).normal(size=(4000, 2))
    matrix[:, [3, 4, 7, 11]] = 1
    drawn = encoding.decode(matrix, np.random.default_rng(0)).numeric
    tail = rows.numeric[rows.numeric[:, 0] > 0, 0]
    assert stats.ks_2samp(drawn[:, 0], tail).pvalue > 0.01
    assert stats.ks_2samp(drawn[:, 1], rows.numeric[:, 1]).pvalue > 0.01


def test_categories_are_drawn_in_proportion_and_never_with_probability_zero():
    rows = table()
    encoding = TableEncoding.fit(rows)
    matrix = np.repeat(encoding.encode(rows)[:1], 40_000, axis=0)
    matrix[:, 7:11], matrix[:, 11:14] = (0, 0.2, 0.8, 0), (3, 0, 9)
    codes = encoding.decode(matrix, np.random.default_rng(0)).codes
    kind, city = (np.bincount(codes[:, place], minlength=size) for place, size in ((0, 4), (1, 3)))
    assert kind[0] == kind[3] == city[1] == 0
    assert stats.chisquare(kind[1:3], [8000, 32000]).pvalue > 1e-3
    assert stats.chisquare(city[[0, 2]], [10000, 30000]).pvalue > 1e-3
    assert abs(np.corrcoef(codes[:, 0], codes[:, 1])[0, 1]) < 0.02  # each block has draws of its own
    again = encoding.decode(matrix, np.random.default_rng(0)).codes
    assert np.array_equal(codes, again) and (codes != encoding.decode(matrix, np.random.default_rng(1)).codes).any()


def test_rows_that_were_not_fitted_keep_their_categories_and_get_the_nearest_known_numbers():
    rows = table()
    encoding = TableEncoding.fit(rows.take(np.arange(200)))
    other = rows.take(np.arange(200, 400))
    back = encoding.decode(encoding.encode(other), np.random.default_rng(0))
    assert np.array_equal(back.codes, other.codes) and np.array_equal(back.numeric[:, 0] == 0, other.numeric[:, 0] == 0)
    assert np.isin(back.numeric[:, 1], rows.numeric[:200, 1]).all()
    inside = (np.abs(other.numeric[:, 1]) < 1).nonzero()[0]
    assert np.abs(back.numeric[inside, 1] - other.numeric[inside, 1]).max() < 0.1
    strange = other.take(np.array([0, 1]))
    strange.numeric[:, 2] = [-7, 40]  # children are always 0, 1 or 2
    assert encoding.decode(encoding.encode(strange), np.random.default_rng(0)).numeric[:, 2].tolist() == [0, 2]


@pytest.mark.parametrize("columns", [(["gain", "size"], []), ([], ["kind"]), (["flat"], ["one"]), (["flat"], [])])
@pytest.mark.parametrize("rows", [1, 2, 50])
def test_tables_without_some_kind_of_column_with_constant_ones_or_with_few_rows(columns, rows):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"gain": rng.integers(9, size=rows), "size": rng.random(rows), "flat": 3.5, "one": "only"}
        | {"kind": rng.choice(["x", "y"], rows)}
    )
    small = MixedTable.from_frame(frame, *columns)
    encoding = TableEncoding.fit(small)
    matrix = encoding.encode(small)
    assert np.isfinite(matrix).all() and same(encoding.decode(matrix, rng), small)


def test_gaps_are_refused():
    rows = table()
    encoding = TableEncoding.fit(rows)
    gap = rows.take(np.arange(5))
    gap.codes[2, 0] = -1
    with pytest.raises(ValueError, match="fill the gaps"):
        encoding.encode(gap)
    gap.numeric[1, 1] = np.nan
    with pytest.raises(ValueError, match="missing numbers"):
        TableEncoding.fit(gap)
    with pytest.raises(ValueError, match="one at least"):
        TableEncoding.fit(rows.take(np.arange(0)))
