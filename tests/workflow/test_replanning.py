"""What an edit or a changed config makes Snakemake plan again: exactly what depends on it.

What depends on a file is computed here a second way: from the import statements of the rules' scripts and the arrows of
the rule graph.
"""

import re
from functools import cache
from pathlib import Path

import yaml

from scripts.common.imports import project_imports
from scripts.tradeoffs.runs import grid
from tests.common.test_config import merged
from tests.workflow.conftest import ROOT, snakemake
from tests.workflow.rule_files import fits
from tests.workflow.rulegraph import EDGE, rulegraph_of
from tests.workflow.test_environments import RULES

CLAIMS = {"claims", "claims_draw"}
EXPLORERS = {"boosting_draw", "encrypted_draw", "imbalance_draw", "multitask_draw", "tradeoffs_figure_three_way"}
PAGES = {"report"}  # what follows from anything; the manifest follows from numbers alone
TRAINING = fits() | {"render_faces", "backdoor_scan", "backdoor_mitigate"}
MEASURING = {
    "tradeoffs_measure",
    "tradeoffs_gather",
    "tradeoffs_compare",
    "tradeoffs_label_facts",
    "frtrain_measure",
    "income_measure",
}
MEASURING |= {"leakage_audit", "backdoor_gather"}


def planned_jobs(folder: Path, config: str | Path = "config.test.yaml") -> dict[str, list[str]]:
    """Return the planned jobs of a dry run: rule to the runs (or other wildcards) of its jobs."""
    result = snakemake(folder, "--dry-run", config=config)
    assert result.returncode == 0, result.stdout[-3000:]
    jobs: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=(?:local)?rule \w+:)", result.stdout)[1:]:
        name = re.match(r"(?:local)?rule (\w+):", block)[1]
        wildcards = re.search(r"^    wildcards: (?:\w+=)?(.*)$", block, re.M)
        jobs.setdefault(name, []).append(wildcards[1] if wildcards else "")
    jobs.pop("all", None)
    return jobs


@cache
def arrows() -> set[tuple[str, str]]:
    """Return the arrows between rules, `all` left out."""
    graph = rulegraph_of(ROOT / "Snakefile")
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]$", graph, re.M))
    return {(names[a], names[b]) for a, b in EDGE.findall(graph) if names[b] != "all"}


@cache
def scripts() -> dict[str, str]:
    """Return the script of every rule."""
    found = {}
    for path in RULES:
        for name, body in re.findall(
            r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", path.read_text(encoding="utf-8"), re.M | re.S
        ):
            if script := re.search(r'"\.\./(scripts/[^"]+)"\s*$', body, re.M):
                found[name] = script[1]
    return found


def expected(edited: str) -> set[str]:
    """Return the rules that import a file, and all that follow from them."""
    importing = {name for name, script in scripts().items() if edited in (script, *project_imports(script, ROOT))}
    found = importing & {name for arrow in arrows() for name in arrow}
    while new := {b for a, b in arrows() if a in found} - found:
        found |= new
    return found


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path}: {old!r} stands {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_copied_clone_has_nothing_to_do(workshop):
    assert planned_jobs(workshop) == {}


def test_an_edited_metric_measures_again_and_trains_nothing(workshop):
    edit(workshop / "scripts/common/metrics.py", "return (RATES", "return 1.0 * (RATES")
    jobs = planned_jobs(workshop)
    assert jobs.keys() == expected("scripts/common/metrics.py")
    assert jobs.keys() >= MEASURING | CLAIMS | PAGES | {"manifest"} and not jobs.keys() & TRAINING
    assert len(jobs["tradeoffs_measure"]) == len(grid(merged("config.test.yaml")["tradeoffs"])) + 2


def test_an_edited_style_only_draws(workshop):
    edit(workshop / "scripts/common/figures.py", '"font.size": 11', '"font.size": 10')
    jobs = planned_jobs(workshop)
    assert jobs.keys() == expected("scripts/common/figures.py")
    assert jobs.keys() >= {"tradeoffs_draw", "claims_draw", *PAGES}
    drawing = {name for name in jobs if re.search("draw|figure", name)}
    assert jobs.keys() - drawing == PAGES


def test_a_new_seed_plans_its_own_runs_only(study, tmp_path):
    config = yaml.safe_load((study / "config.test.yaml").read_text(encoding="utf-8"))
    config["tradeoffs"]["seeds"] = [1, 2]
    path = tmp_path / "seeds.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    jobs = planned_jobs(study, path)
    new = {run for run in grid(merged("config.test.yaml")["tradeoffs"] | {"seeds": [2]})}
    for rule in ("tradeoffs_train", "tradeoffs_evaluate", "tradeoffs_measure"):
        assert set(jobs[rule]) == new, rule
    others = {"tradeoffs_label", "tradeoffs_constants", "choose_rows"} | TRAINING - {
        "tradeoffs_train",
        "tradeoffs_evaluate",
    }
    assert not jobs.keys() & others


def test_a_changed_hyper_parameter_trains_its_own_runs_only(study, tmp_path):
    config = yaml.safe_load((study / "config.test.yaml").read_text(encoding="utf-8"))
    config["tradeoffs"]["protocols"]["corrected"]["training"] = {"learning_rate": 0.002}
    path = tmp_path / "rate.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    jobs = planned_jobs(study, path)
    touched = {run for run in grid(merged("config.test.yaml")["tradeoffs"]) if run.startswith("corrected")}
    assert set(jobs["tradeoffs_train"]) == set(jobs["tradeoffs_evaluate"]) == touched
    constants = {"corrected.constants"}  # judged on the images of a trained run
    assert set(jobs["tradeoffs_measure"]) == touched | constants
    assert jobs.keys() & TRAINING == {"tradeoffs_train", "tradeoffs_evaluate", "tradeoffs_constants"}


def test_an_edited_claim_judges_again_and_measures_nothing(workshop):
    edit(workshop / "scripts/tradeoffs/claims.yaml", "says: 42 % of people", "says: Four in ten people")
    assert planned_jobs(workshop).keys() == CLAIMS | PAGES


def test_an_edited_page_style_draws_the_pages_again_and_nothing_else(workshop):
    edit(workshop / "scripts/common/html/base.css", "max-width: 78rem", "max-width: 77rem")
    assert planned_jobs(workshop).keys() - PAGES == EXPLORERS


def test_an_edited_page_script_draws_its_own_page_again(workshop):
    edit(workshop / "scripts/boosting/html/explorer.js", '"errors first"', '"error first"')
    jobs = planned_jobs(workshop).keys()
    assert "report" in jobs and jobs - PAGES == {"boosting_draw"}


def test_plumbing_and_another_table_remake_nothing(workshop):
    edit(workshop / "scripts/common/logs.py", '"done in %.1f s"', '"finished in %.1f s"')
    edit(workshop / "scripts/common/files.py", "the disk is full; free some space", "the disk is full; make room")
    edit(workshop / "scripts/common/errors.py", "single line that says", "line that says")
    edit(workshop / "scripts/common/parent_watchdog.py", "SECONDS = 0.5", "SECONDS = 1.0")
    tables = workshop / "scripts/data/tables"
    (tables / "more_german.yaml").write_text(
        (tables / "german.yaml").read_text(encoding="utf-8").replace("German", "More German"), encoding="utf-8"
    )
    assert planned_jobs(workshop) == {}


def test_an_edited_schema_or_table_concerns_those_that_use_it(workshop):
    edit(workshop / "scripts/common/schemas/curves.py", "one row per epoch", "a row per epoch")
    edit(workshop / "scripts/data/tables/german.yaml", "positive: good credit", "positive: credit that is good")
    jobs = planned_jobs(workshop)
    assert jobs["tabular"] == ["german"] and jobs["income_fit"] == ["german.sex"]
    assert {"tradeoffs_train", "backdoor_train"} <= jobs.keys()  # they write curves
    assert not {"boosting_fit", "frtrain_fit", "leakage_models", "mnist", "render_faces"} & jobs.keys()
