"""Bad input ends in one line."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.common.tabular import TABLES, encode, groups, table_of
from scripts.frtrain.checks import check_features, check_groups, check_rate, signed_labels
from scripts.frtrain.crowd import load_crowd
from scripts.frtrain.datasets import synthetic_data
from scripts.frtrain.poison import flipped_rows


def test_labels_of_both_codings_are_taken():
    assert signed_labels([0, 1, 1], "d").tolist() == [-1, 1, 1]
    assert signed_labels([-1, 1], "d").tolist() == [-1, 1]


@pytest.mark.parametrize("labels", [[0, 1, 2], [-1, 0, 1], [0.5, 1], [np.nan, 1]])
def test_other_labels_are_refused(labels):
    with pytest.raises(UserError, match="d: labels must be -1/\\+1 or 0/1, found"):
        signed_labels(labels, "d")


def test_nan_features_are_named_with_their_column(table):
    broken = table.copy()
    broken.loc[[3, 5], "x2"] = np.nan
    with pytest.raises(UserError, match="feature x2 holds 2 NaN or infinite values"):
        synthetic_data(broken, 0.1)
    with pytest.raises(UserError, match="feature b holds 1"):
        check_features([[0, np.inf]], ["a", "b"], "d")


def test_an_empty_group_is_named():
    with pytest.raises(UserError, match="d: group 0 has no rows"):
        check_groups([1, 1], "d")
    with pytest.raises(UserError, match="d: groups must be 0 or 1, found 2"):
        check_groups([0, 1, 2], "d")
    frame = pd.DataFrame({"sex": ["Male", "Male"]})
    with pytest.raises(UserError, match="compas: the group 'women' of sex has no rows"):
        groups(frame, TABLES["compas"], "sex")


@pytest.mark.parametrize("rate", [-0.1, 0.51, np.nan])
def test_a_poisoning_rate_outside_its_range_is_refused(rate):
    with pytest.raises(UserError, match=r"a poisoning rate must lie in \[0, 0.5\]"):
        check_rate(rate)
    with pytest.raises(UserError, match=r"a poisoning rate must lie in \[0, 0.5\]"):
        flipped_rows(np.zeros((4, 1)), np.ones(4), np.array([0, 1, 0, 1]), rate)


def test_an_unknown_rule_or_data_set_is_named():
    with pytest.raises(UserError, match="no poisoning rule 'some'; there are targeted, both, random"):
        flipped_rows(np.zeros((4, 1)), np.ones(4), np.array([0, 1, 0, 1]), 0.1, "some")
    with pytest.raises(UserError, match="no tabular data set 'iris'; there are adult, adult_all, adult_gaps, bank"):
        table_of("iris")


def test_a_missing_column_is_named(table):
    with pytest.raises(UserError, match="synthetic data: the column z is missing"):
        synthetic_data(table.drop(columns="z"), 0.1)
    frame = pd.DataFrame({name: [1] for name in TABLES["compas"].columns}).drop(columns="age")
    with pytest.raises(UserError, match="compas: the column age is missing"):
        encode(frame, TABLES["compas"], [0])


def test_text_in_a_numeric_column_is_named():
    frame = pd.DataFrame({name: ["1", "x"] for name in TABLES["compas"].columns})
    with pytest.raises(UserError, match="compas: age holds 1 values that are no numbers"):
        encode(frame, TABLES["compas"], [0])


def test_a_missing_crowd_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none.csv: no such crowd file"):
        load_crowd(tmp_path / "none.csv", pd.DataFrame(), "compas")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"other.csv: the column age, num_of_crimes.* is missing"):
        load_crowd(tmp_path / "other.csv", pd.DataFrame(), "compas")
