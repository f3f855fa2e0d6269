"""Tables hold what the frames hold, in the words of the paper, and survive missing parts."""

import pandas as pd
import pytest
import yaml

from scripts.imbalance import tables
from tests.imbalance.frames import ADULT, GERMAN, frames
from tests.workflow.conftest import ROOT

GAP = "demographic parity difference"


@pytest.fixture(scope="module")
def held():
    return frames(draws=2)


def write(held: dict, folder) -> None:
    tables.write_tables(held, folder)


def test_every_promised_table_is_made(held, tmp_path):
    write(held, tmp_path)
    part = yaml.safe_load((ROOT / "scripts/imbalance/study.yaml").read_text(encoding="utf-8"))
    for name in part["tables"]:
        assert all((tmp_path / f"{name}.{kind}").stat().st_size > 100 for kind in ("csv", "md", "tex"))
        assert len(pd.read_csv(tmp_path / f"{name}.csv"))
    text = (tmp_path / "plans.md").read_text(encoding="utf-8")
    assert "95 % corrected resampled t intervals over splits" in text


def test_tables_of_nothing_are_empty(held, tmp_path):
    write({name: frame.head(0) for name, frame in held.items()}, tmp_path)
    assert pd.read_csv(tmp_path / "plans.csv").empty


def test_the_paper_stands_above_both_protocols(held):
    table = tables.plans_table(held["summary"])
    own = table[(table["data"] == "AdultCensus, sex") & (table["plan"] == "class ratio")]
    own = own[own["generator"].str.startswith("CART")]
    assert own["numbers"].tolist() == ["paper", "as published", "corrected"]
    assert own.iloc[0][GAP] == "0.117 ± 0.037" and own.iloc[0]["ROC AUC"] == "–"
    summary = held["summary"]
    chosen = summary[(summary["method"] == "same_class cart") & (summary["dataset"] == ADULT)]
    chosen = chosen[(chosen["metric"] == tables.GAP) & (chosen["dose"] == 1) & (chosen["variant"] == "main")]
    value = chosen[chosen["protocol"] == "corrected"].iloc[0]
    assert own.iloc[2][GAP] == f"{value['value']:.3f} [{value['ci_low']:.3f}, {value['ci_high']:.3f}]"


def test_published_rows_without_a_counterpart_are_kept(held):
    table = tables.plans_table(held["summary"])
    paper = table[(table["numbers"] == "paper") & (table["data"] == "AdultCensus, sex")]
    assert len(paper) == 16 and {"CTGAN", "TabFairGAN", "TVAE"} <= set(paper["generator"])
    assert table[table["generator"] == "row weights"]["numbers"].eq("corrected").all()


def test_differences_say_against_what(held):
    table = tables.differences_table(held["comparisons"])
    own = table[(table["data"] == "AdultCensus, sex") & (table["plan"] == "class ratio")]
    cart = own[own["generator"] == "CART"]
    assert sorted(cart["minus"] + " " + cart["numbers"]) == sorted(
        [
            f"{other} {protocol}"
            for other in ("real rows", "copies of the plan")
            for protocol in ("as published", "corrected")
        ]
        + ["the same, corrected as published"]
    )
    row = held["comparisons"]
    row = row[(row["first"] == "same_class cart") & (row["second"] == "real") & (row["dataset"] == ADULT)]
    row = row[(row["metric"] == tables.GAP) & (row["protocol"] == "corrected") & (row["variant"] == "main")].iloc[0]
    real = cart[(cart["minus"] == "real rows") & (cart["numbers"] == "corrected")].iloc[0]
    assert real[GAP].startswith(f"{row['value']:.3f} [")
    assert real[f"{GAP}: p / Holm"] == f"{tables.p_text(row['p_value'])} / {tables.p_text(row['p_holm'])}"
    assert "bootstrap" not in set(own[own["minus"] == "copies of the plan"]["generator"])


def test_rows_added_are_those_of_the_fixture(held):
    table = tables.rows_added_table(held["counts"])
    own = table[table["data"] == "AdultCensus, sex"].set_index("plan")
    assert own.loc["class ratio", ["rows added", "percent", "to"]].tolist() == [
        "2,802",
        "9.3 %",
        "women, label 1: 2,802",
    ]
    assert own.loc["group", "to"] == "women: 10,624" and own.loc["class", "rows added"] == "15,210"


def test_quality_is_a_mean_over_draws_and_splits():
    rows = [(split, draw, value) for split, draw, value in ((0, 0, 0.1), (0, 1, 0.3), (1, 0, 0.4), (1, 1, 0.4))]
    frame = pd.DataFrame(rows, columns=["split", "draw", "value"])
    frame = frame.assign(dataset="d", attributes="sex", plan="class", generator="cart", condition="")
    row = tables.quality_table(frame.assign(metric="exact_copy_fraction")).iloc[0]
    assert row["exact copies of training rows"] == "0.300 ± 0.141" and row["distance of marginals"] == "–"
    assert (row["splits"], row["draws"]) == ("2", "2")


def test_sensitivity_holds_what_was_checked_alone(held):
    table = tables.sensitivity_table(held["summary"], held["comparisons"])
    assert set(table["check"]) == {"none", "sensitive kept", "without relationship"}
    assert "group" not in set(table["plan"])  # no check ran with it
    assert table[table["generator"] == "real rows alone"][f"{GAP}, minus real"].eq("–").all()
    assert not table[table["plan"] == "class ratio"][f"{GAP}, minus real"].eq("–").any()


def test_variance_puts_the_paper_beside_splits_and_draws(held):
    table = tables.variance_table(held["summary"])
    own = table[(table["data"] == "AdultCensus, sex") & (table["plan"] == "class") & (table["generator"] == "CART")]
    assert own["F1, paper"].tolist() == ["0.042", "0.042"] and own["numbers"].tolist() == ["as published", "corrected"]
    published, corrected = own["F1, splits"].astype(float)
    assert published > 0.03 > 0.01 > corrected and own["F1, draws"].ne("–").all()
    once = tables.variance_table(frames(places=((GERMAN, "sex"),), doses=(), variants=())["summary"])
    assert once["F1, draws"].eq("–").all() and once["F1, paper"].eq("–").all()


def test_p_values():
    assert [tables.p_text(value) for value in (0.0004, 0.0123, 1.0)] == ["<0.001", "0.012", "1.000"]
