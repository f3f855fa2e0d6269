"""People of the ACS excerpts: rates of the reference on the real rows, and files that are not the official ones."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.data import fetch_acs
from scripts.data.acs_files import FILES, address, find_acs_file, read_acs_file
from scripts.data.sources import SOURCES
from scripts.multitask.checks import leaks
from scripts.multitask.sources import people_of
from scripts.multitask.sources.acs import TASKS

MIRROR = Path(__file__).parents[3] / "shared" / "data" / "acs"
RATES = {  # of the reference, which rounds .13946 up to .140. 2018: all, men, women; 2019: all
    "income": (0.366, 0.456, 0.287, 0.385),
    "poverty": (0.306, 0.273, 0.335, 0.292),
    "worked": (0.770, 0.819, 0.727, 0.765),
    "owner": (0.678, 0.686, 0.670, 0.687),
    "disability": (0.140, 0.136, 0.143, 0.139),
    "married": (0.504, None, None, None),
    "degree": (0.435, None, None, None),
    "parent": (0.262, None, None, None),
}
ENTRY = {"source": "acs", "attribute": "sex"}


@pytest.fixture(scope="module")
def folder():
    if not MIRROR.exists():
        pytest.skip("the mirror of the ACS excerpts is absent")
    return str(MIRROR)


def acs(folder, **changes):
    return people_of("acs", ENTRY | changes, {"folder": folder})


def test_adults_in_households_have_the_rates_of_the_reference(folder):
    people = acs(folder, tasks=[*TASKS])
    early = people.split < 2
    assert (early.sum(), (~early).sum()) == (32_125, 33_047)
    assert (people.groups[early] == 0).mean() == pytest.approx(0.528, abs=5e-4)
    men = people.groups == 1
    for task, labels in zip(people.tasks, people.labels.T, strict=True):
        parts = [early, early & men, early & ~men, ~early]
        for rows, expected in zip(parts, RATES[task], strict=True):
            if expected is not None:
                assert labels[rows].mean() == pytest.approx(expected, abs=5.5e-4), task


def test_a_third_of_2018_is_validation_and_2019_is_the_test(folder):
    people = acs(folder)
    assert people.tasks == ("income", "poverty", "worked", "owner", "disability")
    assert np.bincount(people.split).tolist() == [21_417, 10_708, 33_047]
    assert ((people.row_ids // 1_000_000 == 2019) == (people.split == 2)).all()
    assert len({*people.row_ids.tolist()}) == len(people.row_ids)
    assert people.title == "ACS excerpts of 31 areas, 2018 to 2019"


def test_the_features_are_the_37_of_the_reference_and_tell_no_task(folder):
    people = acs(folder)
    kinds = [name.partition("=")[0] for name in people.feature_names]
    counts = {kind: kinds.count(kind) for kind in kinds}
    numbers = dict.fromkeys(["age", "age squared", "log density", "children", "family size"], 1)
    assert counts == numbers | {"EDU": 12, "RAC1P": 9, "HISP": 5, "MSP": 6} and len(kinds) == 37
    assert [*leaks(people)] == [] and np.isfinite(people.features).all()


def test_a_column_of_a_task_is_no_feature(folder):
    people = acs(folder, tasks=["married", "degree", "parent"])
    kinds = {name.partition("=")[0] for name in people.feature_names}
    assert kinds == {"age", "age squared", "log density", "family size", "RAC1P", "HISP"}


def test_fewer_rows_of_each_year(folder):
    people = acs(folder, most_rows={"train": 1000, "valid": 300, "test": 200})
    assert np.bincount(people.split).tolist() == [1000, 300, 200]
    assert people.title == "ACS excerpts of 31 areas, 2018 to 2019, 1,000 training rows"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": ["wealth", "income"]}, r"acs\.tasks: there is no task 'wealth'; there are income, poverty"),
        ({"attribute": "race"}, r"acs\.attribute: there is no 'race'; this source has sex"),
    ],
)
def test_unknown_tasks_and_attributes_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        acs("nowhere", **changes)


def test_sizes_of_the_registered_files_are_those_of_the_mirror(folder):
    assert {name: (MIRROR / name).stat().st_size for name in FILES} == {n: about["bytes"] for n, about in FILES.items()}
    assert all(read_acs_file(folder, name).startswith(fetch_acs.MAGIC) for name in FILES)


def test_files_with_other_line_ends_or_in_a_folder_below_are_taken(folder, tmp_path):
    content = (MIRROR / "ma2018.csv").read_bytes()
    (tmp_path / "massachusetts").mkdir()
    (tmp_path / "massachusetts" / "ma2018.csv").write_bytes(content.replace(b"\n", b"\r\n"))
    assert read_acs_file(tmp_path, "ma2018.csv") == content
    assert find_acs_file(tmp_path, "ma2018.csv") == tmp_path / "massachusetts" / "ma2018.csv"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"ma2018\.csv is missing; get ma2018\.csv from https://raw.*/massachusetts/ma2018\.csv, or set"),
        (b"<!DOCTYPE html><html>403</html>", "is an HTML page, no table"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:067b", "is a pointer of Git LFS, no table"),
        (b"PUMA,AGEP\n1,2\n", "has the sha256 [0-9a-f]{64}, expected 067b99e8"),
    ],
)
def test_a_file_that_is_not_the_official_one_is_refused_in_one_line(content, message, tmp_path):
    if content is not None:
        (tmp_path / "ma2018.csv").write_bytes(content)
    with pytest.raises(UserError, match=message) as refused:
        read_acs_file(tmp_path, "ma2018.csv")
    assert "\n" not in str(refused.value)


def test_an_edited_file_among_the_six_ends_the_dataset(folder, tmp_path):
    for name in FILES:
        shutil.copy(MIRROR / name, tmp_path / name)
    with (tmp_path / "tx2019.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(UserError, match=r"tx2019\.csv: has the sha256"):
        acs(str(tmp_path))


def test_the_download_asks_the_registered_address_for_the_registered_sum(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(fetch_acs, "fetch_file", lambda *args, **kwargs: asked.append((args, kwargs)))
    fetch_acs.fetch("tx2019.csv", FILES["tx2019.csv"], SOURCES["acs"]["url"], tmp_path / "tx2019.csv")
    (((output, addresses, size, sha256, by_hand), kwargs),) = asked
    assert addresses == [{"url": address("tx2019.csv")}] and address("tx2019.csv").endswith("/texas/tx2019.csv")
    assert (size, sha256) == (662_942, FILES["tx2019.csv"]["sha256"]) and output == tmp_path / "tx2019.csv"
    assert "multitask.acs" in by_hand and kwargs == {"magic": b"PUMA,AGEP,"}
