"""The DAG on a real one-node Slurm: the same bytes as a local run, also after what goes wrong on a cluster."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from scripts.common.studies import study_names, varies
from scripts.common.yaml_files import read_yaml
from tests.workflow.conftest import ROOT, new_folder
from tests.workflow.faults.record import record
from tests.workflow.slurm.cluster import MEMORY
from tests.workflow.slurm.conftest import MADE, QUICK, Place, new_place

TRAINED, CLAIMS = MADE[0], "results/claims.parquet"
LONGEST = 1200  # seconds of the whole DAG, on a machine that does much else
pytestmark = [pytest.mark.faults, pytest.mark.slow]


def tables(folder) -> dict:
    """Return the bytes of every Parquet file below the results of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted((folder / "results").rglob("*.parquet"))
    }


def steady_claims(folder) -> pd.DataFrame:
    """Return the claims whose numbers are those of files that are the same in every run."""
    claims = pd.read_parquet(folder / CLAIMS)
    files = {
        (study, claim["id"]): f"results/{study}/{claim['measure']['file']}.parquet"
        for study in study_names(ROOT)
        for claim in read_yaml(ROOT / f"scripts/{study}/claims.yaml")["claims"]
    }
    kept = [not varies(files[key], ROOT) for key in zip(claims["study"], claims["claim"], strict=True)]
    assert 0 < sum(kept) < len(claims)
    return claims[kept].reset_index(drop=True)


def lost(place, expected) -> int:
    """Return how many files are missing or differ from those of an undisturbed run."""
    made = place.bytes()
    return sum(made[name] != content for name, content in expected.items())


def field(cluster, job: str, name: str) -> str:
    """Return one field of what Slurm remembers of a job."""
    return re.search(rf"\b{name}=(\S+)", cluster.call("scontrol", "show", "job", job))[1]


@pytest.fixture(scope="session")
def whole_dag(cluster, study, tmp_path_factory) -> Iterator[tuple[Path, subprocess.Popen]]:
    """The whole DAG on its way through Slurm, and its folder: it mostly waits, so the first tests run beside it."""
    folder = new_folder(tmp_path_factory, "slurm")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--cores", "2", "--profile", str(ROOT / "profiles/slurm"), *QUICK, "--jobs", "4"]
    command += ["--configfile", str(ROOT / "config.test.yaml")]
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    with (folder / "said").open("w", encoding="utf-8") as said:
        run = subprocess.Popen(
            command,
            **{"env": environment, "stdin": subprocess.DEVNULL, "stdout": said, "stderr": subprocess.STDOUT},
            start_new_session=True,
        )
    yield folder, run
    if run.poll() is None:
        run.kill()
        run.wait()


@pytest.fixture(scope="session")
def hanging(cluster, prepared, tmp_path_factory) -> Iterator[tuple[Place, subprocess.Popen]]:
    """A run whose training hangs, and which waits for Slurm to end it while the first test runs beside it."""
    place = new_place(prepared, tmp_path_factory.mktemp("hanging"))
    run = place.start("--set-resources", "tradeoffs_train:runtime=attempt")
    place.training(cluster).suspend()
    yield place, run
    if run.poll() is None:
        run.kill()
        run.wait()


@pytest.mark.usefixtures("whole_dag", "hanging")
def test_a_cancelled_job_is_submitted_again_with_more_memory(cluster, place, expected):
    run = place.start()
    place.training(cluster)
    first = place.submitted()[0]
    cluster.call("scancel", first)
    status, said = place.finish(run)
    assert status == 0 and f"SLURM-job '{first}' failed, SLURM status is: 'CANCELLED'" in said, said[-3000:]
    again = place.submitted()[1]
    assert [field(cluster, job, "MinMemoryNode") for job in (first, again)] == ["4000M", "8000M"]
    wrong = lost(place, expected)
    record("a Slurm job is cancelled", 1, wrong, "`scancel` of a training on one-node Slurm; Snakemake retries it")
    assert wrong == 0


def test_a_job_that_hangs_ends_at_its_wall_time_and_is_tried_again(cluster, hanging, expected):
    place, run = hanging
    status, said = place.finish(run)
    assert status == 0 and "SLURM status is: 'TIMEOUT'" in said, said[-3000:]
    first, again = place.submitted()[:2]
    assert [field(cluster, job, "TimeLimit") for job in (first, again)] == ["00:01:00", "00:02:00"]
    wrong = lost(place, expected)
    record("a Slurm job exceeds its wall time", 1, wrong, "A training hangs; Slurm ends it after a minute")
    assert wrong == 0


def test_more_memory_than_any_node_has_ends_in_one_clear_line(cluster, place):
    status, said = place.run("--retries", "0", "--set-resources", f"tradeoffs_train:mem_mb={2 * MEMORY}")
    assert status == 1
    assert re.search(r"sbatch: error: .*(Memory specification|node configuration) .*", said), said[-3000:]
    assert place.submitted() == []
    half_written = list(place.folder.glob("results/**/.*.part*"))
    record("more memory asked than a node has", 1, len(half_written), "sbatch refuses; Snakemake stops with its words")
    assert half_written == []


def test_a_gpu_job_goes_to_the_gpu_partition_with_one_gpu(cluster, place):
    (place.folder / "faults.yaml").write_text("gpu: 1\ntradeoffs:\n  training: {epochs: 13}\n", encoding="utf-8")
    status, said = place.run("--retries", "0", target=TRAINED)
    (job,) = place.submitted()
    assert field(cluster, job, "Partition") == "gpu" and "gpu:1" in field(cluster, job, "TresPerJob")
    assert status == 1 and "gpu: 1 in the config, but torch sees no CUDA device" in said, said[-3000:]


def test_the_whole_dag_through_slurm_has_the_bytes_of_a_local_run(whole_dag, study):
    folder, run = whole_dag
    assert run.wait(LONGEST) == 0, (folder / "said").read_text(encoding="utf-8")[-5000:]
    submitted = (folder / "said").read_text(encoding="utf-8").count("submitted with SLURM jobid")
    made, undisturbed = tables(folder), tables(study)
    assert submitted > 30 and made.keys() == undisturbed.keys()
    names = [name for name in made if name != CLAIMS and not varies(name, ROOT)]
    different = [name for name in names if made[name] != undisturbed[name]]
    different += [] if steady_claims(folder).equals(steady_claims(study)) else [CLAIMS]
    record("the whole DAG on Slurm", submitted, len(different), "jobs of the test-scale DAG through one-node Slurm")
    assert different == []


def test_a_node_that_is_lost_and_comes_back(cluster, place, expected):
    run = place.start()
    place.training(cluster)
    cluster.kill_node()
    cluster.start_node()
    status, said = place.finish(run)
    assert status == 0, said[-3000:]
    wrong = lost(place, expected)
    record("a node is lost and comes back", 1, wrong, "`kill -9` of slurmd and of the daemon of a training's job step")
    assert wrong == 0


def test_a_killed_snakemake_is_taken_up_again(cluster, place, expected):
    run = place.start()
    place.training(cluster)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    job = place.submitted()[0]
    cluster.wait(lambda: cluster.jobs()[job] == "COMPLETED", 90)  # Slurm's jobs go on: `squeue --me` shows them
    assert place.run("--unlock")[0] == 0
    status, said = place.run()
    assert status == 0, said[-3000:]
    wrong = lost(place, expected)
    record("Snakemake on Slurm is killed", 1, wrong, "`kill -9` while a job runs; then `--unlock` and the same command")
    assert wrong == 0
