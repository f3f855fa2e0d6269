"""The chapter "How to add a study" of CONTRIBUTING.md: its files, put into a clone, make a study beside the rest."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.common import parquet
from scripts.common.schemas import claims as schema
from tests.workflow.conftest import ROOT, snakemake
from tests.workflow.test_replanning import CLAIMS, PAGES, planned_jobs

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CONFIGS = {"config.yaml", "config.test.yaml", "config.paper.yaml"}
BLOCK = re.compile(r"^```\w+\n(?:#|\.\.) file: (\S+)( \(appended\))?\n(.*?)^```$", re.M | re.S)


def add_study(folder: Path) -> list[str]:
    """Write the files of the page into a clone; return their names."""
    names = []
    for name, appended, text in BLOCK.findall(PAGE):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text(encoding="utf-8") + "\n" + text if appended else text, encoding="utf-8")
        names.append(name)
    return names


@pytest.fixture
def with_coin(workshop) -> Path:
    names = add_study(workshop)
    assert {name.split("/")[0] for name in names} == {*CONFIGS, "rules", "scripts", "tests"}
    return workshop


def test_the_new_study_runs_and_the_others_are_left_alone(with_coin):
    jobs = planned_jobs(with_coin)
    assert jobs.keys() == {"coin_toss", "coin_draw", "manifest"} | CLAIMS | PAGES
    result = snakemake(with_coin)
    assert result.returncode == 0, result.stdout[-3000:]
    assert "Nothing to be done" in snakemake(with_coin).stdout
    claims = parquet.read(with_coin / "results/claims.parquet", schema.CLAIMS)
    assert claims[claims.study == "coin"].verdict.tolist() == ["reproduced"]
    page = (with_coin / "results/report.html").read_text(encoding="utf-8")
    assert "The share of heads" in page and "Our coin shows heads half of the time." in page
    assert snakemake(with_coin, "docs").returncode == 0
    assert "(coin/share_of_heads.png)" in (with_coin / "docs/studies/coin.md").read_text(encoding="utf-8")
    assert (with_coin / "docs/studies/coin/share_of_heads.png").exists()
    assert "| [coin](docs/studies/coin.md) |" in (with_coin / "README.md").read_text(encoding="utf-8")


def test_its_own_tests_and_the_checks_of_every_study_pass(with_coin):
    command = [sys.executable, "-m", "pytest", "-q", "tests/coin", "tests/workflow/test_environments.py"]
    command += ["tests/common/test_config.py", "tests/claims/test_claims.py"]
    result = subprocess.run(command, cwd=with_coin, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout[-3000:]
    for check in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["snakefmt", "--check", "rules"]):
        result = subprocess.run(
            [sys.executable, "-m", *check], cwd=with_coin, capture_output=True, text=True, encoding="utf-8"
        )
        assert result.returncode == 0, f"{check}: {result.stdout[-2000:]}{result.stderr[-2000:]}"


def test_a_study_with_a_figure_that_no_rule_makes_is_one_line(with_coin):
    path = with_coin / "scripts/coin/study.yaml"
    path.write_text(
        path.read_text(encoding="utf-8")
        .replace("  share_of_heads:\n", "  heads_share:\n")
        .replace("[share_of", "[heads_"),
        encoding="utf-8",
    )
    result = snakemake(with_coin, "--dry-run")
    lines = [line for line in result.stdout.splitlines() if line.startswith("Error: ")]
    assert result.returncode == 1 and len(lines) == 1 and "heads_share has no caption" in lines[0]
