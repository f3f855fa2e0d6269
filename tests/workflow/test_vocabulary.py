"""Every released number has a registered name: in the results of a whole run, and in the shipped releases."""

import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from scripts.common.metric_checks import check_vocabulary
from scripts.common.metric_registry import registry
from scripts.common.schemas.comparisons import COMPARISONS, check_comparisons
from scripts.common.schemas.metrics import METRICS
from scripts.common.studies import study_names
from tests.workflow.conftest import ROOT

PEOPLE = ("tradeoffs", "income", "frtrain", "leakage", "boosting")  # studies that judge people
RELEASES = ROOT / "releases/preview"


def check(name: str, frame: pd.DataFrame) -> None:
    """Check whatever names metrics; the two shared schemas are known by their columns."""
    if "metric" not in frame:
        return
    assert set(frame["metric"]) <= set(registry()), name
    if set(METRICS.names) <= set(frame):
        check_vocabulary(frame, name)
    if {"first", "second"} <= set(frame):
        assert set(COMPARISONS.names) <= set(frame), name
        check_comparisons(frame, name)


def tables_of(folder: Path, study: str) -> dict[str, pd.DataFrame]:
    paths = sorted((folder / "results" / study).glob("*.parquet"))
    return {path.name: pd.read_parquet(path) for path in paths}


def shipped(study: str) -> dict[str, pd.DataFrame]:
    with zipfile.ZipFile(RELEASES / f"{study}.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".parquet") and "/figures/" not in name]
        return {Path(name).name: pd.read_parquet(io.BytesIO(archive.read(name))) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("name", study_names(ROOT))
def test_a_whole_run_writes_registered_names_alone(name, study):
    tables = tables_of(study, name)
    assert "metrics.parquet" in tables
    for table, frame in tables.items():
        check(table, frame)


@pytest.mark.parametrize("name", study_names(ROOT))
def test_the_shipped_releases_hold_registered_names_alone(name):
    for table, frame in shipped(name).items():
        check(table, frame)


@pytest.mark.parametrize("name", PEOPLE)
def test_one_query_gives_demographic_parity_with_its_interval_in_every_study(name):
    metrics = shipped(name)["metrics.parquet"]
    rows = metrics.query("metric == 'demographic_parity_difference' and split == 'test'")
    assert len(rows) and (rows["attribute"] != "none").all() and (rows["subgroup"] == "all").all()
    known = rows["value"].notna()
    assert known.any() and rows.loc[known, ["ci_low", "ci_high", "interval"]].notna().all(axis=None)
    assert (rows["ci_low"] <= rows["ci_high"])[known].all()


def test_a_name_that_nobody_registered_is_found():
    with pytest.raises(AssertionError, match="toy"):
        check("toy", pd.DataFrame({"metric": ["disparate_impct"]}))
