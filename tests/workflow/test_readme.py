"""The README's tables and pictures are put there by a rule, and its promises about files are true."""

import re
from pathlib import Path

import pytest

from scripts.common.errors import UserError
from scripts.report.readme import put_between_marks, renew

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_a_table_replaces_what_stood_between_its_marks(tmp_path):
    readme, table, picture = tmp_path / "README.md", tmp_path / "models.md", tmp_path / "a.png"
    readme.write_text("before\n<!-- begin models -->\nold\n<!-- end models -->\nafter\n")
    table.write_text("| a |\n|---|\n| 1 |\n")
    picture.write_bytes(b"picture")
    renew(readme, [str(table)], [str(picture)], tmp_path / "pictures")
    assert readme.read_text() == "before\n<!-- begin models -->\n| a |\n|---|\n| 1 |\n<!-- end models -->\nafter\n"
    assert (tmp_path / "pictures/a.png").read_bytes() == b"picture"


def test_missing_marks_are_named():
    with pytest.raises(UserError, match="begin models"):
        put_between_marks("no marks", "models", "table")


def test_every_file_that_the_readme_links_to_exists():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert len(links) >= 6
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_tables_are_filled_in():
    for name in ("models", "fairness_price", "optimism"):
        between = re.search(rf"<!-- begin {name} -->\n(.*?)<!-- end {name} -->", README, re.S)
        assert between and between[1].count("\n|") > 2, name
