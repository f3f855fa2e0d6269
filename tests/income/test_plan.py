"""Which data sets take part, and what a wrong path of the config is told."""

from types import SimpleNamespace

import pytest

from scripts.common.errors import UserError
from scripts.data.own_table import own_table
from scripts.income.people import title
from scripts.income.plan import Plan
from tests.income.made_up import ENTRY


def plan(bank: str = "", most_rows: int | None = None) -> Plan:
    others = {"attribute": "marital", "rows": "all", "most_rows": None, "protocols": ["corrected"]}
    datasets = [{**ENTRY, "most_rows": most_rows}, {"table": "bank", **others}]
    return Plan({"seeds": [1, 2], "files": {"bank": bank, "credit": ""}, "datasets": datasets})


def test_a_file_that_is_not_named_leaves_its_data_set_out():
    assert list(plan().cells) == ["adult_all.sex"]
    assert list(plan("~/bank.zip").cells) == ["adult_all.sex", "bank.marital"]
    assert plan("~/bank.zip").table(SimpleNamespace(cell="bank.marital")) == "results/income/data/bank.parquet"
    assert plan().table(SimpleNamespace(cell="adult_all.sex")) == "results/data/tabular/adult_all.parquet"


def test_a_part_of_the_rows_is_named_and_needs_no_processes():
    assert title(plan().cells["adult_all.sex"]) == "Adult"
    assert title(plan(most_rows=2000).cells["adult_all.sex"]) == "Adult, at most 2,000 rows"
    adult = SimpleNamespace(cell="adult_all.sex")
    assert (plan().threads(adult), plan(most_rows=2000).threads(adult)) == (2, 1)


def test_a_path_that_leads_nowhere_is_named_with_its_key(tmp_path):
    with pytest.raises(UserError, match=r"income.files.bank: .*none.zip: no such file; correct the path"):
        own_table(str(tmp_path / "none.zip"), "bank", {}, tmp_path / "table.parquet", "income.files")
