"""How a job ends, tried in processes of their own, as Snakemake runs them."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from scripts.common import logs
from scripts.common.logs import progress

ROOT = Path(__file__).parents[2]


def run_job(tmp_path, body):
    """Run a job's body in a new Python; return the finished process and the text of its log."""
    path = tmp_path / "logs" / "rule.log"
    program = f"""
import types
from scripts.common.errors import UserError
from scripts.common.logs import job, log, progress
with job(types.SimpleNamespace(log=[{str(path)!r}])):
{textwrap.indent(textwrap.dedent(body), "    ")}
print("after the job")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return done, path.read_text(encoding="utf-8")


def test_a_good_job_logs_to_its_file_and_keeps_the_terminal_quiet(tmp_path):
    done, text = run_job(tmp_path, "log.info('reading %d rows', 3)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "after the job\n", "")
    assert "INFO reading 3 rows" in text
    assert "INFO done in" in text


def test_warnings_reach_the_terminal_too(tmp_path):
    done, text = run_job(tmp_path, "log.warning('only 5 images')")
    assert done.returncode == 0
    assert done.stderr.count("only 5 images") == text.count("only 5 images") == 1


def test_a_users_mistake_ends_in_one_line_with_status_1(tmp_path):
    done, text = run_job(tmp_path, "raise UserError('config: faces.celeba:\\n  no such folder')")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("ERROR config: faces.celeba: no such folder\n")
    assert "Traceback" not in done.stderr + text
    assert "ERROR config: faces.celeba: no such folder" in text


def test_a_fault_of_ours_keeps_its_traceback_in_the_log_and_on_the_terminal(tmp_path):
    done, text = run_job(tmp_path, "log.info('before')\n1 / 0")
    assert done.returncode == 1
    for place in (done.stderr, text):
        assert "Traceback" in place
        assert "ZeroDivisionError: division by zero" in place
    assert "INFO before" in text
    assert "done in" not in text


def test_a_second_run_starts_a_new_log(tmp_path):
    run_job(tmp_path, "log.info('first')")
    assert "first" not in run_job(tmp_path, "log.info('second')")[1]


@pytest.fixture
def lines(caplog):
    caplog.set_level("INFO", logger=logs.log.name)
    logs.log.addHandler(caplog.handler)
    yield caplog
    logs.log.removeHandler(caplog.handler)


def test_progress_yields_the_items_and_logs_at_intervals(monkeypatch, lines):
    monkeypatch.setattr(logs, "SECONDS_BETWEEN_LINES", 0.0)
    assert list(progress("abc", "reading", unit="letters")) == ["a", "b", "c"]
    assert "reading: 2 of 3 letters" in lines.text
    lines.clear()
    assert list(progress(iter("ab"), "reading")) == ["a", "b"]
    assert "reading: 1 of ? it" in lines.text


def test_progress_is_silent_between_the_intervals(lines):
    assert list(progress(range(100), "reading")) == list(range(100))
    assert lines.text == ""
