"""The page and the CSV of an audit: escaped, whole, and the findings first."""

import json
import re

import pandas as pd
import pytest

from scripts.audits.audit_compare import audit_compare
from scripts.audits.audit_measure import audit
from scripts.audits.audit_page import audit_page, chart
from tests.audits.made_up import entry, people
from tests.browser import open_browser

NASTY = {"Male": "=cmd|' /C calc'!A0", "Female": "<script>alert(1)</script>"}


def made(folder, frame, **more):
    """Run the three scripts; return the page's path."""
    settings = entry(folder, frame, **more)
    outputs = {"metrics": "m.parquet", "table": "m.csv", "attacks": "l.parquet", "about": "about.json"}
    outputs = {key: folder / name for key, name in outputs.items()}
    audit("people", settings, outputs)
    compared = None
    if "compare_prediction" in more:
        compared = folder / "c.parquet"
        audit_compare("people", settings, compared)
    page = folder / "audit.html"
    audit_page(outputs["about"], outputs["metrics"], outputs["attacks"], compared, page)
    return page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    frame = people(2000).replace({"sex": NASTY})
    frame.loc[:6, "race"] = "Other"
    frame["other"] = frame["predicted"].to_numpy()[::-1]
    return made(tmp_path_factory.mktemp("page"), frame, score="score", compare_prediction="other")


def test_what_the_file_holds_is_never_markup_or_a_formula(page):
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    table = (page.parent / "m.csv").read_text(encoding="utf-8")
    assert "'=cmd|" in table and not re.search(r"(^|,)\"?[=+@]", table, re.M)
    assert pd.read_csv(page.parent / "m.csv")["value"].min() < 0  # numbers keep their signs


def test_the_page_opens_with_the_finding_and_holds_every_part(page):
    text = page.read_text(encoding="utf-8")
    parts = ['class="finding">Of sex,', "Before you rely on it", "What the groups differ by", "Groups of sex"]
    parts += ["Groups of race", "Combinations: sex x race", "What the outputs give away"]
    parts += ["Compared with a second prediction", "How to read the numbers", ">sha256<"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "race: fewer than 20 rows in Other (7)" in text
    about = json.loads((page.parent / "about.json").read_text(encoding="utf-8"))
    assert about["rows"] == 2000 and about["sha256"] in text


def test_the_same_file_gives_the_same_bytes(page, tmp_path):
    frame = people(2000).replace({"sex": NASTY})
    frame.loc[:6, "race"] = "Other"
    frame["other"] = frame["predicted"].to_numpy()[::-1]
    again = made(tmp_path, frame, score="score", compare_prediction="other")
    for name in ("audit.html", "m.parquet", "m.csv", "l.parquet", "c.parquet"):
        assert (again.parent / name).read_bytes() == (page.parent / name).read_bytes(), name


def test_marks_lie_in_the_chart():
    rows = pd.DataFrame({"subgroup": ["a", "b" * 50], "value": [0.02, 1.0], "ci_low": [0, 0.4], "ci_high": [0.1, 1.0]})
    drawn = chart(rows)
    assert all(drawn["left"] <= mark["low"] <= mark["x"] <= mark["high"] <= drawn["width"] for mark in drawn["marks"])
    assert len(drawn["marks"][1]["name"]) == 30 and drawn["ticks"][-1]["text"] == "1"


def test_a_browser_shows_it_without_complaint(page, tmp_path):
    browser = open_browser(page.as_uri(), str(tmp_path / "profile"))
    try:
        browser.wait("document.querySelectorAll('tbody tr').length > 20")
        assert browser.evaluate("document.querySelectorAll('svg.chart circle').length") > 8
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert browser.faults() == []
    finally:
        browser.close()
