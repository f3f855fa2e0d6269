"""The report: escaped, whole, and what was added first."""

import json

import pytest

from scripts.imbalance.augmenting.sentences import KINDS, PLANS
from scripts.imbalance.generators import GENERATORS
from scripts.imbalance.imbalance_augment import augment_table, write
from scripts.imbalance.imbalance_augment_page import augment_page
from scripts.imbalance.plans import PLANS as ALL_PLANS
from tests.imbalance.augmenting.made_up import DESCRIPTION, JUDGING, LIMITS, SETTINGS, entry, people, prepared

NASTY = "<script>alert(1)</script>|*"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("report")
    groups = {NASTY: ["F"], "men": ["M"]}
    attributes = {"sex": {"column": "sex", "groups": groups, "privileged": "men"}}
    label = DESCRIPTION["label"] | {"positive": "<b>repaid</b>"}
    frame = prepared(place, people(), attributes=attributes, label=label)
    made, about = augment_table(frame, entry(), SETTINGS, LIMITS, JUDGING)
    paths = {"table": place / "table.parquet", "csv": place / "table.csv", "about": place / "report.json"}
    write(made, {"name": "mine"} | about, place / "mine.parquet", paths)
    augment_page(paths["about"], place / "report.html", place / "report.md")
    return place


def test_the_page_opens_with_what_was_added_and_holds_every_part(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    parts = ['class="finding">', "synthetic rows were added to the 600 rows of mine", "never test on it"]
    parts += [
        "the plan decided more than the generator",
        "Before you use it",
        "What was added",
        "How close the rows are",
        "Columns",
    ]
    parts += ["How it was made", "sha256 of table.csv"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_what_the_table_holds_is_never_markup(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text and "<b>repaid" not in text
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    assert "<script>" not in markdown.replace("\\<script\\>", "")
    rows = [line for line in markdown.splitlines() if line.startswith("| ") and "alert" in line]
    assert len(rows) == 2 and all(row.replace("\\|", "").count("|") == 6 for row in rows)


def test_the_numbers_of_the_report_are_those_of_the_file(folder):
    about = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert f"{about['added']:,} synthetic rows" in (folder / "report.html").read_text(encoding="utf-8")
    assert set(about["sha256"]) == {"mine.parquet", "table.parquet", "table.csv"}
    assert about["seconds"].keys() == {"fit", "sample"} and about["quality"]


def test_every_plan_and_generator_is_described():
    assert set(PLANS) == set(ALL_PLANS) and set(KINDS) == set(GENERATORS)
