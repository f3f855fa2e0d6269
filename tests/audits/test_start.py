"""`make audit`, from its variables to the page, as a stranger runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.audits.start import last_error, name_of, settings_from
from scripts.common.errors import UserError
from scripts.common.parquet import read
from scripts.common.schemas.metrics import METRICS
from tests.audits.made_up import people
from tests.workflow.conftest import ROOT, clone_into, snakemake


def test_variables_become_a_block_of_the_config():
    given = {"PREDICTIONS": "My file (2).csv", "LABEL": "y", "PREDICTION": "p", "ATTRIBUTES": "sex, race", "SCORE": ""}
    name, entry = settings_from(given | {"THRESHOLD": "0,5"})
    assert name == "My-file-2" and entry["attributes"] == ["sex", "race"] and entry["threshold"] == 0.5
    assert entry == {
        "predictions": "My file (2).csv", "label": "y", "prediction": "p", "attributes": ["sex", "race"],
        "threshold": 0.5,
    }  # fmt: skip
    assert name_of("/a/b/.csv") == "audit" and name_of("ä.csv") == "audit"


def test_what_is_not_given_is_named_with_the_usage(tmp_path):
    with pytest.raises(UserError, match="LABEL, ATTRIBUTES not given; write: make audit PREDICTIONS="):
        settings_from({"PREDICTIONS": "a.csv", "ATTRIBUTES": " , "})
    with pytest.raises(UserError, match="THRESHOLD: 'half' is no number"):
        settings_from({"PREDICTIONS": "a.csv", "LABEL": "y", "ATTRIBUTES": "sex", "THRESHOLD": "half"})
    assert last_error(tmp_path) == ""


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return clone_into(tmp_path_factory.mktemp("audited"))


def start(clone, **variables):
    command = [sys.executable, "-m", "scripts.audits.start", "--cores", "2"]
    return subprocess.run(
        command, cwd=clone, env={**os.environ, **variables}, capture_output=True, text=True, encoding="utf-8"
    )


@pytest.mark.slow
def test_a_stranger_gets_the_page_one_line_per_mistake_and_only_what_changed(clone, tmp_path):
    people().to_csv(tmp_path / "Köln's people.csv", index=False)
    given = {"PREDICTIONS": str(tmp_path / "Köln's people.csv"), "LABEL": "income", "PREDICTION": "predicted"}
    given |= {"ATTRIBUTES": "sex,race", "SCORE": "score", "NAME": "first"}
    done = start(clone, **given)
    assert done.returncode == 0, done.stderr
    assert "Of sex, Male are selected in" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Page: results/audits/first/audit.html")
    folder = clone / "results/audits/first"
    assert len(read(folder / "metrics.parquet", METRICS)) > 100 and not (folder / "comparisons.parquet").exists()
    page = (folder / "audit.html").read_bytes()

    wrong = start(clone, **given | {"LABEL": "Income"})
    assert wrong.returncode == 1 and len(wrong.stderr.splitlines()) == 1
    assert wrong.stderr.startswith("Error: ") and "there is no column 'Income'; did you mean 'income'?" in wrong.stderr
    gone = start(clone, **given | {"PREDICTIONS": "nobody.csv"})
    assert gone.returncode == 1 and "nobody.csv: no such file" in gone.stderr and len(gone.stderr.splitlines()) == 1

    # a file of the same date with another content is another audit
    stamp = Path(given["PREDICTIONS"]).stat()
    people(seed=1).to_csv(given["PREDICTIONS"], index=False)
    os.utime(given["PREDICTIONS"], ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert start(clone, **given).returncode == 0 and (folder / "audit.html").read_bytes() != page


@pytest.mark.slow
def test_no_audit_runs_unless_asked_and_configured_ones_belong_to_the_study(clone, tmp_path):
    planned = snakemake(clone, "-n", "all").stdout
    assert "audit_measure" not in planned and "manifest" in planned
    people().to_csv(tmp_path / "a.csv", index=False)
    overlay = tmp_path / "mine.yaml"
    block = f"predictions: {tmp_path}/a.csv, label: income, prediction: predicted, attributes: [sex]"
    overlay.write_text(f"audits: {{mine: {{{block}}}}}\n", encoding="utf-8")
    planned = snakemake(
        clone, "-n", "all", "--configfile", str(ROOT / "config.test.yaml"), str(overlay), config=None
    ).stdout
    assert "rule audit_measure" in planned and "results/audits/mine/audit.html" in planned
    manifest = planned.partition("rule manifest:")[2].partition("output:")[0]
    assert f"{tmp_path}/a.csv" in manifest
    overlay.write_text("audits: {mine: {predictions: a.csv, label: y}}\n", encoding="utf-8")
    refused = snakemake(clone, "-n", "all", "--configfile", str(ROOT / "config.test.yaml"), str(overlay), config=None)
    assert refused.returncode and "audits.mine: 'attributes' is a required property" in refused.stdout
