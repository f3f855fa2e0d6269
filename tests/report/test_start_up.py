"""The measure of start-up time reads what Python and Snakemake print, and weighs by the number of jobs."""

import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.report import start_up
from tests.workflow.conftest import ROOT

IMPORT_TIME = """import time: self [us] | cumulative | imported package
import time:       100 |        100 |   torch._C
import time:       250 |    1500000 | torch
a line of the script's own
import time:         9 |     400000 | pandas
import time:         9 |     900000 |   numpy
"""
JOBS = """Building DAG of jobs...
Job stats:
job            count
-----------  -------
x_fit              3
x_tables           1
all                1
total              5

"""


def test_import_times_are_read_and_only_heavy_packages_are_named():
    seconds = start_up.parsed(IMPORT_TIME)
    assert seconds == {"torch._C": 1e-4, "torch": 1.5, "pandas": 0.4, "numpy": 0.9}
    assert start_up.heaviest(seconds) == "torch 1.50, pandas 0.40" and start_up.heaviest(seconds, 1) == "torch 1.50"


def test_jobs_are_counted_without_their_total():
    assert start_up.counted(JOBS) == {"x_fit": 3, "x_tables": 1, "all": 1}
    with pytest.raises(UserError, match="no table of jobs"):
        start_up.counted("Nothing to be done.")


def test_a_process_that_burns_cpu_costs_it_and_one_that_waits_does_not(tmp_path):
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    wait = "import time\ntime.sleep(0.6)"
    assert start_up.cpu_seconds(burn, tmp_path) >= 0.5 > start_up.cpu_seconds(wait, tmp_path)
    for fails in (start_up.cpu_seconds, start_up.import_seconds):
        with pytest.raises(UserError, match="import no_such_module"):
            fails("import no_such_module", tmp_path)


def test_the_smallest_repeat_counts_times_the_jobs(monkeypatch, tmp_path):
    costs = {"import scripts.x.fit": [3.0, 2.0, 4.0], "import scripts.x.tables": [7.0, 8.0, 9.0]}
    costs[start_up.PREAMBLE] = [0.5, 0.25, 0.75]
    monkeypatch.setattr(start_up, "cpu_seconds", lambda statement, root: costs[statement].pop(0))
    monkeypatch.setattr(start_up, "import_seconds", lambda statement, root: {"torch": 1.0})
    monkeypatch.setattr(start_up, "planned", lambda root: {"fit": 10, "tables": 1, "all": 1})
    scripts = {"fit": "scripts/x/fit.py", "tables": "scripts/x/tables.py", "unplanned": "scripts/x/none.py"}
    start_up.start_up(scripts, ROOT, str(tmp_path / "s.parquet"), str(tmp_path / "s"))
    frame = pd.read_parquet(tmp_path / "s.parquet").set_index("rule")
    assert frame.index.tolist() == ["fit", "tables", "(Snakemake's preamble)"]
    assert frame["sum"].tolist() == [20.0, 7.0, 11 * 0.25] and frame["jobs"].tolist() == [10, 1, 11]
    assert "27.0 over all jobs" in (tmp_path / "s.md").read_text(encoding="utf-8")
    assert (tmp_path / "s.csv").exists() and (tmp_path / "s.tex").exists()
