"""Which data sets take part, and what a wrong path of the config is told."""

from types import SimpleNamespace

import pytest

from scripts.common.errors import UserError
from scripts.data.user_table import user_table
from scripts.income.people import title
from scripts.income.plan import Plan
from tests.income.made_up import ENTRY


def batch(name: str) -> SimpleNamespace:
    return SimpleNamespace(batch=name)


def plan(bank: str = "", most_rows: int | None = None, seeds=(1, 2)) -> Plan:
    others = {"attribute": "marital", "rows": "all", "most_rows": None, "protocols": ["corrected"]}
    datasets = [{**ENTRY, "most_rows": most_rows}, {"table": "bank", **others}]
    return Plan({"seeds": list(seeds), "files": {"bank": bank}, "datasets": datasets})


def test_a_file_that_is_not_named_leaves_its_data_set_out():
    assert list(plan().cells) == ["adult_all.sex"]
    assert list(plan("~/bank.zip").cells) == ["adult_all.sex", "bank.marital"]
    assert plan("~/bank.zip").table(batch("bank.marital.part1")) == "results/data/tabular/bank.parquet"
    assert plan().table(batch("adult_all.sex.part1")) == "results/data/tabular/adult_all.parquet"


def test_a_data_set_with_fewer_rows_says_so_in_its_title():
    assert title(plan().cells["adult_all.sex"]) == "Adult"
    assert title(plan(most_rows=2000).cells["adult_all.sex"]) == "Adult, at most 2,000 rows"


def test_many_rows_are_fitted_by_a_few_seeds_per_job_and_few_rows_in_one_job():
    large, small = plan(seeds=range(1, 8)), plan(most_rows=2000, seeds=range(1, 8))
    assert large.batches == {
        "adult_all.sex.part1": ("adult_all.sex", [1, 2, 3, 4, 5]),
        "adult_all.sex.part2": ("adult_all.sex", [6, 7]),
    }
    assert small.batches == {"adult_all.sex": ("adult_all.sex", [1, 2, 3, 4, 5, 6, 7])}
    priorities = [large.priority(batch(name)) for name in large.batches] + [small.priority(batch("adult_all.sex"))]
    assert priorities == sorted(priorities, reverse=True)


def test_a_path_that_leads_nowhere_is_named_with_its_key(tmp_path):
    with pytest.raises(UserError, match=r"income.files.bank: .*none.zip: no such file; correct the path"):
        user_table(str(tmp_path / "none.zip"), "bank", {}, tmp_path / "table.parquet", "income.files")
