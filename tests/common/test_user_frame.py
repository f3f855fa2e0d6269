"""Tables that users bring: whatever a spreadsheet, another country's settings or a shop's export makes of them."""

import io
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.common.errors import UserError
from scripts.common.user_frame import as_numbers, column_names, read_user_frame

PEOPLE = pd.DataFrame(
    {"age": [25, 38, 61], "city": ["Köln", "a, b", 'the "Hague"'], "income": [1234.5, 12345678.25, 0.75]}
)


def written(tmp_path, content, name="people.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_csv(**options):
    return PEOPLE.to_csv(index=False, **options)


@pytest.mark.parametrize(
    "content",
    [
        as_csv().encode(),
        as_csv().encode("utf-8-sig"),
        as_csv().encode("latin-1"),
        as_csv().encode("utf-16"),
        as_csv().replace("\n", "\r\n").encode(),
        as_csv(sep=";").encode(),
        as_csv(sep=";", decimal=",").encode("cp1252"),
        as_csv(sep="\t").encode(),
        as_csv(sep="|").encode(),
        as_csv(quoting=1).encode(),
        b"sep=;\r\n" + as_csv(sep=";").encode(),
        as_csv().replace(",", ", ").replace('"a, ', '"a,').replace(', "', ',"').encode(),
    ],
    ids=["plain", "bom", "latin-1", "utf-16", "crlf", "semicolons", "decimal commas", "tabs", "bars", "quotes", "sep=",
         "blanks"],
)  # fmt: skip
def test_ways_to_write_a_table_give_the_same_frame(tmp_path, content):
    read = read_user_frame(written(tmp_path, content))
    pd.testing.assert_frame_equal(read.frame, PEOPLE)


@pytest.mark.parametrize(
    ("texts", "numbers", "undone"),
    [
        (["1,234", "12", "1,234,567"], [1234, 12, 1234567], "thousands separators"),
        (["1.234,5", "7", "1.234.567,25"], [1234.5, 7, 1234567.25], "thousands separators"),
        (["1 234", "12"], [1234, 12], "thousands separators"),
        (["1’234.5", "12"], [1234.5, 12], "thousands separators"),
        (["0,75", "12,5"], [0.75, 12.5], "decimal commas"),
        (["1.234", "0.5"], [1.234, 0.5], None),
        (["+3", "-4e-2", "5."], [3, -0.04, 5], None),
    ],
)
def test_numbers_of_many_countries(tmp_path, texts, numbers, undone):
    content = "x;name\n" + "".join(f'"{text}";a\n' for text in texts)
    read = read_user_frame(written(tmp_path, content))
    assert read.frame["x"].tolist() == numbers
    assert any(undone in note for note in read.notes) if undone else not any("were read in" in n for n in read.notes)


def test_one_column_with_decimal_commas_decides_for_the_others(tmp_path):
    read = read_user_frame(written(tmp_path, "score;rows;other\n0,75;1.234;1,234\n0,5;2.000;0,5\n"))
    assert read.frame["rows"].tolist() == [1234, 2000]
    assert read.frame["other"].tolist() == [1.234, 0.5]


def test_codes_words_and_truth_values_stay_text(tmp_path):
    read = read_user_frame(written(tmp_path, "zip,label,when,mixed\n01234,True,2024-01-02,1\n99999,False,12:30,one\n"))
    assert read.frame.to_numpy().tolist() == [["01234", "True", "2024-01-02", "1"], ["99999", "False", "12:30", "one"]]
    assert as_numbers(read.frame["mixed"]) is None
    assert as_numbers(pd.Series([True, False])) is None
    assert as_numbers(pd.Series(["1,000", None], index=[5, 7])).tolist()[0] == 1000


def test_missing_values_are_none_and_other_markers_can_be_named(tmp_path):
    path = written(tmp_path, "a,b,c\n1,,x\nNA,?,N/A\n")
    frame = read_user_frame(path).frame
    assert frame["a"].dtype == np.float64 and np.isnan(frame["a"][1])
    assert frame["b"].tolist() == [None, "?"] and frame["c"].tolist() == ["x", None]
    assert read_user_frame(path, missing=["?"]).frame["b"].tolist() == ["", None]
    assert read_user_frame(path, ["a"], typed=False).frame["a"].tolist() == ["1", None]


def test_columns_come_in_the_order_asked_for(tmp_path):
    path = written(tmp_path, as_csv())
    read = read_user_frame(path, ["income", "age"])
    assert [*read.frame] == ["income", "age"] and read.names == ("age", "city", "income")
    assert column_names(path) == ["age", "city", "income"]


def test_a_file_without_names_gets_those_given(tmp_path):
    path = written(tmp_path, "39, State-gov\n50, Self-emp\n")
    assert read_user_frame(path, names=["age", "work"]).frame["work"].tolist() == ["State-gov", "Self-emp"]


def test_columns_without_a_name_are_called_by_their_place_or_left_out_if_empty(tmp_path):
    path = written(tmp_path, ",a,\n0,x,\n1,y,\n")
    assert [*read_user_frame(path).frame] == ["Unnamed: 0", "a"]


def test_line_breaks_in_quotes_belong_to_the_field(tmp_path):
    path = written(tmp_path, '"a\nb",c\n"x\r\ny",1\n')
    assert read_user_frame(path).frame.to_dict("list") == {"a\nb": ["x\r\ny"], "c": [1]}


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # a fixed date: these bytes are in names of tests
    return buffer.getvalue()


def test_one_table_in_a_zip_or_in_a_zip_in_a_zip(tmp_path):
    clutter = {"__MACOSX/._a.csv": b"\0\0", "readme.pdf": "x"}
    plain = written(tmp_path, zipped({"data/a.csv": as_csv(), **clutter}), "a.zip")
    pd.testing.assert_frame_equal(read_user_frame(plain).frame, PEOPLE)
    nested = written(tmp_path, zipped({"inner.zip": zipped({"a.csv": as_csv(), "b.csv": "x"})}), "b.zip")
    pd.testing.assert_frame_equal(read_user_frame(nested, member="a.csv").frame, PEOPLE)
    with pytest.raises(UserError, match=r"one table is expected in the archive, it holds 'a.csv', 'b.csv'"):
        read_user_frame(nested)


def test_parquet_keeps_its_types_and_reads_only_what_is_asked_for(tmp_path):
    frame = PEOPLE.assign(ok=[True, False, True], group=pd.Categorical(["a", "b", "a"]))
    path = tmp_path / "people.csv"  # the content decides, not the name
    frame.assign(nested=[[1], [2], [3]]).to_parquet(path)
    read = read_user_frame(path, ["ok", "income", "group"])
    assert read.frame["ok"].tolist() == [True, False, True] and read.frame["group"].tolist() == ["a", "b", "a"]
    with pytest.raises(UserError, match=r"column 'nested' is of type list.*no single value per row"):
        read_user_frame(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "holds only blanks"),
        (b"a,b\n", "has a line of names and no rows"),
        (b"a,b,a\n1,2,3\n", "the column 'a' stands there more than once"),
        (b"a,b\n1,2\n3\n", "line 3 has 1 fields where 2 are expected"),
        (b'a,b\n1,"x\ny"\n1,2,3\n', "line 4 has 3 fields where 2 are expected"),
        (b'a,b\n1,2\n3,"4\n', "line 3 cannot be parsed .*a quote may not be closed"),
        (b"1,2\n3,4\n", "first line holds numbers where names are expected"),
        (b"a\0b", "is no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is no Excel workbook that can be read"),
        (zipped({"[Content_Types].xml": "", "xl/a.xml": ""}), "is an Excel workbook"),
        (b"<!DOCTYPE html><p>", "is a web page"),
        (b"\x1f\x8b\x08", "compressed with gzip"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (zipped({}), "it holds nothing"),
        (zipped({"a.csv": "a"})[:30], "damaged zip archive"),
        (b"PAR1 and nothing more", "damaged Parquet file"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content, message):
    with pytest.raises(UserError, match=message) as caught:
        read_user_frame(written(tmp_path, content))
    assert "people.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_wrong_paths_and_columns_name_the_nearest(tmp_path):
    path = written(tmp_path, as_csv())
    with pytest.raises(UserError, match=r"no such file; correct the path \(there is 'people.csv' beside it\)"):
        read_user_frame(tmp_path / "people.txt")
    with pytest.raises(UserError, match="there is no folder"):
        read_user_frame(tmp_path / "elsewhere/people.csv")
    with pytest.raises(UserError, match="is a folder"):
        read_user_frame(tmp_path)
    with pytest.raises(UserError, match="no column 'Income'; did you mean 'income'\\? it has 'age', 'city', 'income'"):
        read_user_frame(path, ["Income"])


def test_duplicate_and_empty_parquet_are_refused(tmp_path):
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(UserError, match="more than once"):
        read_user_frame(tmp_path / "twice.parquet")
    pq.write_table(pa.table({"a": pa.array([], pa.int8())}), tmp_path / "empty.parquet")
    with pytest.raises(UserError, match="has no rows"):
        read_user_frame(tmp_path / "empty.parquet")
