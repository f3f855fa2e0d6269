"""Which files are kept by their sha256: what the studies' rules list, and nothing that they write is left out."""

import re
from types import SimpleNamespace

import pytest

from scripts.common.errors import UserError
from scripts.provenance.kept_files import check_kept, kept_files


class Output(str):
    """An output of a rule, with wildcards, as Snakemake holds it."""

    def match(self, path: str) -> bool:
        return bool(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", self), path))


FIT = SimpleNamespace(
    name="coin_fit",
    input=[],
    output=[Output("results/coin/predictions/{run}.parquet"), Output("results/coin/metrics/{run}.parquet")],
)


def listed(name: str, *paths: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, input=list(paths), output=[])


def test_what_a_study_lists_is_kept():
    rules = [
        FIT,
        listed("coin_all_predictions", "results/coin/predictions/b.parquet", "results/coin/predictions/a.parquet"),
    ]
    rules.append(listed("coin_all_data", "results/data/x"))
    check_kept(rules, ["coin"])
    assert kept_files(rules, ["coin"], "predictions") == [f"results/coin/predictions/{run}.parquet" for run in "ab"]
    assert kept_files(rules, ["coin"], "data") == ["results/data/x"] and kept_files(rules, ["other"], "data") == []


def test_a_forgotten_list_is_one_line():
    with pytest.raises(
        UserError, match=r"rules/coin.smk: rule coin_fit writes results/coin/predictions/\{run\}.parquet"
    ):
        check_kept([FIT, listed("coin_all_data", "results/data/x")], ["coin"])
