"""Figures and tables from released numbers, whatever these hold."""

import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.leakage.audit_run import Settings
from scripts.common.schemas.metrics import METRICS
from scripts.leakage.figures import draw_all
from scripts.leakage.gather import gather
from scripts.leakage.leakage_audit import audit
from scripts.leakage.leakage_checks import COLUMNS
from scripts.leakage.leakage_theory import table_rows
from scripts.leakage.tables import audit_table, theory_table
from tests.leakage.synthetic import predictions, write


@pytest.fixture(params=["draws its labels", "does not"])
def numbers(request, tmp_path):
    frame = predictions(1200, run="adult.sex.logistic.seed0").rename(columns={"group": "sex"})
    if request.param == "draws its labels":
        frame["probability"] = 0.4
    paths = [write(tmp_path, frame, study="leakage"), write(tmp_path, predictions(300, share=0.05), study="other")]
    rows, asked, _, files = audit(paths, Settings(0, 0.1), [1, 5], 1)
    metrics = gather(rows, asked, files, pd.DataFrame(columns=COLUMNS))
    for name, part, schema in (("metrics", metrics, METRICS), ("audit", rows, None), ("queries", asked, None)):
        parquet.write(part, tmp_path / f"{name}.parquet", schema)
    return tmp_path


def test_every_figure_is_drawn_and_says_what_it_rests_on(numbers):
    draw_all(*(str(numbers / f"{name}.parquet") for name in ("metrics", "audit", "queries")), numbers / "figures", 0.1)
    drawn = sorted(path.stem for path in (numbers / "figures").glob("*.png"))
    assert len(drawn) == 5
    marks = parquet.read(numbers / "figures/bound_and_attack.parquet")
    labels = marks[marks["panel"] == "from one label"]
    assert (abs(labels["leak"]) <= labels["dpd"] + 1e-12).all()


def test_the_audit_is_sorted_by_leakage(numbers):
    leak = audit_table(parquet.read(numbers / "audit.parquet"))["leak"]
    assert leak.dropna().is_monotonic_decreasing and leak.tail(2).isna().all()


def test_statements_are_added_up():
    columns = ["statement", "kind", "checked_on", "tables", "failures"]
    table = theory_table(pd.DataFrame(table_rows(), columns=columns).assign(says="as in theory.yaml")).set_index(
        "statement"
    )
    assert table.loc["P1", "tables checked"] == 147 + 429 and table.loc["P1, display of the proof", "failures"] == 484
