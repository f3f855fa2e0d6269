"""People of tables: Adult with five tasks, a user's own table with several labels, and what is refused."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet, tabular
from scripts.common.errors import UserError
from scripts.common.own_tables import register
from scripts.common.tabular import table_of
from scripts.data.tabular import make_table
from scripts.multitask.checks import leaks
from scripts.multitask.sources import people_of

MIRROR = Path(__file__).parents[3] / "shared" / "data" / "adult"
ADULT = {"source": "table", "table": "adult", "attribute": "sex"}
RATES = {  # all, men, women; of the reference, where income of men is .313
    "income": (0.248, 0.312, 0.114),
    "long_hours": (0.305, 0.370, 0.170),
    "married": (0.479, 0.627, 0.171),
    "degree": (0.252, None, None),
    "capital_gain": (0.084, None, None),
}


@pytest.fixture(scope="module")
def adult_table(tmp_path_factory):
    """The path of the prepared real table, from the mirror of the official files."""
    if not MIRROR.exists():
        pytest.skip("the mirror of Adult's official files is absent")
    folder = tmp_path_factory.mktemp("adult")
    with zipfile.ZipFile(folder / "adult.zip", "w") as archive:
        for name in table_of("adult").members:
            archive.write(MIRROR / name, name)
    make_table(folder / "adult.zip", "adult", table_of("adult").members, folder / "adult.parquet")
    return str(folder / "adult.parquet")


def adults(path, **changes):
    return people_of("adult", ADULT | changes, {"table": path})


def test_the_tasks_of_adult_have_the_rates_of_the_reference(adult_table):
    people = adults(adult_table)
    assert people.tasks == tuple(RATES) and people.group_names == ("women", "men") and people.title == "AdultCensus"
    for task, labels in zip(people.tasks, people.labels.T, strict=True):
        everyone, men, women = RATES[task]
        assert labels.mean() == pytest.approx(everyone, abs=5e-4), task
        if men:
            assert labels[people.groups == 1].mean() == pytest.approx(men, abs=5e-4), task
            assert labels[people.groups == 0].mean() == pytest.approx(women, abs=5e-4), task


def test_columns_of_tasks_of_the_attribute_and_dropped_ones_are_no_features(adult_table):
    people = adults(adult_table)
    names = {name.partition("=")[0].removesuffix(": rare") for name in people.feature_names}
    assert names == {"age", "workclass", "occupation", "race", "native_country", "capital_loss"}
    assert [*leaks(people)] == []
    tasks = {"income": {"column": "y"}, "long": {"column": "hours_per_week", "values": {"above": 40}}}
    kept = adults(adult_table, drop=[], tasks=tasks)
    assert any(name.startswith("relationship=") for name in kept.feature_names)
    assert not any(name.startswith(("sex", "hours")) for name in kept.feature_names)


def test_the_split_is_three_tenths_test_and_always_the_same(adult_table):
    one, two = adults(adult_table), adults(adult_table, attribute="race", drop=[])
    assert np.bincount(one.split).tolist() == [21103, 10552, 13567]
    assert (one.split == two.split).all() and (one.row_ids == two.row_ids).all()
    assert not any(name.startswith("race") for name in two.feature_names)
    assert any(name.startswith("sex=") for name in two.feature_names)


def test_fewer_rows_are_named_in_the_title_and_standardised_among_themselves(adult_table):
    people = adults(adult_table, most_rows={"train": 2000, "valid": 500, "test": 700})
    assert people.title == "AdultCensus, 2,000 training rows"
    assert np.bincount(people.split).tolist() == [2000, 500, 700]
    age = people.features[people.rows("train"), people.feature_names.index("age")]
    assert age.mean() == pytest.approx(0, abs=1e-5) and age.std() == pytest.approx(1, abs=1e-5)
    assert len(adults(adult_table, most_rows=800).row_ids) == 800


def test_an_attribute_may_have_more_than_two_groups(adult_table):
    people = adults(adult_table, attribute="race_five")
    assert len(people.group_names) == 5 and {*people.groups} == {0, 1, 2, 3, 4}
    assert not any(name.startswith("race") for name in people.feature_names)


def test_a_task_may_be_read_off_a_column_that_is_only_kept(adult_table):
    tasks = {"income": {"column": "y"}, "school": {"column": "education", "values": ["HS-grad", "11th"]}}
    people = adults(adult_table, tasks=tasks, drop=["education_num"])
    expected = parquet.read(adult_table)["education"].isin(["HS-grad", "11th"])
    assert people.labels[:, 1].tolist() == expected.astype(int).tolist()


def test_a_copy_of_a_task_among_the_features_is_named(adult_table):
    tasks = {"income": {"column": "y"}, "degree": {"column": "education", "values": DEGREES}}
    (line,) = leaks(adults(adult_table, tasks=tasks))
    assert line.startswith("the feature education_num alone tells the task degree (accuracy 1.000, majority 0.75")


DEGREES = ["Bachelors", "Masters", "Prof-school", "Doctorate"]


LOANS = {
    "label": {"column": "granted", "one": "yes", "zero": "no", "positive": "granted"},
    "numeric": ["income", "debt"],
    "categorical": ["region", "sex"],
    "keep": ["repaid", "defaulted", "score", "late"],
    "attributes": {"sex": {"column": "sex", "groups": {"women": ["f"], "men": ["m"]}, "privileged": "men"}},
}


@pytest.fixture
def loans(tmp_path):
    """The prepared table of a user with several label columns, and its frame."""
    rng = np.random.default_rng(3)
    rows = 200
    frame = pd.DataFrame(
        {
            "granted": rng.choice(["yes", "no"], rows),
            "income": rng.normal(size=rows).round(3),
            "debt": rng.normal(size=rows).round(3),
            "region": rng.choice(["north", "south"], rows),
            "sex": rng.choice(["f", "m"], rows),
            "repaid": rng.integers(0, 2, rows),
            "defaulted": rng.choice([True, False], rows),
            "score": rng.integers(1, 6, rows),
            "late": rng.choice(["often", "never"], rows),
        }
    )
    frame.to_csv(tmp_path / "loans.csv", index=False)
    register({"loans": LOANS | {"file": str(tmp_path / "loans.csv")}})
    make_table(tmp_path / "loans.csv", "loans", {}, tmp_path / "loans.parquet")
    yield str(tmp_path / "loans.parquet"), frame
    tabular.OWN.clear()
    table_of.cache_clear()


def loan_people(path, **tasks):
    entry = {"source": "table", "table": "loans", "attribute": "sex", "tasks": {"granted": {"column": "y"}} | tasks}
    return people_of("loans", entry, {"table": path})


def test_a_users_table_with_several_labels(loans):
    path, frame = loans
    people = loan_people(
        path,
        repaid={"column": "repaid"},
        defaulted={"column": "defaulted"},
        poor={"column": "debt", "values": {"above": 0}},
    )
    expected = [frame["granted"] == "yes", frame["repaid"] == 1, frame["defaulted"], frame["debt"] > 0]
    assert (people.labels == np.column_stack(expected)).all()
    assert people.feature_names == ("income", "region=north", "region=south")
    assert people.groups.tolist() == (frame["sex"] == "m").astype(int).tolist()


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"column": "wealth"}, "tasks.other: the table loans has no column 'wealth'; it has y, income, debt"),
        ({"column": "granted"}, "tasks.other: granted is the label of the table loans; write column: y"),
        ({"column": "score"}, r"tasks.other: score has more than two values \(1, 2, 3, 4, 5\); say under `values`"),
        ({"column": "late"}, r"tasks.other: late has other values than 0 and 1 \(never, often\); say under `values`"),
        ({"column": "sex", "values": ["f"]}, "tasks.other: sex is the column of the attribute; take another task"),
    ],
)
def test_a_task_that_cannot_be_read_is_refused_in_one_line(loans, task, message):
    with pytest.raises(UserError, match=message) as refused:
        loan_people(loans[0], other=task)
    assert str(refused.value).startswith("config: multitask.datasets.loans.tasks.other: ")


def test_gaps_unknown_features_and_missing_tasks_are_refused(loans, tmp_path):
    frame = parquet.read(loans[0])
    parquet.write(frame.assign(late=frame["late"].where(frame.index > 2)), tmp_path / "gaps.parquet")
    with pytest.raises(UserError, match=r"tasks\.late: late is missing in 3 rows; leave those rows out"):
        loan_people(str(tmp_path / "gaps.parquet"), late={"column": "late", "values": ["often"]})
    entry = {"source": "table", "table": "loans", "attribute": "sex"}
    with pytest.raises(UserError, match=r"datasets\.loans\.tasks: is missing; name at least two"):
        people_of("loans", entry, {"table": loans[0]})
    entry |= {"tasks": {"granted": {"column": "y"}}}
    with pytest.raises(UserError, match=r"loans\.drop: no feature 'height'; there are income, debt, region, sex"):
        people_of("loans", entry | {"drop": ["height"]}, {"table": loans[0]})
    with pytest.raises(UserError, match="loans: no feature is left"):
        people_of("loans", entry | {"drop": ["income", "debt", "region"]}, {"table": loans[0]})
    with pytest.raises(UserError, match="loans: no attribute 'race'; there are sex"):
        people_of("loans", entry | {"attribute": "race"}, {"table": loans[0]})
