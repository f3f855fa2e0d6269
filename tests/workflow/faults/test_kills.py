"""Jobs and Snakemake itself are killed, stopped and started twice; the documented commands then finish the run."""

import os
import random
import signal
import time

import psutil
import pytest

from tests.workflow.faults.conftest import (
    LONGEST,
    MADE,
    RUN,
    TARGET,
    TRAINED,
    WEIGHTS,
    half_written,
    jobs_of,
    lost,
    wait_for_file,
    wait_for_job,
)
from tests.workflow.faults.record import record

pytestmark = pytest.mark.faults
MOMENTS = 10


def test_a_training_killed_at_random_moments_ends_with_the_same_bytes(place, undisturbed, trained):
    random.seed(8)
    tried = wrong = 0
    while tried < MOMENTS:
        process = place.start(WEIGHTS)
        training = wait_for_job(process, "tradeoffs_train.py")
        time.sleep(random.uniform(0.2, 6.0))
        try:
            training.kill()
        except psutil.NoSuchProcess:  # done already: the next one starts from nothing
            process.wait(LONGEST)
            place.forget()
            continue
        status = process.wait(LONGEST)
        if status == 0:  # killed after its last file was written
            place.forget()
            continue
        tried += 1
        assert "SIGKILL" in place.said() and not place.contents([TRAINED[2]])
        if tried % 3 == 0:  # every third time it is killed three times before it may finish
            status, said = place.run(WEIGHTS)
            assert status == 0, said[-4000:]
            wrong += lost(place, trained)
            place.forget()
    status, said = place.run(TARGET)
    assert status == 0, said[-4000:]
    wrong += lost(place, undisturbed)
    record("training killed", tried, wrong, f"kill -9 of a training at {MOMENTS} random moments, then the same command")
    assert wrong == 0


def test_snakemake_killed_takes_its_jobs_along_and_the_documented_commands_finish(place, undisturbed):
    moments = [0.5, 3.0, 4.5]
    for moment in moments:
        process = place.start(TARGET)
        training = wait_for_job(process, "tradeoffs_train.py")
        time.sleep(moment)
        process.kill()
        process.wait(LONGEST)
        training.wait(30)  # it may be importing yet; an orphan would put its results over those of a later run
        status, said = place.run(TARGET)
        assert status == 1 and "--unlock" in said and "Traceback" not in said, said[-3000:]
        if moment != moments[-1]:
            place.unlock()
    place.finish()
    wrong = lost(place, undisturbed)
    record(
        "Snakemake killed", len(moments), wrong, "kill -9 of Snakemake while it trains, then the documented commands"
    )
    assert wrong == 0


def test_a_snakemake_killed_between_jobs_is_taken_up_again(place, undisturbed):
    process = place.start(TARGET)
    wait_for_file(process, place.folder, MADE[0])
    process.kill()
    process.wait(LONGEST)
    place.finish()
    wrong = lost(place, undisturbed)
    record("Snakemake killed", 1, wrong, "kill -9 of Snakemake as a job ends, then the documented commands")
    assert wrong == 0


def test_a_job_outlives_no_run_even_below_a_shell(place):
    """As under conda, where a shell stands between Snakemake and the job."""
    program = "import types, time\nfrom scripts.common.logs import job\n"
    program += "with job(types.SimpleNamespace(log=['x.log'])):\n    print('on', flush=True)\n    time.sleep(60)\n"
    (place.folder / "program.py").write_text(program, encoding="utf-8")
    parent = psutil.Popen(
        ["bash", "-c", "COUNTERWEIGHT_RUN=$$ bash -c 'python program.py; true' & wait"],
        cwd=place.folder,
        env=place.environment | {"PYTHONPATH": ".", "PATH": f"{place.folder}/.venv/bin:{os.environ['PATH']}"},
        stdout=-1,
        text=True,
        encoding="utf-8",
    )
    assert parent.stdout.readline() == "on\n"
    (child,) = [child for child in parent.children(recursive=True) if "program.py" in child.cmdline()]
    assert child.ppid() != parent.pid
    parent.kill()
    parent.wait()
    child.wait(5)
    assert not child.is_running()


@pytest.mark.parametrize("target", ["run", "terminal"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_stopped_run_says_so_and_goes_on_with_the_same_command(place, trained, name, target):
    process = place.start(WEIGHTS)
    training = wait_for_job(process, "tradeoffs_train.py")
    wait_for_file(process, place.folder, f"results/tradeoffs/checkpoints/{RUN}/epoch_*")
    to = os.killpg if target == "terminal" else os.kill  # Ctrl-C in a terminal reaches the jobs too
    to(process.pid, getattr(signal, name))
    assert process.wait(LONGEST) == 1
    training.wait(3)
    said = place.said()
    assert "Traceback" not in said and "KeyboardInterrupt" not in said, said[-3000:]
    assert list(place.folder.glob("results/**/.*.part*")) == []
    status, said = place.run(WEIGHTS)  # no unlock needed
    assert status == 0, said[-3000:]
    wrong = lost(place, trained)
    record(f"stopped by {name}", 1, wrong, f"{name} to {'all processes' if target == 'terminal' else 'Snakemake'}")
    assert wrong == 0


def test_of_two_runs_at_once_the_second_stops_and_the_first_is_not_disturbed(place, undisturbed):
    first = place.start(TARGET)
    wait_for_job(first, "tradeoffs_train.py")
    said = place.folder / "said"
    said.rename(place.folder / "said.first")
    status, words = place.run(TARGET)
    assert (status == 1 and "Traceback" not in words and "another" in words.lower()) or "other Snakemake" in words, (
        words
    )
    assert first.wait(LONGEST) == 0, (place.folder / "said.first").read_text(encoding="utf-8")[-3000:]
    wrong = lost(place, undisturbed)
    record("two runs at once", 1, wrong, "the same command a second time while the first one trains")
    assert wrong == 0


def test_two_runs_at_once_for_different_results_do_not_mix(place, undisturbed):
    other = TARGET.replace(".plain.", ".fair.weight0.5.")
    first = place.start(TARGET)
    wait_for_job(first, "tradeoffs_train.py")
    status, words = place.run(other)
    assert first.wait(LONGEST) == 0
    if status != 0:  # where they share a file, the second one stops
        assert "Traceback" not in words
        place.finish(other)
    wrong = lost(place, undisturbed) + (not (place.folder / other).exists())
    record("two runs at once", 1, wrong, "two commands for different results of the same folder")
    assert wrong == 0 and jobs_of(first, "tradeoffs_train.py") == [] and half_written(place.folder) == []
