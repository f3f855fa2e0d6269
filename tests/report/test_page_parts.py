"""What the page is put together from: cells, captions, pictures, claims in words, and who made a file."""

import base64
import io
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image

from scripts.common.errors import UserError
from scripts.provenance.made_by import made_by, plain
from scripts.report.caption import caption_html
from scripts.report.embed import embed
from scripts.report.page_claims import claim_rows, condition, summary_lists, tolerance_alt, verdict_counts
from scripts.report.page_study import run_times
from scripts.report.page_tables import cells, is_numeric, read_table
from tests.report.toy import claim, claims, picture


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (["0.123456", "1.0", ""], ["0.123", "1.000", "–"]),
        (["192599.0", "0.4224"], ["192,599", "0.422"]),
        (["0.74", "3.15 [0.18, 6.26]"], ["0.74", "3.15 + [0.18, 6.26]"]),
        (["0.7 ± 0.1", "1e-07"], ["0.7 + ± 0.1", "0.000"]),
        (["adversarial, eps 0.004", "4 [men]"], ["adversarial, eps 0.004", "4 + [men]"]),
        (["7", "-0.0001"], ["7", "0.000"]),
    ],
)
def test_cells_read_as_numbers_do_elsewhere(column, shown):
    assert [" + ".join(filter(None, cell)) for cell in cells(column)] == shown


def test_a_column_is_numeric_if_all_that_is_there_begins_with_a_number():
    assert is_numeric(["0.7", "–", "−1", "1,200", "12 %", "0.74 points"])
    assert not is_numeric(["0.7", "small_cnn"]) and not is_numeric(["–"]) and not is_numeric(["1x1"])


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    (tmp_path / "a.csv").write_text("method,value\n", encoding="utf-8")
    table = read_table(tmp_path / "a.csv")
    assert (table.columns, table.rows, table.numeric) == (["method", "value"], [], [False, False])


def test_a_caption_is_html_and_what_looks_like_html_is_text(tmp_path):
    path = tmp_path / "a.rst"
    path.write_text("*Lines* of ``code`` & <script>alert(1)</script>.", encoding="utf-8")
    shown = caption_html(path)
    assert "<em>Lines</em>" in shown and "<script" not in shown and "&lt;script&gt;" in shown


def test_a_caption_reads_no_other_file(tmp_path):
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "a.rst").write_text(f".. include:: {tmp_path}/secret.txt\n", encoding="utf-8")
    with pytest.raises(UserError, match="no valid reStructuredText"):
        caption_html(tmp_path / "a.rst")


def test_an_embedded_picture_has_the_same_pixels(tmp_path):
    drawn = Image.effect_noise((320, 160), 80).convert("RGB")
    drawn.save(tmp_path / "a.png")
    made = embed(tmp_path / "a.png")
    kind, content = made.address.split(",")
    again = Image.open(io.BytesIO(base64.b64decode(content)))
    assert kind == "data:image/webp;base64" and again.tobytes() == drawn.tobytes()
    assert (made.width, made.height) == (213, 107)


def test_transparency_and_animation_are_kept(tmp_path):
    Image.new("RGBA", (30, 30), (255, 0, 0, 90)).save(tmp_path / "a.png")
    content = base64.b64decode(embed(tmp_path / "a.png").address.split(",")[1])
    assert Image.open(io.BytesIO(content)).getchannel("A").getextrema() == (90, 90)
    picture(tmp_path / "a.gif", frames=3)
    content = base64.b64decode(embed(tmp_path / "a.gif").address.split(",")[1])
    assert content == (tmp_path / "a.gif").read_bytes()


def one(**changes) -> pd.Series:
    return pd.Series(claim("one", "price", **changes))


def test_the_condition_is_said_in_words():
    assert condition(one()) == "0.74 ± 0.5"
    assert condition(one(rule="at_most")) == "at most 0.74 + 0.5"
    assert condition(one(rule="at_least", tolerance=0.0)) == "at least 0.74"
    assert condition(one(tolerance=float("nan"))) == "0.74"
    assert condition(one(bound=float("nan"))) == "–"


def test_a_claim_without_numbers_shows_dashes():
    row = next(row for row in claim_rows(claims()) if row["claim"] == "untested")
    assert (row["published"], row["ours"], row["interval"], row["sample"]) == ("–", "–", "", "")
    assert row["computed"] is False


def test_counts_add_up_and_name_every_study():
    lines = verdict_counts(claims(), ["one", "two", "three"])
    assert [(line["study"], line["total"]) for line in lines] == [
        ("one", 3), ("one", 1), ("two", 1), ("three", 0), (None, 4),
    ]  # fmt: skip
    assert lines[-1]["counts"] == [2, 0, 1, 1]
    assert all(sum(line["counts"]) == line["total"] for line in lines)


def test_a_claim_of_two_protocols_is_listed_once_and_ours_apart():
    lists = summary_lists(claims())
    reproduced = lists["papers"][0]
    assert reproduced["count"] == len(reproduced["claims"]) == 2
    assert [protocol for protocol, _ in reproduced["claims"][0]["links"]] == ["as published"]
    assert [entry["count"] for entry in lists["others"]] == [0, 1, 0, 0]


def test_the_figure_of_tolerances_is_told_in_words():
    assert "2 reproduced, 0 partly, 1 not reproduced" in tolerance_alt(claims())


def test_run_times_have_the_longest_first_and_their_sum_last():
    lines = run_times({"a": {"jobs": 1, "seconds": 2.0}, "b": {"jobs": 3, "seconds": 9.0, "max_memory_mb": 5.0}})
    assert [(line["rule"], line["jobs"], line["seconds"]) for line in lines] == [
        ("b", 3, 9.0),
        ("a", 1, 2.0),
        ("all", 4, 11.0),
    ]
    assert lines[-1]["max_memory_mb"] == 5.0 and run_times({}) == []


class Named(list):
    """Snakemake's lists, whose items may have names."""

    def __init__(self, items=(), **named):
        super().__init__(items)
        self.named = named

    def get(self, name, default=None):
        return self.named.get(name, default)

    def items(self):
        return self.named.items()


def test_a_file_is_traced_to_its_rule_settings_and_data():
    rule = SimpleNamespace(
        name="draw",
        output=Named(["results/a.png", "results/a.pdf", "results/{run}.txt"]),
        input=Named(
            ["results/m.parquet", print, "scripts/common/x.py", "scripts/one/x.css"],
            code=["scripts/common/x.py"],
            html=["scripts/one/x.css"],
        ),
        params=Named(threat="linf", sizes=[1, {"a": None}], later=print),
        script="../scripts/one/draw.py",
        snakefile="/home/project/rules/one.smk",
    )
    other = SimpleNamespace(name="other", output=Named(["results/b.png"]), script=None)
    made = made_by([rule, other], ["results/a.png", "results/none.png"], "/home/project")
    assert made == {
        "results/a.png": {
            "rule": "draw",
            "script": "scripts/one/draw.py",
            "settings": {"threat": "linf", "sizes": [1, {"a": None}]},
            "data": ["results/m.parquet"],
        }
    }


def test_plain_values_are_what_a_page_can_show():
    assert plain({"a": [1, 0.5, "x", None, True]})
    assert not plain(print) and not plain([print]) and not plain({1: "x"})
