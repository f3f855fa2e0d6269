"""Excel's old workbooks as they come: names, numbers, dates, UCI's two lines of names, and what is refused.

The workbooks beside this file were written with xlwt 1.3, as Excel 97 would write them.
"""

import zipfile
from pathlib import Path

import pytest

from scripts.common.errors import UserError
from scripts.common.own_tables import register
from scripts.common.user_frame import column_names, read_user_frame
from scripts.common.user_xls import as_csv
from scripts.data.user_table import user_table
from tests.workflow.conftest import ROOT

BOOKS = ROOT / "tests/data/workbooks"
CREDIT = BOOKS / "credit.xls"  # 60 rows in the layout of UCI's "default of credit card clients.xls"


@pytest.fixture(autouse=True)
def only_here():
    yield
    register({})


def test_cells_are_written_as_in_a_csv_file_and_blank_lines_left_out():
    text, note = as_csv("kinds.xls", BOOKS / "kinds.xls")
    assert text.decode().splitlines() == [
        "name,whole,part,day,moment,member,note",
        '"Zoë, ""Z""",3,0.1,2024-02-29,2024-02-29 13:30:00,TRUE,',
        '=1+1,-2,1e-07,1999-12-31,2000-01-01,FALSE,"two',
        'lines"',
        "李,0,2.5,,,,",
    ]
    assert note == ""


def test_a_workbook_is_read_like_a_csv_file_by_its_content():
    read = read_user_frame(BOOKS / "kinds.xls", ["part", "whole", "name"])
    assert read.frame["whole"].tolist() == [3, -2, 0] and read.frame["whole"].dtype == "int64"
    assert read.frame["part"].tolist() == [0.1, 1e-7, 2.5] and read.frame["name"][0] == 'Zoë, "Z"'
    with pytest.raises(UserError, match=r"kinds.xls: there is no column 'Part'; did you mean 'part'"):
        read_user_frame(BOOKS / "kinds.xls", ["Part"])


def test_the_second_line_has_the_names_where_the_first_has_placeholders():
    read = read_user_frame(CREDIT)
    assert read.names[:2] == ("ID", "LIMIT_BAL") and read.names[-1] == "default payment next month"
    assert column_names(CREDIT) == list(read.names) and len(read.frame) == 60
    assert read.notes == ("its first line (X1, X2 ...) was left out: the second has the names",)
    assert all(str(kind) == "int64" for kind in read.frame.dtypes)


def archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        packed.write(CREDIT, "default of credit card clients.xls")
    return path


@pytest.mark.parametrize("form", ["the workbook", "UCI's zip", "CSV"])
def test_ucis_file_on_credit_default_is_a_copy_of_the_built_in_table(tmp_path, form):
    path = {"the workbook": CREDIT, "UCI's zip": tmp_path / "credit.zip", "CSV": tmp_path / "credit.csv"}[form]
    if form == "UCI's zip":
        archive(path)
    if form == "CSV":
        path.write_bytes(as_csv("", CREDIT)[0])
    register({"mine": {"file": str(path), "like": "credit"}})
    user_table(str(path), "mine", {}, tmp_path / "mine.parquet", "tables")
    expected = tmp_path / "expected.parquet"
    register({"mine": {"file": str(CREDIT), "like": "credit"}})
    user_table(str(CREDIT), "mine", {}, expected, "tables")
    assert (tmp_path / "mine.parquet").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((BOOKS / "two_sheets.xls").read_bytes(), "the sheets 'a', 'b' hold something; save the table's sheet as CSV"),
        ((BOOKS / "blank.xls").read_bytes(), "its sheets are empty"),
        (CREDIT.read_bytes()[:3000], "is no Excel workbook that can be read, is damaged or has a password"),
        (CREDIT.read_bytes()[:8], "is no Excel workbook that can be read, is damaged or has a password"),
        (
            CREDIT.read_bytes().replace("Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le")),
            "is no Excel workb",
        ),
    ],
)
def test_what_is_no_sheet_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "people.xls"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_user_frame(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_a_cell_with_an_error_is_refused_and_one_without_a_value_is_missing():
    xlrd = pytest.importorskip("xlrd")
    from scripts.common.user_xls import _text

    def cell(code):
        return xlrd.sheet.Cell(xlrd.XL_CELL_ERROR, code)

    assert _text(None, cell(0x2A), "a.xls") == "NA"
    with pytest.raises(UserError, match=r"a.xls: a cell holds #DIV/0!; correct its formula"):
        _text(None, cell(0x07), "a.xls")
