"""The augmented table: rows by the plan, columns in the spelling of the file, and what is refused before any fit."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.common.parquet import read
from scripts.imbalance import augmentation
from scripts.imbalance.imbalance_augment import augment_table, write
from scripts.imbalance.plans import PLANS, rows_to_add
from tests.imbalance.augmenting.made_up import JUDGING, LIMITS, SETTINGS, entry, people, prepared


def made(frame, **changes):
    return augment_table(frame, entry(**changes), SETTINGS, LIMITS, JUDGING)


def refused(frame, **changes) -> str:
    """Return the line with which an augmentation is refused."""
    with pytest.raises(UserError) as error:
        made(frame, **changes)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("generator", ["bootstrap", "copula", "cart", "smote_nc"])
@pytest.mark.parametrize("plan", PLANS)
def test_every_plan_and_generator_adds_the_rows_of_the_plan_below_the_real_ones(folder, plan, generator):
    frame = prepared(folder, people())
    table, about = made(frame, plan=plan, generator=generator)
    table = table.frame
    real, more = table[table["synthetic"] == 0], table[table["synthetic"] == 1]
    counts = pd.crosstab(frame["sex"], frame["y"]).to_numpy()
    added = pd.crosstab(more["sex"], more["y"]).reindex(index=["F", "M"], columns=[0, 1], fill_value=0).to_numpy()
    wanted = rows_to_add(plan, counts)
    assert (added.sum(1) == wanted).all() if wanted.ndim == 1 else (added == wanted).all()
    assert len(real) == len(frame) and table["synthetic"].is_monotonic_increasing
    for name in frame:
        assert (real[name].to_numpy() == frame[name].to_numpy()).all(), name
    assert set(more["row_id"]) == {-1} and set(more["constant"]) == {"same"}
    assert (more["repaid"] == np.where(more["y"] == 1, "yes", "no")).all()
    assert list(table)[-3:] == ["repaid", "y", "synthetic"] and table["children"].dtype == np.int64
    assert about["added"] == len(more) == sum(row["added"] for row in about["counts"])


def test_columns_without_a_generator_follow_from_others_or_are_empty(folder):
    frame = prepared(folder, people())
    table, about = made(frame, generator="cart")
    more = table.frame[table.frame["synthetic"] == 1]
    assert about["followed"] == {"county": "town"} and about["empty"] == ["weight"]
    assert (more["county"] == np.where(more["town"].isin(["Ulm", "Köln"]), "east", "west")).all()
    assert more["weight"].isna().all() and table.frame["weight"].dtype == "Int64"


def test_a_group_of_several_values_gets_values_of_real_rows_of_its_group_and_label(folder):
    frame = prepared(folder, people())
    frame.loc[(frame["origin"] == "C"), "y"] = 0  # C has label 0 only
    table, about = made(frame, attributes=["origin"], plan="class")
    more = table.frame[table.frame["synthetic"] == 1]
    assert about["drawn"] == ["origin"] and set(more["origin"]) <= {"A", "B", "C"}
    assert set(more.loc[(more["y"] == 1) & (more["origin"] != "A"), "origin"]) == {"B"}


def test_a_sensitive_column_that_is_no_feature_is_empty_with_a_warning(folder):
    _, about = made(prepared(folder, people(), categorical=["town", "constant"]))
    assert about["empty"] == ["weight", "origin"]
    assert any(line.startswith("origin: a sensitive column, and empty in synthetic rows") for line in about["warnings"])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_rows(folder, tmp_path):
    frame, bytes_of = prepared(folder, people()), []
    for place, seed in enumerate((1, 1, 2)):
        paths = {name: tmp_path / f"{place}.{name}" for name in ("table", "csv", "about")}
        write(*made(frame, generator="cart", seed=seed), folder / "mine.parquet", paths)
        bytes_of.append([paths[name].read_bytes() for name in ("table", "csv")])
    assert bytes_of[0] == bytes_of[1] and bytes_of[0][1] != bytes_of[2][1]


def test_text_that_a_spreadsheet_would_run_is_escaped_in_the_csv_alone(folder, tmp_path):
    frame = prepared(folder, people())
    paths = {name: tmp_path / name for name in ("table", "csv", "about")}
    write(*made(frame), folder / "mine.parquet", paths)
    assert set(pd.read_csv(paths["csv"])["town"]) == {"'=1+1", "Köln", "O'Hara, X", "Ulm"}
    assert set(read(paths["table"])["town"]) == {"=1+1", "Köln", "O'Hara, X", "Ulm"}


def test_a_dose_adds_that_fraction_of_every_part_rounded_down(folder):
    frame = prepared(folder, people())
    whole, half = (made(frame, plan="class_protected", dose=dose)[1]["counts"] for dose in (1.0, 0.5))
    assert [row["added"] // 2 for row in whole] == [row["added"] for row in half]
    _, about = made(frame, dose=1e-6)
    assert about["added"] == 0 and "adds no row" in about["warnings"][0]


def test_gaps_are_filled_and_said(folder):
    frame = people()
    frame.loc[:9, "income"], frame.loc[5:24, "town"] = np.nan, None
    frame.loc[[3, 4], "children"] = None
    table, about = made(prepared(folder, frame, incomplete="keep", keep=[]), generator="cart")
    assert not table.frame.drop(columns="row_id").isna().any().any()
    assert {name: found[0] for name, found in about["filled"].items()} == {"income": 10, "children": 2, "town": 20}
    assert table.frame["children"].dtype == np.int64
    frame["income"] = np.nan
    assert refused(prepared(folder, frame, incomplete="keep", keep=[])).startswith("income: has no value")


def test_fifty_groups_work_with_a_warning_and_an_empty_combination_is_named(folder):
    frame = people(3000)
    frame["sex"] = [f"g{place % 50:02}" for place in range(len(frame))]
    groups = {f"g{place:02}": [f"g{place:02}"] for place in range(50)}
    attributes = {"sex": {"column": "sex", "groups": groups, "privileged": "g00"}}
    _, about = made(prepared(folder, frame, attributes=attributes), plan="class")
    assert any("50 groups" in line for line in about["warnings"])
    assert all(len(line) < 400 for line in about["warnings"])
    frame.loc[frame["sex"] == "g07", "repaid"] = "no"
    line = refused(prepared(folder, frame, attributes=attributes), plan="class")
    assert "plan class adds rows to g07, label 1, which has none" in line and "split" not in line


def test_what_cannot_be_carried_out_is_refused_in_one_line_before_anything_is_fitted(folder, monkeypatch):
    monkeypatch.setattr(augmentation, "fit", lambda *_: pytest.fail("something was fitted"))
    frame = people()
    one = frame.copy()
    one.loc[one["sex"] == "M", "repaid"] = "yes"
    assert "the largest group, men, has one label only" in refused(prepared(folder, one))
    few = frame[(frame["sex"] == "M") | (frame["repaid"] == "no") | (np.arange(len(frame)) == frame.index.max())]
    few = pd.concat([few, frame[(frame["sex"] == "F") & (frame["repaid"] == "yes")].head(2)])
    line = refused(prepared(folder, few), plan="class", generator="smote_nc")
    assert "women, label 1 has 2 training rows, and smote_nc needs 4" in line
    assert "needs a numeric column" in refused(prepared(folder, frame, numeric=[]), generator="smote_nc")
    assert "mine: no attribute 'age'; there are sex, origin" in refused(prepared(folder, frame), attributes=["age"])
    named = frame.rename(columns={"county": "synthetic"})
    line = refused(prepared(folder, named, keep=["synthetic"]))
    assert "a column 'synthetic' is there already" in line and "rename: {synthetic: my_synthetic}" in line
    with pytest.raises(UserError, match=r"would add [0-9]+ rows to 600, more than 0\.01 times as many"):
        augment_table(prepared(folder, frame), entry(), SETTINGS, LIMITS | {"most_added": 0.01}, JUDGING)
    with pytest.raises(UserError, match="which needs about 0 MB where 0 MB are allowed"):
        augment_table(prepared(folder, frame), entry(), SETTINGS, LIMITS | {"memory_mb": 0.01}, JUDGING)


@pytest.mark.parametrize("column", ["y", "row_id"])
def test_a_feature_named_like_a_column_of_ours_is_refused_with_the_way_out(folder, column):
    frame = people().rename(columns={"town": column})
    with pytest.raises(UserError, match=rf"{column} is the name of a column of ours; .* rename: {{{column}: my_"):
        prepared(folder, frame, categorical=[column])


def test_a_label_column_named_y_keeps_its_words_beside_it(folder):
    label = {"column": "y", "one": "yes", "zero": "no", "positive": "repaid"}
    table, _ = made(prepared(folder, people().rename(columns={"repaid": "y"}), label=label))
    assert list(table.frame)[-3:] == ["label", "y", "synthetic"] and set(table.frame["label"]) == {"yes", "no"}
