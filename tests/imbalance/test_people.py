"""People of a dataset: features without the sensitive columns, and groups of one attribute or of several."""

import logging

import numpy as np
import pandas as pd
import pytest

from scripts.common import tabular
from scripts.common.errors import UserError
from scripts.common.tabular import table_of
from scripts.imbalance.people import FEATURES, features_of, people
from tests.imbalance.synthetic import RARE, adult_table, adults

WOMEN, MEN = "women", "men"
CELLS = {
    ("adult", "sex"): {WOMEN: (14695, 1669), MEN: (30527, 9539)},
    ("adult", "sex-race"): {
        "women, others": (2812, 214),
        "women, White": (11883, 1455),
        "men, others": (3507, 787),
        "men, White": (27020, 8752),
    },
    ("credit", "sex"): {WOMEN: (18112, 3763), MEN: (11888, 2873)},
    ("german", "sex"): {WOMEN: (310, 201), MEN: (690, 499)},
}


@pytest.mark.parametrize(("name", "attributes"), CELLS)
def test_the_groups_of_the_published_tables(prepared, name, attributes):
    real = people(prepared(name), name, attributes.split("-"))
    counts = real.counts(np.arange(len(real.y)))
    found = {group: (sum(row), row[1]) for group, row in zip(real.group_names, counts.tolist(), strict=True)}
    assert found == CELLS[name, attributes]
    assert real.attribute == attributes.replace("-", " x ")


def test_the_features_of_the_published_study(prepared):
    adult = people(prepared("adult"), "adult", ["sex"]).features.schema
    assert (len(adult.numeric), len(adult.categorical)) == (4, 7)  # eight with sex
    assert dict(zip(adult.categorical, adult.sizes, strict=True))["native_country"] == 41
    assert dict(zip(adult.categorical, adult.categories, strict=True))["race"] == ("White", "others")
    credit, german = table_of("credit"), table_of("german")
    assert [len(kind) for kind in features_of(credit, ["sex"])] == [14, 8]  # 23 columns with sex
    assert [len(kind) for kind in features_of(german, ["sex"])] == [7, 13]  # 21 with sex and the label
    assert "marital_status" in features_of(german, ["sex"])[1]


def test_the_sensitive_columns_are_no_features_and_others_are():
    one, two = adults(), adults(attributes=("sex", "race"))
    assert "sex" not in one.features.schema.order and "race" in one.features.schema.order
    assert not {"sex", "race"} & {*two.features.schema.order}
    assert one.features.schema.numeric == FEATURES["adult"][0]


def test_cells_are_group_and_label():
    frame = adult_table()
    two = adults(attributes=("sex", "race"))
    assert two.group_names == ("women, others", "women, White", "men, others", "men, White")
    expected = 2 * (frame["sex"] == "Male") + (frame["race"] == "White")
    assert two.groups.tolist() == expected.tolist()
    assert two.cells.tolist() == (2 * expected + frame["y"]).tolist() and two.cell_name(5) == "men, others, label 1"
    rows = np.arange(50, 200)
    by_hand = pd.crosstab(expected[rows], frame["y"][rows]).to_numpy()
    assert (two.counts(rows) == by_hand).all()


def test_fewer_rows_are_always_the_same_ones_and_the_title_names_their_number():
    frame = adult_table()
    once, again = (people(frame, "adult", ["sex"], 100) for _ in range(2))
    assert once.title == "AdultCensus, 100 rows" and once.row_ids.tolist() == again.row_ids.tolist()
    assert (np.diff(once.row_ids) > 0).all() and len(once.y) == 100
    assert once.y.tolist() == frame["y"].iloc[once.row_ids].tolist()
    assert people(frame, "adult", ["sex"], 10**6).title == "AdultCensus"


def test_a_category_of_one_row_keeps_its_code_where_the_row_is_left_out():
    everyone = adults()
    place = everyone.features.schema.categorical.index("native_country")
    assert everyone.features.schema.categories[place] == ("Cuba", RARE, "Jamaica", "United-States")
    assert set(everyone.features.take(np.arange(1, 360)).codes[:, place]) == {0, 2, 3}


@pytest.mark.parametrize(
    ("change", "attributes", "message"),
    [
        ({"y": 1}, ["sex"], "adult: all 360 rows have the label 1"),
        ({"y": 2}, ["sex"], "adult: y holds 2, expected 0 or 1"),
        ({"sex": "Male"}, ["sex"], "adult: the group 'women' of sex has no rows"),
        ({"sex": None}, ["sex"], "adult: sex is missing, in 360 rows"),
        ({}, ["height"], "adult: no attribute 'height'; there are sex, race"),
        ({"age": "young"}, ["sex"], "age: 360 values are no finite numbers"),
    ],
)
def test_people_that_cannot_be_used_are_refused_in_one_line(change, attributes, message):
    with pytest.raises(UserError, match=message) as refused:
        people(adult_table().assign(**change), "adult", attributes)
    assert "\n" not in str(refused.value)


def test_a_missing_column_is_named():
    with pytest.raises(UserError, match="adult: the column hours_per_week is missing"):
        people(adult_table().drop(columns="hours_per_week"), "adult", ["sex"])


def test_a_combination_of_groups_without_rows_is_named():
    frame = adult_table()
    frame.loc[(frame["sex"] == "Female"), "race"] = "White"
    with pytest.raises(UserError, match=r"adult: no row is of the group 'women, others'; take fewer attributes"):
        people(frame, "adult", ["sex", "race"])


@pytest.fixture
def towns():
    """A table whose attribute has as many groups as asked for, two rows each."""
    yield lambda count: own_table([f"town {place}" for place in range(count)])
    tabular.OWN.clear()
    table_of.cache_clear()


def own_table(names):
    tabular.OWN["towns"] = {
        "source": {"file": "towns.csv"},
        "label": {"column": "paid", "one": 1, "zero": 0, "positive": "paid"},
        "numeric": ["x"],
        "categorical": ["town"],
        "attributes": {"town": {"column": "town", "groups": {n: [n] for n in names}, "privileged": names[0]}},
    }
    table_of.cache_clear()
    return pd.DataFrame({"town": names * 2, "x": 1, "y": [0, 1] * len(names), "row_id": range(2 * len(names))})


def test_fifty_groups_are_taken_with_a_warning(towns, caplog):
    with caplog.at_level(logging.WARNING, "counterweight"):
        found = people(towns(50), "towns", ["town"])
    assert len(found.group_names) == 50 and set(np.bincount(found.groups)) == {2}
    assert "towns: 50 groups, the smallest of 2 rows: a gap between them is mostly noise" in caplog.text
    with caplog.at_level(logging.WARNING, "counterweight"):
        caplog.clear()
        people(towns(20), "towns", ["town"])
    assert not caplog.records


def test_more_groups_than_codes_and_a_table_of_the_attribute_alone_are_refused(towns):
    with pytest.raises(UserError, match="towns: 128 groups, at most 127 are told apart"):
        people(towns(128), "towns", ["town"])
    frame = towns(3)
    tabular.OWN["towns"]["numeric"] = []
    table_of.cache_clear()
    with pytest.raises(UserError, match="towns: without the sensitive columns no feature is left"):
        people(frame, "towns", ["town"])
