import csv
import math

import numpy as np
import pandas as pd
import pytest

from scripts.common.tables import format_interval, format_mean, format_number, save_table


def test_numbers_as_text():
    assert format_interval(0.6941, 0.685, 0.7029) == "0.694 [0.685, 0.703]"
    assert format_interval(0.5) == "0.500"
    assert format_interval(math.nan, 0, 1) == "–"
    assert format_interval(0.123456, 0.1, 0.2, digits=1) == "0.1 [0.1, 0.2]"
    assert format_number(-0.0001) == "0.000" and format_number(-0.01) == "-0.010" and format_number(None) == "–"


def test_mean_over_seeds():
    assert format_mean([0.6, 0.7]) == "0.650 ± 0.071"
    assert format_mean([0.6]) == "0.600"
    assert format_mean(np.array([0.5, 0.5, 0.5])) == "0.500 ± 0.000"
    assert format_mean([0.6, math.nan]) == "–" and format_mean([]) == "–"


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "method": ["adversarial_eps=0.01 & more", "a|b"],
            "accuracy": [0.69, math.nan],
            "interval": ["0.690 [0.681, 0.699]", "0.6 ± 0.1"],
            "seeds": [3, 2],
        }
    )


def test_texts_that_a_spreadsheet_would_run_are_no_formulas(tmp_path):
    texts = ["=1+1", "+A1", "-A1", "@SUM(A1)", "\tx", "-0.123 [-0.2, -0.1]", "-3", "+1e-5", "a=b", "–"]
    save_table(pd.DataFrame({"=x": texts, "n": [-1.0] * 10}), tmp_path / "t", "Formulas")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["'=x", "n"] and [row[1] for row in rows[1:]] == ["-1.0"] * 10
    assert [row[0] for row in rows[1:]] == [f"'{text}" for text in texts[:5]] + texts[5:]


def test_three_forms(frame, tmp_path):
    save_table(frame, tmp_path / "sub" / "models", "Rendered faces, 100 % of\n test_images", digits=2)
    read = pd.read_csv(tmp_path / "sub/models.csv")
    pd.testing.assert_frame_equal(read, frame)
    markdown = (tmp_path / "sub/models.md").read_text(encoding="utf-8")
    assert markdown.splitlines() == [
        "Rendered faces, 100 % of test_images",
        "",
        r"| method                      |   accuracy | interval             |   seeds |",
        r"|:----------------------------|-----------:|:---------------------|--------:|",
        r"| adversarial_eps=0.01 & more |       0.69 | 0.690 [0.681, 0.699] |       3 |",
        r"| a\|b                        |          – | 0.6 ± 0.1            |       2 |",
    ]
    tex = (tmp_path / "sub/models.tex").read_text(encoding="utf-8")
    assert r"\caption{Rendered faces, 100 \% of test\_images}" in tex and r"\label{tab:models}" in tex
    assert r"adversarial\_eps=0.01 \& more & 0.69 & 0.690 [0.681, 0.699] & 3 \\" in tex
    assert r"a|b & -- & 0.6 $\pm$ 0.1 & 2 \\" in tex
    assert r"\begin{tabular}{lrlr}" in tex
    assert sorted(p.name for p in (tmp_path / "sub").iterdir()) == ["models.csv", "models.md", "models.tex"]


def test_trailing_zeros_and_dotted_names_survive(tmp_path):
    frame = pd.DataFrame({"eps": [0.1, 0.25], "text": ["0.690", "1e3"], "ok": [True, False]})
    save_table(frame, tmp_path / "table.v1", "c", digits=3)
    markdown = (tmp_path / "table.v1.md").read_text(encoding="utf-8")
    assert "0.100" in markdown and "0.690" in markdown and "1e3" in markdown and "True" in markdown
    assert (tmp_path / "table.v1.tex").exists()


def test_every_latex_character_is_escaped(tmp_path):
    frame = pd.DataFrame({"a_b%": ["&%$#_{}~^\\"]})
    save_table(frame, tmp_path / "t", "c", label="tab:other")
    tex = (tmp_path / "t.tex").read_text(encoding="utf-8")
    assert r"\&\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}\textbackslash{} \\" in tex
    assert r"a\_b\% \\" in tex and r"\label{tab:other}" in tex


def test_an_empty_table_and_the_same_bytes_twice(frame, tmp_path):
    save_table(frame.iloc[:0], tmp_path / "empty", "nothing")
    assert "method" in (tmp_path / "empty.md").read_text(encoding="utf-8")
    for name in ("one", "two"):
        save_table(frame, tmp_path / name, "same", label="tab:x")
    for suffix in ("csv", "md", "tex"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_no_cell_of_a_csv_is_a_formula_and_numbers_stay_numbers(tmp_path):
    bad = ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "@SUM(A1)", "\t=1", " =1", "-SUM(1)"]
    good = ["-0.3 [-0.4, 0.1]", "-0.5 ± 0.1", "-3", "+1e-5", "a=b", "–", ""]
    frame = pd.DataFrame({"=name": bad + good, "value": [-1.5] * 14})
    save_table(frame, tmp_path / "table", "A caption.")
    read = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    assert list(read.columns) == ["'=name", "value"] and (read["value"] == -1.5).all()
    assert read["'=name"].tolist() == [f"'{cell}" for cell in bad] + good
    assert frame["=name"].tolist() == bad + good


@pytest.mark.parametrize("rows", [0, 1, 4])
@pytest.mark.parametrize("caption", ["", "A caption, 100 %"])
def test_the_latex_table_is_that_of_pandas(tmp_path, rows, caption):
    plain = pd.DataFrame({"method": ["a", "b", "c", "a"], "n": [1, 2, 30, 4]}).iloc[:rows]
    save_table(plain, tmp_path / "t", caption)
    theirs = plain.astype(str).to_latex(
        index=False, caption=caption.replace("%", r"\%"), label="tab:t", position="htbp", column_format="lr"
    )
    assert (tmp_path / "t.tex").read_text(encoding="utf-8") == theirs
