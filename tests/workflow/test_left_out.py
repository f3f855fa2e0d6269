"""No study needs another: each left out of the config in turn, and one more that takes the names anyone would take."""

from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import clone_into, snakemake
from tests.workflow.rule_files import STUDIES
from tests.workflow.test_adding_a_study import add_study
from tests.workflow.test_replanning import planned_jobs

TOY = """
PLAN, OUT, FACES = ["first", "second"], "results/coin", "none"


rule coin_raw:
    output:
        f"{OUT}/predictions/{{run}}.parquet",
    log:
        f"{OUT}/logs/coin_raw/{{run}}.log",
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/coin/coin_toss.py"


rule coin_all_predictions:
    input:
        expand(f"{OUT}/predictions/{{run}}.parquet", run=PLAN),
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A clone of this checkout in which nothing has been made."""
    return clone_into(tmp_path_factory.mktemp("left_out"))


@pytest.mark.parametrize("study", STUDIES)
def test_the_others_plan_and_lint_without_it(clone, study):
    path = clone / "config.yaml"
    whole = path.read_text(encoding="utf-8")
    config = yaml.safe_load(whole)
    del config[study]
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    try:
        jobs = planned_jobs(clone, config=None)
        assert jobs and not [name for name in jobs if name.startswith(f"{study}_")]
        assert {"claims", "manifest", "report"} <= jobs.keys()
        lint = snakemake(clone, "--lint", config=None)
        assert lint.returncode == 0 and "in a good condition" in lint.stdout, lint.stdout[-2000:]
    finally:
        path.write_text(whole, encoding="utf-8")


@pytest.fixture
def with_toy(tmp_path) -> Path:
    """A clone with the study of the page, whose rule file takes the plainest of names."""
    folder = clone_into(tmp_path / "toy")
    add_study(folder)
    with (folder / "rules/coin.smk").open("a", encoding="utf-8") as file:
        file.write("\n" + TOY)
    return folder


def test_a_study_may_use_the_names_that_anyone_would_use(with_toy):
    jobs = planned_jobs(with_toy)
    assert sorted(jobs["coin_raw"]) == ["first", "second"]
    assert {f"{study}_draw" for study in STUDIES} <= jobs.keys() and "leakage_audit" in jobs


def test_predictions_that_no_list_names_are_one_line(with_toy):
    path = with_toy / "rules/coin.smk"
    path.write_text(path.read_text(encoding="utf-8").split("rule coin_all_predictions")[0], encoding="utf-8")
    result = snakemake(with_toy, "--dry-run")
    lines = [line for line in result.stdout.splitlines() if line.startswith("Error: ")]
    assert result.returncode == 1 and len(lines) == 1, result.stdout[-2000:]
    assert "rules/coin.smk: rule coin_raw writes results/coin/predictions/{run}.parquet" in lines[0]


def test_a_figure_that_no_rule_makes_is_one_line(with_toy):
    path = with_toy / "rules/coin.smk"
    path.write_text(
        path.read_text(encoding="utf-8").replace('figure_files("coin", "share_of_heads")', '"results/coin/figure.png"'),
        encoding="utf-8",
    )
    result = snakemake(with_toy, "--dry-run")
    lines = [line for line in result.stdout.splitlines() if line.startswith("Error: ")]
    assert result.returncode == 1 and len(lines) == 1, result.stdout[-2000:]
    assert "scripts/coin/study.yaml: no rule makes results/coin/figures/share_of_heads.png" in lines[0]
