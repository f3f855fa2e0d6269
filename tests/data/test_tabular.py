"""The official tables: all rows of Adult, German, and the files that a user brings."""

import hashlib
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.common.tabular import encode, groups, table_of
from scripts.data.tabular import finished, make_table, official_rows
from scripts.data.user_file import read_user_file

MIRROR = Path(__file__).parents[3] / "shared" / "data"
FILES = {"german": "german/german.data", "bank": "bank/bank.zip", "credit": "credit/credit-card-clients.csv"}
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


def read(name: str, files: dict[str, bytes]) -> pd.DataFrame:
    """Return a table from the bytes of its official files."""
    return finished(official_rows(files, table_of(name)), table_of(name))


def test_all_rows_of_adult_keep_their_question_marks_and_the_complete_ones_do_not():
    files = {"adult.data": LINES, "adult.test": TEST_LINES}
    every, complete = read("adult_all", files), read("adult", files)
    assert every.workclass.tolist() == ["State-gov", "?"] * 2 and every.y.tolist() == [0, 1, 0, 1]
    assert every.complete.tolist() == [True, False] * 2 and complete.row_id.tolist() == [0, 2]
    assert every.race.tolist() == ["White", "other"] * 2
    assert every.native_country.tolist() == ["other", "United-States"] * 2
    assert groups(every, table_of("adult_all"), "sex").tolist() == [1, 0, 1, 0]


def test_an_unknown_label_is_named_in_one_line():
    files = {"adult.data": LINES.replace(b">50K", b">60K"), "adult.test": TEST_LINES}
    with pytest.raises(UserError, match="adult_all: row 1 has the label '>60K', expected <=50K or >50K"):
        read("adult_all", files)


def test_a_missing_column_is_named():
    content = io.BytesIO()
    pd.DataFrame({"SEX": [1, 2], "default payment": [0, 1]}).to_csv(content, index=False)
    with pytest.raises(UserError, match=r"credit: the column age, bill_amt1, .* is missing; the file has sex"):
        read("credit", {"UCI_Credit_Card.csv": content.getvalue()})


def test_german_reads_sex_out_of_the_personal_status():
    content = mirrored("german").read_bytes()
    frame = read("german", {"german.data": content})
    assert (frame.sex == "female").sum() == 310 and frame.y.sum() == 700
    assert "personal_status" not in frame


@pytest.mark.parametrize(("name", "rows", "positive"), [("german", 1000, 700), ("bank", 45211, 5289)])
def test_a_real_file_becomes_a_table(name, rows, positive, tmp_path):
    make_table(mirrored(name), name, table_of(name).members, tmp_path / "table.parquet")
    frame = pd.read_parquet(tmp_path / "table.parquet")
    assert len(frame) == rows and frame.y.sum() == positive and frame.row_id.is_unique
    table = table_of(name)
    for attribute in table.attributes:
        assert set(groups(frame, table, attribute)) == {0, 1}
    x, names = encode(frame, table, range(rows // 2))
    assert x.shape == (rows, len(names))


def test_a_wrong_or_absent_file_is_named(tmp_path):
    sums = table_of("dutch").members
    with pytest.raises(UserError, match="cannot be read"):
        make_table(tmp_path / "none.csv", "dutch", sums, tmp_path / "table.parquet")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"has the sha256 .*, expected 0e7e3f32"):
        make_table(tmp_path / "other.csv", "dutch", sums, tmp_path / "table.parquet")


TEXT = b"ID;SEX\n1;2\n2;1\n"


def packed(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


FORMS = {
    "as it is": ("clients.csv", TEXT),
    "capitals": ("CLIENTS.CSV", TEXT),
    "another name": ("my data", TEXT),
    "CRLF": ("clients.csv", TEXT.replace(b"\n", b"\r\n")),
    "a byte-order mark": ("clients.csv", b"\xef\xbb\xbf" + TEXT),
    "both, in a zip": ("a.ZIP", packed(**{"data/clients.csv": b"\xef\xbb\xbf" + TEXT.replace(b"\n", b"\r\n")})),
    "a zip in a zip": ("a+b.zip", packed(**{"a.zip": packed(**{"clients.csv": TEXT}), "b.zip": packed(other=b"")})),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_users_file_is_read_as_its_source_or_an_editor_leaves_it(form, tmp_path):
    name, content = FORMS[form]
    (tmp_path / name).write_bytes(content)
    assert read_user_file(tmp_path / name, "clients.csv", hashlib.sha256(TEXT).hexdigest()) == TEXT


def test_a_file_with_windows_line_ends_is_read_from_one_without(tmp_path):
    official = TEXT.replace(b"\n", b"\r\n")
    (tmp_path / "clients.csv").write_bytes(TEXT)
    assert read_user_file(tmp_path / "clients.csv", "clients.csv", hashlib.sha256(official).hexdigest()) == official


REFUSED = {
    "another content": (TEXT + b"3;1\n", "has the sha256"),
    "no member": (packed(other=TEXT), "has 0 members named"),
    "two": (packed(**{"a/clients.csv": TEXT, "b.zip": packed(**{"clients.csv": TEXT})}), "has 2 members named"),
    "a damaged zip": (packed(**{"clients.csv": TEXT * 9}).replace(b"PK\1\2", b"PK\1\3"), "damaged"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_another_users_file_is_refused_in_one_line(what, tmp_path):
    content, words = REFUSED[what]
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        read_user_file(tmp_path / "a.zip", "clients.csv", hashlib.sha256(TEXT).hexdigest())
    assert "\n" not in str(error.value)
