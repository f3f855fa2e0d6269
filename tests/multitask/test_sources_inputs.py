"""Which files a dataset is made from, which datasets take part, and the rule's script from a source to the file."""

import logging

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.common.imports import project_imports
from scripts.multitask import people as files
from scripts.multitask.inputs import inputs, is_given, places, users_files
from scripts.multitask.multitask_prepare import prepare
from scripts.multitask.sources import SOURCES, people_of
from tests.workflow.conftest import ROOT

NOTHING = {"acs": "", "folktables": ""}
ACS = {"source": "acs", "attribute": "sex"}
FOLK = {"source": "folktables", "attribute": "sex", "train_year": 2018, "test_year": 2019}
GENERATED = {"source": "generated", "attribute": "group", "rows": 400, "tasks": 4}


def test_inputs_by_source():
    table = {"source": "table", "table": "adult", "attribute": "sex"}
    assert inputs(table, NOTHING) == ["results/data/tabular/adult.parquet"]
    celeba = ["results/data/celeba/attributes.parquet", "results/data/celeba/partitions.parquet"]
    assert inputs({"source": "celeba"}, NOTHING) == celeba
    faces = ["images.npy", "index.parquet", "dataset.json"]
    assert inputs({"source": "faces"}, NOTHING) == celeba + [f"results/data/faces/{name}" for name in faces]
    assert inputs(GENERATED, NOTHING) == []
    assert len(inputs(ACS, NOTHING | {"acs": "download"})) == 6
    assert inputs(ACS, NOTHING | {"acs": "download"})[0] == "results/data/acs/national2018.csv"


def test_sources_that_only_a_user_has_take_part_where_the_config_names_them():
    assert not is_given(ACS, NOTHING) and is_given(ACS, NOTHING | {"acs": "download"})
    assert not is_given(FOLK, NOTHING) and is_given(FOLK, NOTHING | {"folktables": "/data"})
    assert is_given(GENERATED, NOTHING) and is_given({"source": "table", "table": "adult"}, NOTHING)
    assert not is_given({"source": "table", "table": "dutch"}, NOTHING)


def test_of_a_users_folder_only_files_that_are_there_are_inputs(tmp_path):
    study = {"acs": str(tmp_path), "folktables": str(tmp_path)}
    assert inputs(ACS, study) == [] and inputs(FOLK, study) == []
    (tmp_path / "ma2018.csv").touch()
    for year, name in ((2018, "psam_p06.csv"), (2019, "csv_pca.zip"), (2021, "psam_p06.csv")):
        (tmp_path / f"{year}/1-Year").mkdir(parents=True)
        (tmp_path / f"{year}/1-Year/{name}").touch()
    assert inputs(ACS, study) == users_files(ACS, study) == [f"{tmp_path}/ma2018.csv"]
    expected = [f"{tmp_path}/2018/1-Year/psam_p06.csv", f"{tmp_path}/2019/1-Year/csv_pca.zip"]
    assert inputs(FOLK, study) == expected and inputs(FOLK | {"states": ["TX"]}, study) == []
    assert users_files(ACS, study | {"acs": "download"}) == users_files(ACS, study | {"acs": "/no/such/folder"}) == []


def test_a_folder_of_the_name_download_is_not_taken_for_the_users(tmp_path, monkeypatch):
    (tmp_path / "download").mkdir()
    (tmp_path / "download/ma2018.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert users_files(ACS, NOTHING | {"acs": "download"}) == []
    assert places(ACS, NOTHING | {"acs": "download"}) == {"folder": "results/data/acs"}


def test_a_missing_folder_ends_in_one_line(tmp_path):
    study = {"acs": str(tmp_path / "none"), "folktables": str(tmp_path / "none")}
    with pytest.raises(UserError, match=r"none: national2018\.csv is missing; get"):
        people_of("acs", ACS, places(ACS, study))
    with pytest.raises(UserError, match=r"none: no state has both 2018/1-Year/psam_pXX\.csv"):
        people_of("folk", FOLK, places(FOLK, study))


def test_every_source_has_a_file_that_the_script_does_not_import_by_itself():
    imported = project_imports("scripts/multitask/multitask_prepare.py", ROOT)
    for module in SOURCES.values():
        path = f"scripts/multitask/sources/{module}.py"
        assert (ROOT / path).is_file() and path not in imported, "an edit of one source makes no other dataset again"


def test_the_script_writes_what_the_source_gives_and_logs_rates(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "counterweight"):
        prepare("synthetic", GENERATED, {}, tmp_path / "synthetic.parquet")
    written, given = files.read(tmp_path / "synthetic.parquet"), people_of("synthetic", GENERATED, {})
    for name in ("row_ids", "split", "groups", "labels", "features"):
        assert (getattr(written, name) == getattr(given, name)).all()
    assert (written.tasks, written.clusters, written.group_names) == (given.tasks, given.clusters, given.group_names)
    assert f"a1: label 1 in {np.mean(given.labels[:, 0]):.3f} (group A " in caplog.text


def test_the_same_entry_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        prepare("synthetic", GENERATED, {}, tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_people_that_cannot_be_used_are_not_written(tmp_path):
    with pytest.raises(UserError, match=r"datasets\.synthetic: "):
        prepare("synthetic", GENERATED | {"share": 0.0}, {}, tmp_path / "synthetic.parquet")
    assert not (tmp_path / "synthetic.parquet").exists()
