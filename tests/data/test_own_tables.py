"""Tables of a user's own: read as they come, by their descriptions; every mistake is one clear line."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from scripts.common import parquet, tabular
from scripts.common.errors import UserError
from scripts.common.own_tables import register
from scripts.common.tabular import groups, table_of, two_group_name, two_groups
from scripts.data.describe_table import draft
from scripts.data.own_table_description import write_description
from scripts.data.tabular import finished, make_table, official_rows
from scripts.data.user_table import user_table
from tests.data.own_table import description, people

MIRROR = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def only_here():
    yield
    register({})


def made(tmp_path: Path, frame: pd.DataFrame | bytes, name: str = "loans.csv", **changes) -> pd.DataFrame:
    """Return the table of a file with this content."""
    path = tmp_path / name
    path.write_bytes(frame if isinstance(frame, bytes) else frame.to_csv(index=False).encode())
    register({"loans": description(path, **changes)})
    make_table(path, "loans", {}, tmp_path / "loans.parquet")
    return parquet.read(tmp_path / "loans.parquet")


def refused(tmp_path: Path, frame: pd.DataFrame | bytes, words: str, **changes) -> None:
    with pytest.raises(UserError, match=words) as error:
        made(tmp_path, frame, **changes)
    assert "\n" not in str(error.value) and len(str(error.value)) < 600


def test_a_users_table_has_the_declared_columns_and_groups(tmp_path):
    frame, source = made(tmp_path, people()), people()
    assert list(frame) == ["row_id", "y", "income", "debt", "age", "gender", "region", "branch"]
    assert frame["y"].tolist() == (source["granted"] == "yes").astype(int).tolist()
    table = table_of("loans")
    assert table.attributes["region"].words == ("east", "islands", "south", "west", "north")
    codes = groups(frame, table, "region")
    assert [table.attributes["region"].words[code] for code in codes] == source["region"].tolist()
    assert two_groups(frame, table, "region").tolist() == (source["region"] == "north").astype(int).tolist()
    assert [two_group_name(table, name) for name in table.attributes] == ["gender", "age_privileged",
                                                                          "region_privileged"]  # fmt: skip
    assert np.array_equal(groups(frame, table, "age") == 2, source["age"].between(30, 59))


def test_the_description_that_jobs_read_is_that_of_the_config(tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "MADE", tmp_path)
    register({"loans": description(tmp_path / "loans.csv")})
    planned = table_of("loans")
    write_description(tabular.OWN["loans"], tmp_path / "loans.yaml")
    register({})
    assert table_of("loans") == planned
    table_of.cache_clear()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def forms() -> dict[str, bytes]:
    """Return the same table as different programs write it."""
    frame = people(300)
    csv = frame.to_csv(index=False)
    german = frame.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n", quoting=1)
    packed = io.BytesIO()
    frame.to_parquet(packed)
    return {
        "plain": csv.encode(),
        "semicolons, quotes, BOM, CRLF, decimal commas": b"\xef\xbb\xbf" + german.encode(),
        "tabs": frame.to_csv(index=False, sep="\t").encode(),
        "Parquet": packed.getvalue(),
        "zip": zipped(**{"data/loans.csv": csv.encode(), "__MACOSX/._loans.csv": b"x"}),
        "zip in a zip": zipped(**{"loans.zip": zipped(**{"loans.csv": csv.encode()})}),
    }


@pytest.mark.parametrize("form", forms())
def test_the_same_table_comes_from_every_form(form, tmp_path):
    expected = made(tmp_path, people(300))
    pd.testing.assert_frame_equal(made(tmp_path, forms()[form], name="table"), expected)


def test_latin_1_and_thousands_separators(tmp_path):
    frame = people(300).assign(income=[f"{1000 + n:,}" for n in range(300)])
    frame["branch"] = frame["branch"].replace("a", "Köln")
    found = made(tmp_path, frame.to_csv(index=False).encode("latin-1"))
    assert found["income"].tolist() == list(range(1000, 1300)) and "Köln" in set(found["branch"])


def test_formulas_and_other_texts_stay_texts(tmp_path):
    frame = people(300)
    frame["branch"] = frame["branch"].replace("a", "=1+1")
    assert "=1+1" in set(made(tmp_path, frame)["branch"])


def with_value(column: str, value: object, rows: int = 3) -> pd.DataFrame:
    frame = people(300).astype({column: object})
    frame.loc[: rows - 1, column] = value
    return frame


def nested() -> bytes:
    packed = io.BytesIO()
    people(300).assign(region=[[name] for name in people(300)["region"]]).to_parquet(packed)
    return packed.getvalue()


BAD_FILES = {
    "empty": (b"", "is empty"),
    "header alone": (people(300).head(0).to_csv(index=False).encode(), "no rows"),
    "missing column": (people(300).drop(columns="debt"), "there is no column 'debt'; it has 'customer', 'income'"),
    "missing label": (people(300).drop(columns="granted"), "there is no column 'granted'; it has 'customer', 'income'"),
    "duplicate names": (people(300).rename(columns={"debt": "income"}), "'income' stands there more than once"),
    "one label": (people(300).assign(granted="yes"), "all 300 rows have the label yes"),
    "three labels": (with_value("granted", "perhaps"), "row 0 has the label 'perhaps', expected no or yes"),
    "no label": (with_value("granted", None), "row 0 has no label .granted is missing in 3 rows"),
    "no group": (with_value("region", None), "the attribute region is missing in 3 rows .*`incomplete: drop`"),
    "unknown group": (with_value("region", "moon"), "region is 'moon', which is in no group of region, in 3 rows"),
    "absent group": (people(300).assign(gender="f"), "the group 'men' of gender has no rows"),
    "a gap": (with_value("debt", None), "debt is missing in 3 rows"),
    "a word": (with_value("debt", "much"), "debt is no number in 3 rows, such as 'much' in row 0"),
    "infinite": (people(300).assign(debt=np.inf), "debt is no number in 300 rows"),
    "nested Parquet": (nested(), "'region' is of type list"),
    "a web page": (b"<!DOCTYPE html><html></html>", "web page"),
    "Excel": (b"\xd0\xcf\x11\xe0" + bytes(600), "Excel workbook .*save the sheet as CSV"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file_is_one_line(what, tmp_path):
    refused(tmp_path, *BAD_FILES[what])


def test_columns_that_are_not_used_may_be_anything(tmp_path):
    packed = io.BytesIO()
    people(300).assign(more=[[1]] * 300).to_parquet(packed)
    assert "more" not in made(tmp_path, packed.getvalue())


def test_missing_rows_are_left_out_or_a_category_where_the_description_says_so(tmp_path):
    frame = with_value("branch", "?", 5)
    assert len(made(tmp_path, frame, missing=["?"], incomplete="drop")) == 295
    assert (made(tmp_path, frame, missing=["?"], incomplete="category")["branch"] == "?").sum() == 5
    refused(tmp_path, with_value("region", None), "attribute region is missing", incomplete="category")


def test_a_path_that_leads_nowhere_is_named_with_its_key(tmp_path):
    register({"loans": description(tmp_path / "none.csv")})
    with pytest.raises(UserError, match=r"tables.loans: .*none.csv: no such file; correct the path"):
        user_table(str(tmp_path / "none.csv"), "loans", {}, tmp_path / "loans.parquet", "tables")


def test_a_small_group_and_many_groups_are_named_and_kept(tmp_path, caplog):
    frame = people(600)
    frame.loc[frame.index[frame["region"] == "islands"][12:], "region"] = "west"
    frame["branch"] = [f"b{n % 50:02}" for n in range(600)]
    fifty = {"column": "branch", "groups": {f"b{n:02}": [f"b{n:02}"] for n in range(50)}, "privileged": "b00"}
    attributes = description("x")["attributes"] | {"branch": fifty}
    found = made(tmp_path, frame, attributes=attributes)
    assert (found["region"] == "islands").sum() == 12
    assert "the group 'islands' of region has 12 people; it is kept" in caplog.text
    assert "branch has 50 groups" in caplog.text
    assert set(groups(found, table_of("loans"), "branch")) == set(range(50))


def changed(**changes) -> dict:
    return description("loans.csv", **changes)


def attribute(**changes) -> dict:
    return changed(attributes={"gender": description("x")["attributes"]["gender"] | changes})


BAD_DESCRIPTIONS = {
    "no label": ({key: value for key, value in changed().items() if key != "label"}, "tables.loans: label is missing"),
    "no file": ({key: value for key, value in changed().items() if key != "file"}, "'file' is a required property"),
    "an unknown key": (changed(labels=1), "'labels' was unexpected"),
    "an unknown table": ({"file": "a.csv", "like": "adlt"}, "loans.like: no built-in table 'adlt'; there are adult"),
    "a feature that is the label": (changed(numeric=["granted"]), "numeric: granted is the label"),
    "an attribute that is the label": (attribute(column="granted"), "attributes.gender: granted is the label"),
    "a dropped feature": (changed(numeric=["customer"]), "customer stands under `drop` too"),
    "a feature twice": (changed(categorical=["age"]), "age stands under numeric and categorical"),
    "no feature": (changed(numeric=[], categorical=[]), "there is no feature"),
    "a column of ours": (changed(numeric=["row_id"]), r"row_id is the name of a column of ours; .* rename: {row_id"),
    "y": (changed(categorical=["y"]), "y is the name of a column of ours"),
    "a group twice": (attribute(groups={"women": ["f"], "men": ["m", "f"]}), "value f stands in two groups"),
    "others twice": (attribute(groups={"women": "others", "men": "others"}), "two groups are 'others'"),
    "no privileged group": (attribute(privileged="boys"), "privileged: no group 'boys'; there are women, men"),
    "a semicolon in a name": (attribute(groups={"a;b": ["f"], "men": ["m"]}), "'a;b' does not match"),
    "one group": (attribute(groups={"men": ["m"]}), "does not have enough properties"),
    "an attribute named like a column of predictions": (
        changed(attributes={"score": description("x")["attributes"]["gender"]}), "score is a column of predictions"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_DESCRIPTIONS)
def test_a_bad_description_is_one_line_before_anything_runs(what):
    entry, words = BAD_DESCRIPTIONS[what]
    with pytest.raises(UserError, match=words) as error:
        register({"loans": entry})
    assert "\n" not in str(error.value) and str(error.value).startswith("config: tables.loans")


def test_the_name_of_a_built_in_table_and_a_bare_path_are_refused_with_the_way():
    with pytest.raises(UserError, match=r"tables.adult: is a built-in table; take another name, and `like: adult`"):
        register({"adult": changed()})
    with pytest.raises(UserError, match=r"a path alone is enough only for bank, dutch; .*make describe TABLE=a.csv"):
        register({"loans": "a.csv"})
    register({"bank": "bank.zip"})


def test_a_column_named_like_one_of_ours_can_be_renamed(tmp_path):
    frame = people(300).rename(columns={"debt": "y", "income": "row_id"})
    found = made(tmp_path, frame, rename={"y": "debt", "row_id": "income"})
    assert found["debt"].tolist() == people(300)["debt"].tolist() and found["row_id"].tolist() == list(range(300))


def test_a_draft_becomes_a_table_as_it_is(tmp_path, monkeypatch):
    frame = people().assign(leak=lambda f: (f["granted"] == "yes").map({True: "in", False: "out"}))
    (tmp_path / "Loans 2024.csv").write_text(frame.to_csv(index=False), encoding="utf-8")
    text = draft(tmp_path / "Loans 2024.csv")
    for remark in ("customer differs in", "country has one value", "leak tells the label", "islands: ", "granted, "):
        assert remark in text, text
    tables = yaml.safe_load(text)["tables"]
    about = tables["loans_2024"]
    assert about["label"] == {"column": "granted", "one": "yes", "zero": "no", "positive": "granted is yes"}
    assert about["numeric"] == ["income", "debt", "age"] and about["categorical"] == ["gender", "region", "branch"]
    assert set(about["drop"]) == {"customer", "country", "leak"} and set(about["attributes"]) == {"age", "gender"}
    register(tables)
    make_table(tmp_path / "Loans 2024.csv", "loans_2024", {}, tmp_path / "t.parquet")
    assert len(parquet.read(tmp_path / "t.parquet")) == 5000


def test_a_draft_names_small_groups_and_columns_of_ours(tmp_path):
    frame = people(300).rename(columns={"debt": "y"})
    frame["gender"] = ["x"] * 5 + ["f", "m"] * 147 + ["f"]
    (tmp_path / "a.csv").write_text(frame.to_csv(index=False), encoding="utf-8")
    text = draft(tmp_path / "a.csv")
    assert "WARNING: 'x' has fewer than 20 people" in text and "rename: {y: my_y}" in text


def uci_adult(header: str | None, rows: int = 400) -> bytes:
    path = MIRROR / "adult/adult.data"
    if not path.exists():
        pytest.skip("the mirror of the official files is absent")
    lines = path.read_text(encoding="utf-8").splitlines()[:rows]
    return "\n".join([header, *lines] if header else lines).encode()


KAGGLE = {
    "uciml": "age,workclass,fnlwgt,education,education.num,marital.status,occupation,relationship,race,sex,"
    "capital.gain,capital.loss,hours.per.week,native.country,income",
    "wenruliu": "age,workclass,fnlwgt,education,educational-num,marital-status,occupation,relationship,race,gender,"
    "capital-gain,capital-loss,hours-per-week,native-country,income",
    "UCI without names": None,
}


@pytest.mark.parametrize("copy", KAGGLE)
def test_copies_of_adult_are_read_as_they_come(copy, tmp_path):
    (tmp_path / "adult.csv").write_bytes(uci_adult(KAGGLE[copy]))
    register({"mine": {"file": str(tmp_path / "adult.csv"), "like": "adult"}})
    make_table(tmp_path / "adult.csv", "mine", {}, tmp_path / "t.parquet")
    frame = parquet.read(tmp_path / "t.parquet")
    assert table_of("mine").title == "AdultCensus (mine)" and frame["sex"].isin(["Male", "Female"]).all()
    assert 350 < len(frame) < 400 and set(table_of("adult").columns) <= set(frame) and set(frame["y"]) == {0, 1}


def test_the_archive_of_uci_is_adult_whatever_its_name(tmp_path):
    data = MIRROR / "adult"
    if not data.exists():
        pytest.skip("the mirror of the official files is absent")
    files = {name: (data / name).read_bytes() for name in ("adult.data", "adult.test", "adult.names")}
    (tmp_path / "x.zip").write_bytes(zipped(**files, Index=b"x"))
    register({"mine": {"file": str(tmp_path / "x.zip"), "like": "adult_all"}})
    make_table(tmp_path / "x.zip", "mine", {}, tmp_path / "t.parquet")
    frame = parquet.read(tmp_path / "t.parquet")
    assert len(frame) == 48842 and frame["complete"].sum() == 45222


def test_other_files_of_compas_are_read_as_they_come(tmp_path):
    path = MIRROR / "compas/compas-scores-two-years-violent.csv"
    if not path.exists():
        pytest.skip("the mirror of the official files is absent")
    register({"violent": {"file": str(path), "like": "compas"}})
    make_table(path, "violent", {}, tmp_path / "t.parquet")
    frame = parquet.read(tmp_path / "t.parquet")
    assert len(frame) == 4743 and frame["filtered"].sum() == 4020 and not {"name", "first", "dob"} & set(frame)
    kept = frame[frame["filtered"]].drop(columns=["filtered", "row_id", "y"]).assign(two_year_recid=1)
    kept.loc[kept.index[:9], "two_year_recid"] = 0
    kept.to_csv(tmp_path / "clean.csv", index=False)
    register({"clean": {"file": str(tmp_path / "clean.csv"), "like": "compas"}})
    make_table(tmp_path / "clean.csv", "clean", {}, tmp_path / "t.parquet")
    assert parquet.read(tmp_path / "t.parquet")["filtered"].all()


def test_other_copies_of_credit_are_the_table_of_the_package(tmp_path):
    path = MIRROR / "credit/credit-card-clients.csv"
    if not path.exists():
        pytest.skip("the mirror of the official files is absent")
    frame = pd.read_csv(path)
    uci = frame.rename(columns={"default payment": "default.payment.next.month"}).assign(ID=range(len(frame)))
    for name, own in (("a.csv", frame), ("b.csv", uci)):
        own.to_csv(tmp_path / name, index=False)
        register({"mine": {"file": str(tmp_path / name), "like": "credit"}})
        make_table(tmp_path / name, "mine", {}, tmp_path / f"{name}.parquet")
    first, second = (parquet.read(tmp_path / f"{name}.parquet") for name in ("a.csv", "b.csv"))
    pd.testing.assert_frame_equal(first, second)
    assert first["y"].sum() == 6636 and (first["sex"] == "male").sum() == 11888


def test_the_dutch_census_is_read_from_its_arff():
    names = ["sex", "age", "household_position", "household_size", "prev_residence_place", "citizenship"]
    names += ["country_birth", "edu_level", "economic_status", "cur_eco_activity", "Marital_status"]
    head = "@relation x\n\n" + "".join(f"@attribute {name} {{1,2}}\n" for name in names)
    rows = ["2" + ",1" * 10 + ",2_1", "1" + ",2" * 10 + ",5_4_9"] * 3
    text = (head + "@attribute occupation {5_4_9,2_1}\n\n@data\n\n" + "\n".join(rows)).encode()
    frame = finished(official_rows({"dutch_census_2001.arff": text}, table_of("dutch")), table_of("dutch"))
    assert frame["y"].tolist() == [1, 0] * 3 and groups(frame, table_of("dutch"), "sex").tolist() == [0, 1] * 3
    assert frame["marital_status"].tolist() == ["1", "2"] * 3
