"""People of a folktables folder, with small synthetic files, and the files that it may wrongly hold."""

import logging
import zipfile

import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.multitask.sources import people_of
from scripts.multitask.sources.folktables import CATEGORICAL
from scripts.multitask.sources.folktables_files import codes, path_of, read_state

ROWS = 300
ENTRY = {"source": "folktables", "attribute": "sex", "train_year": 2018, "test_year": 2019, "rarest": 0.0}


def persons(year, seed, rows=ROWS):
    """Rows of one file: numbers as the Census Bureau writes them, with gaps for people whom a question skips."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "SERIALNO": [f"{year}HU{number:07d}" for number in range(rows)],
            "SPORDER": 1,
            "ST": 6,
            "PUMA": [f"{code:05d}" for code in rng.choice([101, 3701, 11300], rows)],
            "POWPUMA": rng.choice(["00100", "00590", ""], rows),
            "AGEP": rng.integers(15, 90, rows),
            "SEX": rng.integers(1, 3, rows),
            "PINCP": rng.integers(0, 120_000, rows),
            "POVPIP": rng.choice([100, 250, 501, np.nan], rows),
            "JWMNP": rng.choice([5, 20, 21, np.nan], rows),
            "ESR": rng.choice([1, 3, 6], rows),
            "HINS2": rng.integers(1, 3, rows),
            "WKHP": rng.choice([40, 20, np.nan], rows, p=[0.7, 0.2, 0.1]),
            "PWGTP": rng.integers(1, 50, rows),
            ("JWTR" if year < 2019 else "JWTRNS"): rng.choice([1, 3, 4, 11, np.nan], rows),
        }
    )
    others = [name for name in CATEGORICAL if name not in frame and name != "JWTR"]
    return frame.assign(**{name: rng.choice([1, 2, np.nan], rows) for name in others})


def write(folder, year, frame, state="CA"):
    path = path_of(folder, year, state)
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, 2018, persons(2018, 1))
    write(tmp_path, 2019, persons(2019, 2))
    return tmp_path


def acs(folder, **changes):
    return people_of("acs18", ENTRY | changes, {"folder": str(folder)})


def test_the_five_published_tasks_of_the_people_that_the_published_filter_keeps(folder):
    people = acs(folder)
    kept = [
        frame[(frame.AGEP > 16) & (frame.PINCP > 100) & (frame.WKHP > 0)]
        for frame in (persons(2018, 1), persons(2019, 2))
    ]
    both = pd.concat(kept)
    expected = [both.ESR == 1, both.PINCP > 50_000, both.HINS2 == 1, both.JWMNP > 20, both.POVPIP < 250]
    assert people.tasks == ("employed", "income", "insured", "long_commute", "poverty")
    assert (people.labels == np.column_stack(expected)).all()
    assert (people.groups == (both.SEX == 1)).all() and people.group_names == ("women", "men")
    assert (people.split == 2).sum() == len(kept[1])
    assert (people.split == 1).sum() == round(len(kept[0]) / 3)
    assert people.row_ids.tolist() == [20_180_000_000 + i for i in kept[0].index] + [
        20_190_000_000 + i for i in kept[1].index
    ]
    assert people.title == "ACS 2018 to 2019, 1 state"


def test_nineteen_of_the_twenty_columns_are_features_and_sex_is_not(folder):
    people = acs(folder)
    kinds = {name.partition("=")[0].removesuffix(": rare") for name in people.feature_names}
    assert kinds == {"AGEP", *CATEGORICAL} and len(kinds) == 19 and "SEX" not in kinds
    dropped = acs(folder, drop=["JWTR", "POWPUMA"])
    assert not any(name.startswith(("JWTR", "POWPUMA")) for name in dropped.feature_names)


def test_adults_are_kept_by_the_other_filter(folder):
    people = acs(folder, filter="adults")
    assert len(people.row_ids) == sum((persons(*which).AGEP >= 18).sum() for which in ((2018, 1), (2019, 2)))


def test_commutes_of_both_years_have_the_same_categories_though_their_columns_differ(folder):
    names = {name for name in acs(folder).feature_names if name.startswith("JWTR")}
    assert names == {"JWTR=1", "JWTR=11", "JWTR=none", "JWTR=rail"}


def test_area_codes_are_text_so_a_year_that_lost_its_zeros_has_the_same_areas(folder, tmp_path):
    plain = acs(folder)
    assert {name for name in plain.feature_names if name.startswith("PUMA")} == {
        "PUMA=00101",
        "PUMA=03701",
        "PUMA=11300",
    }
    frame = persons(2019, 2)
    write(folder, 2019, frame.assign(PUMA=frame.PUMA.astype(int), POWPUMA=pd.to_numeric(frame.POWPUMA)))
    assert (acs(folder).features == plain.features).all()


def test_codes_that_are_no_areas_are_refused(folder):
    assert codes(pd.Series(["101", "101.0", "00101", None]), 5, "f").tolist()[:3] == ["00101"] * 3
    write(folder, 2018, persons(2018, 1).assign(PUMA="Alameda"))
    with pytest.raises(UserError, match=r"psam_p06\.csv: PUMA is 'Alameda', no area code of 5 digits"):
        acs(folder)


def test_archives_as_they_are_downloaded_are_read(folder):
    plain = acs(folder)
    path = path_of(folder, 2018, "CA")
    with zipfile.ZipFile(path.with_name("csv_pca.zip"), "w") as archive:
        archive.write(path, path.name)
    path.unlink()
    assert (acs(folder).features == plain.features).all()


def test_all_states_that_both_years_have_are_read_or_those_named(folder):
    write(folder, 2018, persons(2018, 3).assign(ST=48, SERIALNO="x"), "TX")
    assert acs(folder).title == "ACS 2018 to 2019, 1 state"
    write(folder, 2019, persons(2019, 4).assign(ST=48, SERIALNO="y"), "TX")
    two = acs(folder)
    assert two.title == "ACS 2018 to 2019, 2 states" and {"ST=6", "ST=48"} < {*two.feature_names}
    assert len({*two.row_ids.tolist()}) == len(two.row_ids)
    one = acs(folder, states=["TX"])
    assert [name for name in one.feature_names if name.startswith("ST")] == ["ST=48"]


@pytest.mark.parametrize("start", [b"<!DOCTYPE html><html>403 Forbidden</html>", b"\n <HTML>moved</HTML>"])
@pytest.mark.parametrize("packed", [False, True])
def test_an_html_page_under_the_name_of_a_file_is_refused(folder, start, packed):
    path = path_of(folder, 2019, "CA")
    if packed:
        path.unlink()
        path = path.with_name("csv_pca.zip")
    path.write_bytes(start)
    kind = "zip" if packed else "csv"
    with pytest.raises(
        UserError, match=rf"{path.name}: is an HTML page, no {kind} file .*; get it again from"
    ) as refused:
        acs(folder)
    assert "\n" not in str(refused.value)


def test_years_that_share_people_are_refused(folder):
    with pytest.raises(UserError, match="train_year and test_year are both 2018: they share all rows"):
        acs(folder, test_year=2018)
    frame = persons(2018, 1)
    write(folder, 2019, pd.concat([persons(2019, 2).rename(columns={"JWTRNS": "JWTR"}), frame.iloc[:20]]))
    kept = frame.iloc[:20]
    count = ((kept.AGEP > 16) & (kept.PINCP > 100) & (kept.WKHP > 0)).sum()
    with pytest.raises(UserError, match=f"folktables: {count} people stand in the files of 2018 and of 2019 "):
        acs(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="HINS2"), r"psam_p06\.csv: the column HINS2 is missing"),
        (lambda f: f.drop(columns="JWTR"), r"the column JWTR \(or JWTRNS\) is missing"),
        (lambda f: f.drop(columns=["SERIALNO", "ESR"]), "the column SERIALNO, ESR is missing"),
        (lambda f: f.assign(PINCP="much"), r"psam_p06\.csv: PINCP is 'much', no number"),
        (lambda f: f.assign(AGEP=10), "no person of 2018 is kept by the filter published"),
    ],
)
def test_files_that_lack_columns_or_people_are_refused(folder, change, message):
    write(folder, 2018, change(persons(2018, 1)))
    with pytest.raises(UserError, match=message):
        acs(folder)


def test_damaged_archives_and_empty_files_are_refused(folder):
    path = path_of(folder, 2018, "CA")
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"psam_p06\.csv: damaged or no ACS person file"):
        acs(folder)
    path.unlink()
    path.with_name("csv_pca.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(UserError, match=r"csv_pca\.zip: damaged or no ACS person file"):
        acs(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_year": 2021}, "no state has both 2018/1-Year/psam_pXX.csv and 2021/1-Year/psam_pXX.csv"),
        ({"states": ["TX"]}, r"2018/1-Year/psam_p48\.csv: no such file; take TX out of states"),
        ({"states": ["California"]}, r"acs18\.states: there is no state 'California'; write postal codes"),
        ({"tasks": ["wealth"]}, r"acs18\.tasks: there is no task 'wealth'"),
        ({"drop": ["SEX"]}, r"acs18\.drop: there is no feature 'SEX'; there are AGEP, SCHL"),
    ],
)
def test_entries_that_do_not_fit_the_folder_are_refused(folder, changes, message):
    with pytest.raises(UserError, match=message):
        acs(folder, **changes)


def test_areas_before_and_from_2022_on_are_warned_of(folder, caplog):
    write(folder, 2022, persons(2022, 5))
    with caplog.at_level(logging.WARNING, "counterweight"):
        acs(folder)
        assert not caplog.records
        acs(folder, test_year=2022)
    assert "PUMA and POWPUMA of 2022 on are other areas than those before; drop both" in caplog.text


def test_the_state_column_of_2023_is_that_of_earlier_years(folder):
    write(folder, 2023, persons(2023, 6).rename(columns={"ST": "STATE"}))
    frame, _ = read_state(folder, 2023, "CA", ["ST", "JWTR"])
    assert frame["ST"].unique().tolist() == [6] and "JWTR" in frame
