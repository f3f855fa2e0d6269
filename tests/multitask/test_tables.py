"""Tables hold what the frames hold, beside the paper, and survive missing parts."""

import pandas as pd
import pytest
import yaml

from scripts.common.tables import format_interval
from scripts.multitask import tables
from scripts.multitask.labels import ODDS
from tests.multitask.frames import frames, only
from tests.workflow.conftest import ROOT


@pytest.fixture(scope="module")
def held():
    return frames()


@pytest.fixture(scope="module")
def transfer(held):
    return tables.transfer_table(held["summary"], held["comparisons"])


def of(table: pd.DataFrame, **wanted) -> pd.DataFrame:
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table


def test_every_promised_table_is_made(held, tmp_path):
    tables.write_tables(held, tmp_path)
    part = yaml.safe_load((ROOT / "scripts/multitask/study.yaml").read_text(encoding="utf-8"))
    for name in part["tables"]:
        assert all((tmp_path / f"{name}.{kind}").stat().st_size > 100 for kind in ("csv", "md", "tex"))
        assert len(pd.read_csv(tmp_path / f"{name}.csv"))
    text = (tmp_path / "transfer.md").read_text(encoding="utf-8")
    assert "95 % bootstrap intervals over tasks and seeds" in text


def test_tables_of_nothing_are_empty(held, tmp_path):
    tables.write_tables({name: frame.head(0) for name, frame in held.items()}, tmp_path)
    for name in ("transfer", "faults", "ablations", "teacher", "tasks"):
        assert pd.read_csv(tmp_path / f"{name}.csv").empty


def test_the_paper_stands_above_both_protocols(transfer, held):
    own = of(transfer, data="AdultCensus", method="FairBranch")
    assert own["numbers"].tolist() == ["paper, ACS 2018 to 2019", "as published", "corrected"]
    assert own.iloc[0][["KG", "DG EP", "DG EO", "accuracy"]].tolist() == ["0.036", "-0.001", "0.000", "–"]
    assert own["seeds of gains"].tolist() == ["–", "1", "2"]
    frame = held["comparisons"]
    frame = of(frame, source="adult", task="mean", metric=ODDS, reference="published", first="fairbranch")
    for numbers, protocol in (("as published", "as_published"), ("corrected", "corrected")):
        row = of(frame, protocol=protocol).iloc[0]
        assert row["second"] == ("stl_as_published" if protocol == "as_published" else "stl_fair")
        found = of(own, numbers=numbers).iloc[0]["DG EO"]
        assert found == format_interval(row["value"], row["ci_low"], row["ci_high"])


def test_the_majority_class_comes_first_and_is_fair(transfer):
    for data in ("AdultCensus", "many tasks"):
        first = of(transfer, data=data).iloc[0]
        assert (first["method"], first["numbers"], first["KG"]) == ("majority class", "constant", "–")
        assert first["equalized odds, sum"].startswith("0.000 [0.000")


def test_like_for_like_is_against_the_same_losses(transfer, held):
    row = of(held["comparisons"], source="adult", first="pcgrad", reference="like for like", task="mean", metric=ODDS)
    assert row["second"].tolist() == ["stl"]
    found = of(transfer, data="AdultCensus", method="PCGrad", numbers="corrected").iloc[0]
    assert found["DG EO, like for like"] == format_interval(*row.iloc[0][["value", "ci_low", "ci_high"]])
    assert of(transfer, method="many tasks").empty and "paper" not in " ".join(
        of(transfer, data="many tasks")["numbers"]
    )


def test_faults_come_one_by_one_and_all_at_once_last(held):
    table = tables.faults_table(held["comparisons"])
    own = of(table, method="FairBranch")
    assert own["fault"].tolist() == [
        "sensitive attribute is a feature",
        "second nearest tasks merged",
        "all faults at once",
    ]
    assert set(table["seeds"]) == {"1"} and set(table["data"]) == {"AdultCensus"}
    row = of(held["comparisons"], first="fairbranch", variant="protected_feature", metric=ODDS, task="mean").iloc[0]
    assert own.iloc[0]["change of equalized odds, sum"] == format_interval(*row[["value", "ci_low", "ci_high"]])


def test_ablations_are_changes_of_fairbranch_on_the_same_seeds(held):
    table = tables.ablations_table(held)
    own = of(table, data="AdultCensus").set_index("variant")
    assert own.index[0] == "FairBranch" and own.iloc[0]["change of accuracy"] == "–"
    assert own["seeds"].to_dict()["FairBranch, tau .5"] == "1" and own["seeds"].iloc[0] == "2"
    row = of(held["comparisons"], first="fairbranch_tau_5", second="fairbranch", metric="accuracy", task="mean").iloc[0]
    text = format_interval(*row[["value", "ci_low", "ci_high"]])
    assert own.loc["FairBranch, tau .5", "change of accuracy"] == text
    sizes = of(held["metrics"], source="adult", method="fairbranch", metric="parameter_fraction")
    sizes = of(sizes, protocol="corrected")["value"]
    assert own.iloc[0]["parameters, of T networks"] == f"{sizes.mean():.2f}"
    assert of(table, data="many tasks").empty  # FairBranch alone is no ablation


def test_controls_of_the_teacher_have_its_share_of_actions(held):
    own = tables.teacher_table(held).set_index("variant")
    assert list(own.index) == ["L2T-FMT", "random teacher"]
    shares = own["steps on F, fraction"].astype(float)
    assert abs(shares.iloc[0] - shares.iloc[1]) < 0.2  # rounded to whole steps of an epoch


def test_tasks_count_undefined_runs(held):
    table = tables.tasks_table(held["metrics"], held["facts"])
    assert len(table) == len(held["facts"]) and (table["undefined"] == "0").all()
    metrics = held["metrics"].copy()
    lost = (metrics["source"] == "adult") & (metrics["task"] == "task 1") & (metrics["metric"] == ODDS)
    metrics.loc[lost & (metrics["fit"] == "stl"), "value"] = float("nan")
    own = of(tables.tasks_table(metrics, held["facts"]), data="AdultCensus", task="task 1").iloc[0]
    assert own["undefined"] == "2" and own.filter(like="equalized odds").iloc[0].startswith("– / 0.")
    fact = of(held["facts"], source="adult", task="task 1").iloc[0]
    assert own["label 1 by group"] == fact["positives_by_group"]


def test_parts_may_be_missing(held, tmp_path):
    for case in ({"source": "many"}, {"methods": ("fairbranch", "l2t_fmt", "stl_fair", "majority")}):
        tables.write_tables(only(held, **case), tmp_path)
