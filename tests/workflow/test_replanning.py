"""What an edit or a changed config makes Snakemake plan again: exactly what depends on it."""

import re
from pathlib import Path

import yaml

from scripts.tradeoffs.runs import grid
from tests.common.test_config import merged
from tests.workflow.conftest import snakemake

CLAIMS = {"claims", "figure_claims"}
PAGES = {"manifest", "report"}  # what follows from anything
FIGURES = {"figure_fairness", "figure_robustness", "figure_robustness_by_sex", "figure_three_way", "figure_curves"}
MEASURING = {"measure", "gather", "compare", "findings", "label_facts"}
DRAWING = FIGURES | {"tables"}


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


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path}: {old!r} stands {text.count(old)} times"
    path.write_text(text.replace(old, new))


def test_a_copied_clone_has_nothing_to_do(workshop):
    assert planned_jobs(workshop) == {}


def test_an_edited_metric_measures_again_and_trains_nothing(workshop):
    edit(workshop / "scripts/common/metrics.py", "return (RATES", "return 1.0 * (RATES")
    jobs = planned_jobs(workshop)
    assert jobs.keys() == MEASURING | DRAWING | CLAIMS | PAGES
    runs = grid(merged("config.test.yaml")["tradeoffs"])
    assert len(jobs["measure"]) == len(runs) + 4


def test_an_edited_style_only_draws(workshop):
    edit(workshop / "scripts/common/figures.py", '"font.size": 11', '"font.size": 10')
    assert planned_jobs(workshop).keys() == DRAWING | {"figure_claims"} | PAGES


def test_a_new_seed_plans_its_own_runs_only(study, tmp_path):
    config = yaml.safe_load((study / "config.test.yaml").read_text())
    config["tradeoffs"]["seeds"] = [1, 2]
    path = tmp_path / "seeds.yaml"
    path.write_text(yaml.safe_dump(config))
    jobs = planned_jobs(study, path)
    new = {run for run in grid(merged("config.test.yaml")["tradeoffs"] | {"seeds": [2]})}
    for rule in ("train", "evaluate", "measure"):
        assert set(jobs[rule]) == new, rule
    assert not jobs.keys() & {"label", "render_faces", "constants", "choose_rows"}


def test_a_changed_hyper_parameter_trains_its_own_runs_only(study, tmp_path):
    config = yaml.safe_load((study / "config.test.yaml").read_text())
    config["tradeoffs"]["protocols"]["corrected"]["training"] = {"learning_rate": 0.002}
    path = tmp_path / "rate.yaml"
    path.write_text(yaml.safe_dump(config))
    jobs = planned_jobs(study, path)
    touched = {run for run in grid(merged("config.test.yaml")["tradeoffs"]) if run.startswith("corrected")}
    assert set(jobs["train"]) == set(jobs["evaluate"]) == touched
    constants = {"corrected.constant_reject", "corrected.constant_accept"}  # judged on the images of a trained run
    assert set(jobs["measure"]) == touched | constants


def test_an_edited_claim_judges_again_and_measures_nothing(workshop):
    edit(workshop / "scripts/tradeoffs/claims.yaml", "says: 42 % of people", "says: Four in ten people")
    assert planned_jobs(workshop).keys() == CLAIMS | PAGES
