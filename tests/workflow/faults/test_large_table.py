"""A user's table of 300 MB: it is read, and how much memory that takes is what docs/data.md says."""

import json
import subprocess
import sys

import pytest

from tests.data.own_table import description, people
from tests.workflow.conftest import ROOT
from tests.workflow.faults.record import record

SIZE, MOST_MEMORY = 300 * 2**20, 2000  # bytes; MB
READ = """
import json, resource, sys
from scripts.common.own_tables import register
from scripts.data.tabular import make_table

register({"large": json.loads(sys.argv[1])})
make_table(json.loads(sys.argv[1])["file"], "large", {}, sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**10)
"""


@pytest.mark.faults
def test_a_table_of_300_mb_is_read(tmp_path):
    head, rows = people(50_000).to_csv(index=False).split("\n", 1)
    block = rows.replace("\n", ",some more text that nobody needs here\n").encode()
    with (tmp_path / "large.csv").open("wb") as file:
        file.write(f"{head},note\n".encode())
        while file.tell() < SIZE:
            file.write(block)
    about = json.dumps(description(tmp_path / "large.csv"))
    command = [sys.executable, "-c", READ, about, str(tmp_path / "t.parquet")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < MOST_MEMORY
    record("table of 300 MB", 1, 0, "a user's CSV of 4 million rows")
