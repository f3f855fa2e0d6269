"""Our own reference numbers and bands, on the numbers of the preview that the project ships."""

import io
import zipfile

import pandas as pd
import pytest
import yaml

from scripts.claims.claims import tolerance_of
from scripts.claims.measures import measure
from scripts.claims.verdicts import NOT_REPRODUCED, judge
from tests.common.test_config import ROOT

REFERENCE = yaml.safe_load((ROOT / "tests/claims/reference.yaml").read_text(encoding="utf-8"))
CASES = [
    pytest.param(study, entry, protocol, id=f"{study}: {entry['says'][:50]}, {protocol}")
    for study, entries in REFERENCE.items()
    for entry in entries
    for protocol in entry["protocols"]
]


def released(study: str, stem: str) -> pd.DataFrame:
    """Return a table of the shipped release of the preview, one archive per study or one of all."""
    own = ROOT / f"releases/preview/{study}.zip"
    archive = own if own.exists() else ROOT / "releases/preview.zip"
    wanted = f"{stem}.parquet" if own.exists() else f"{study}/{stem}.parquet"
    with zipfile.ZipFile(archive) as members:
        name = next(name for name in members.namelist() if f"/{name}".endswith(f"/{wanted}") and "figures/" not in name)
        return pd.read_parquet(io.BytesIO(members.read(name)))


@pytest.mark.parametrize(("study", "entry", "protocol"), CASES)
def test_the_preview_comes_near_what_was_measured_before(study, entry, protocol):
    ours = measure(released(study, entry["measure"]["file"]), entry["measure"], protocol, study)
    holds = entry["holds"]
    tolerance = tolerance_of(holds["tolerance"], ours)
    verdict, words = judge(holds["rule"], ours.value, ours.low, ours.high, holds["value"], tolerance)
    assert verdict != NOT_REPRODUCED, (words, ours)
