"""How large a DAG is planned in one go: jobs, memory and processor time of dry runs of generated configs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.frtrain.plan import Plan, cells
from scripts.tradeoffs.plan import Plan as RunPlan
from scripts.tradeoffs.runs import grid, jobs_of
from tests.common.test_config import merged
from tests.workflow.conftest import ROOT

MOST_MEMORY = 500  # MB
MOST_SECONDS = 20
# Runs a command and prints [status, kilobytes, seconds] of it. In a process of its own: Linux counts what a process was
# before its exec as its memory, and that would be this test run's.
METER = """
import json, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([status, used.ru_maxrss, used.ru_utime + used.ru_stime]))
"""


def planned(folder: Path, overlay: dict, target: str) -> tuple[dict[str, int], float, float]:
    """Return of a dry run: {rule: jobs}, its largest memory in MB and its processor time in seconds."""
    (folder / "large.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", target, "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--dry-run", "--cores", "2", "--quiet", "rules"]
    command += ["--configfile", str(folder / "large.yaml")]
    with (folder / "said").open("w", encoding="utf-8") as said:
        meter = [sys.executable, "-c", METER, *command]
        done = subprocess.run(
            meter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True, encoding="utf-8"
        )
    status, kilobytes, seconds = json.loads(done.stdout)
    text = (folder / "said").read_text(encoding="utf-8")
    assert status == 0, text[-3000:]
    jobs = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", text.split("Job stats:")[-1], re.M)}
    return jobs, kilobytes / 1024, seconds


def test_ten_thousand_models_that_share_jobs(tmp_path, record_property):
    seeds = list(range(1, 351))
    study = merged()["frtrain"] | {"seeds": seeds}
    models = sum(len(cells(batch, study)) for batch in Plan(study).batches)
    jobs, memory, seconds = planned(tmp_path, {"frtrain": {"seeds": seeds}}, "results/frtrain/metrics.parquet")
    record_property("seconds", seconds)
    assert models >= 10_000 and jobs["frtrain_fit"] == len(Plan(study).batches) and memory < MOST_MEMORY


@pytest.mark.slow
def test_a_thousand_models_with_jobs_of_their_own(tmp_path, record_property):
    seeds = list(range(1, 168))
    runs = len(grid(merged()["tradeoffs"] | {"seeds": seeds}))
    overlay = {"tradeoffs": {"seeds": seeds, "training": {"runs_per_job": 1}}}
    jobs, memory, seconds = planned(tmp_path, overlay, "results/tradeoffs/metrics.parquet")
    record_property("seconds", seconds)
    assert runs >= 1000 and jobs["tradeoffs_train"] == jobs["tradeoffs_evaluate"] == runs and memory < MOST_MEMORY


def test_ten_thousand_trainings_that_share_jobs(tmp_path, record_property):
    seeds = list(range(1, 1668))
    training = merged()["tradeoffs"]["training"] | {"runs_per_job": 25}
    study = merged()["tradeoffs"] | {"seeds": seeds, "training": training}
    overlay = {"tradeoffs": {"seeds": seeds, "training": {"runs_per_job": 25}}}
    jobs, memory, seconds = planned(tmp_path, overlay, "results/tradeoffs/metrics.parquet")
    record_property("seconds", seconds)
    assert len(grid(study)) >= 10_000 and memory < MOST_MEMORY and seconds < MOST_SECONDS
    assert jobs["tradeoffs_train"] == jobs["tradeoffs_evaluate"] == len(jobs_of(grid(study), study)) < 410


def test_the_pattern_of_run_names_does_not_grow_with_their_number():
    """Snakemake walks through it for every file of every job: a list of all names makes planning quadratic."""
    study = merged()["tradeoffs"]
    few, many = (RunPlan(study | {"seeds": list(range(1, last))}) for last in (3, 500))
    pattern = re.compile(few.pattern)
    assert many.pattern == few.pattern
    shared = RunPlan(study | {"training": study["training"] | {"runs_per_job": 7}})
    assert all(pattern.fullmatch(name) for name in [*many.jobs, *many.constants, *shared.jobs])
    for wrong in ("corrected.small_cnn.plain", "corrected.huge_cnn.plain.seed1", "constant_reject", "corrected.seed1"):
        assert not pattern.fullmatch(wrong)
