"""The descriptions of the tables: each a file of its own, checked against the schema."""

import pytest

from scripts.common import tabular
from scripts.common.errors import UserError
from scripts.common.own_tables import check_table
from scripts.common.yaml_files import check, read_yaml
from scripts.data.sources import SOURCES
from scripts.data.table_steps import STEPS

SCHEMA = read_yaml(tabular.FOLDER.with_name("tables.schema.yaml"))


@pytest.mark.parametrize("name", tabular.table_names())
def test_every_description_keeps_the_schema_and_can_be_made(name):
    path = tabular.FOLDER / f"{name}.yaml"
    about = read_yaml(path)
    check(about, SCHEMA | {"required": ["title", "source", "licence", "label", "attributes", "rows"]}, path)
    table = tabular.table_of(name)
    check_table(table, name)
    assert table.user_supplied or table.package in SOURCES["packages"]
    assert about["source"].get("by_hand") or not table.user_supplied
    steps = [entry if isinstance(entry, str) else next(iter(entry)) for entry in about.get("steps", [])]
    assert set(steps) <= STEPS.keys() and {"all", *table.subsets} <= table.rows.keys()


def test_only_the_file_of_the_table_is_read(tmp_path, monkeypatch):
    (tmp_path / "good.yaml").write_text((tabular.FOLDER / "adult.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("title: [", encoding="utf-8")
    monkeypatch.setattr(tabular, "FOLDER", tmp_path)
    tabular.table_of.cache_clear()
    assert tabular.table_of("good").title == "AdultCensus" and list(tabular.TABLES) == ["bad", "good"]
    with pytest.raises(UserError, match=r"bad.yaml: no description of a table"):
        tabular.table_of("bad")
    tabular.table_of.cache_clear()


def test_a_description_without_a_key_is_one_line():
    about = read_yaml(tabular.FOLDER / "adult.yaml")
    del about["label"]["one"]
    with pytest.raises(UserError, match="'one' is a required property"):
        check(about, SCHEMA, "x.yaml")
