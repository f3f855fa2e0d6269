"""Pages and parts that rules write: marks, the front table, the configuration, the table of faults."""

import re

import pandas as pd
import pytest
import yaml

from scripts.common.config import full_schema
from scripts.common.errors import UserError
from scripts.common.metric_registry import registry
from scripts.report import docs_configuration, docs_metrics
from scripts.report.docs import put_in_place, replaced
from scripts.report.docs_faults import faults_part
from scripts.report.docs_readme import front_table, index, short_source, study_row
from scripts.report.markdown import put_between_marks, table
from tests.common.test_config import ROOT
from tests.report.toy import about, claim, write_study


def test_what_stood_between_the_marks_is_replaced():
    text = "before\n<!-- begin models -->\nold\n<!-- end models -->\nafter\n"
    new = put_between_marks(text, "models", "| a |\n|---|\n| 1 |\n", "README.md")
    assert new == "before\n<!-- begin models -->\n| a |\n|---|\n| 1 |\n<!-- end models -->\nafter\n"


def test_missing_marks_are_named():
    with pytest.raises(UserError, match=r"docs/a.md: the comments 'begin models'"):
        put_between_marks("no marks", "models", "table", "docs/a.md")


def test_a_bar_or_a_line_break_stays_in_its_cell():
    assert table(["a", "b"], [["x|y\nz", 1]], ["b"]) == "| a | b |\n|:--|--:|\n| x\\|y z | 1 |"


def test_files_folders_and_parts_go_to_their_places(tmp_path):
    made, home = tmp_path / "made", tmp_path / "home"
    (made / "pictures").mkdir(parents=True)
    (home / "pictures").mkdir(parents=True)
    (home / "pictures/old.png").touch()
    for name, text in (("a.md", "page"), ("part.md", "new"), ("pictures/new.png", "")):
        (made / name).write_text(text, encoding="utf-8")
    (home / "b.md").write_text("<!-- begin p -->\nold\n<!-- end p -->\nby hand\n", encoding="utf-8")
    put_in_place(home, {"docs/a.md": made / "a.md"}, {"p": ("b.md", made / "part.md")})
    replaced(home, {"pictures": made / "pictures"})
    assert (home / "docs/a.md").read_text(encoding="utf-8") == "page"
    assert (home / "b.md").read_text(encoding="utf-8") == "<!-- begin p -->\nnew\n<!-- end p -->\nby hand\n"
    assert [path.name for path in (home / "pictures").iterdir()] == ["new.png"]


def test_the_front_table_counts_the_claims_of_the_papers_alone(tmp_path):
    write_study(tmp_path, "one", about("One"))
    said = {"origin": "paper", "confidence": "verified"}
    lines = [
        claim("one", "price", **said),
        claim("one", "price", protocol="as_published", verdict="not reproduced", **said),
        claim("one", "lemma", origin="theorem", confidence="verified", verdict="partly"),
        claim("one", "finding", origin="ours"),
        claim("one", "golden", origin="package"),
    ]
    row = study_row("one", tmp_path, pd.DataFrame(lines), {})
    assert row == [
        "[one](docs/studies/one.md)",
        short_source(about("One")),
        "0",
        "1",
        "1",
        "0",
        "It costs 1.05 points.",
    ]
    assert front_table([row]).splitlines()[0] == "| study | source | ✅ | 🟡 | ❌ | ⚪ | what was found |"
    assert "| [one](one.md) | One | Does it work?" in index(["one"], tmp_path)


@pytest.mark.parametrize(
    ("works", "short"),
    [
        ([(["Wang, Bolun", "Yao, Yuanshun", "Shan, Shawn"], 2019)], "Wang et al. 2019"),
        ([(["Ahani, R."], 2024), (["Ahani, R."], 2024)], "Ahani 2024"),
        ([([name], 2000) for name in "ABCDE"], "A 2000, B 2000, C 2000 and 2 more"),
        ([(["Meinke, A."], 2022), (["Meinke, A."], None), (["A course"], None)], "Meinke 2022, A course"),
        (
            [(["Roy, A.", "Ntoutsi, E."], 2022), (["Roy, A.", "Ntoutsi, E."], 2023)],
            "Roy and Ntoutsi 2022, Roy and Ntoutsi 2023",
        ),
    ],
)
def test_a_source_in_a_few_words(works, short):
    references = [
        {"type": "article", "authors": names, "replicated": True} | ({"year": year} if year else {})
        for names, year in works
    ]
    used = {"type": "article", "authors": ["Else, S."], "year": 1999, "replicated": False}
    code = {"type": "software", "authors": ["Coder, A."], "year": 2001, "replicated": True}
    assert short_source({"references": [*references, used, code]}) == short
    assert short_source({"references": [used, code]}) == "Coder 2001"


def test_faults_are_summed_up(tmp_path):
    path = tmp_path / "faults.csv"
    path.write_text(
        "fault,how it was provoked,times tried,results lost\nkilled,kill -9,1200,0\nfull,a | b,3,1\n", encoding="utf-8"
    )
    text = faults_part([path])
    assert (
        text.startswith("2 kinds of faults, tried 1,203 times: 1 result lost.") and r"| full | a \| b | 3 | 1 |" in text
    )
    assert "has not run" in faults_part([])
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match="no table of faults"):
        faults_part([path])


def test_the_page_of_the_configuration_is_current():
    written = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert written == docs_configuration.page(ROOT), "run make docs"


def test_the_page_of_metrics_is_current_and_holds_every_id():
    written = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    assert written == docs_metrics.page(), "run make docs"
    assert set(registry()) <= set(re.findall(r"^\| `(\w+)` \|", written, re.M))


def test_every_key_of_the_config_stands_in_the_page_with_its_default():
    text = docs_configuration.page(ROOT)
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", text, re.M))
    assert rows["faces.seed"].startswith("whole number from 0 to 2147483647 | `1306` |")
    assert rows["gpu"].startswith("one of `0`, `1` | `0` |")
    for block in full_schema(ROOT)["properties"]:
        own = config[block]
        for key in own if isinstance(own, dict) else []:
            assert f"{block}.{key}" in rows, key
    assert all(line.rstrip("| ").rsplit("|", 1)[-1].strip() for name, line in rows.items() if name.count(".") == 1)


def test_types_are_written_in_words():
    definitions = {"count": {"type": "integer", "minimum": 1}}
    kind = docs_configuration.kind
    assert kind({"type": "array", "items": {"$ref": "#/$defs/count"}}, definitions) == "list (whole number from 1)"
    assert (
        kind({"oneOf": [{"type": "null"}, {"type": "number", "exclusiveMinimum": 0}]}, {}) == "null or number above 0"
    )
    assert kind({"enum": ["a", 1]}, {}) == "one of `a`, `1`"
