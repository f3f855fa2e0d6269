"""Figures and tables of a small run are there and say what was not decided; the benchmark runs."""

import pandas as pd
import pytest

from scripts.boosting.bench import Size, bench
from scripts.boosting.figures import draw_all, fronts
from scripts.boosting.looks import family, labelled, need
from scripts.boosting.tables import package_table, published_table, write_tables
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.studies import describe
from tests.boosting.synthetic import adult_table
from tests.workflow.conftest import ROOT

GOLDEN = pd.DataFrame(
    [("A", "rounds_kept", 9.0, 9.0, 50, 0.0), ("A", "accuracy", 0.81234, 0.8123, 50, 4e-5)],
    columns=["model", "metric", "value", "published", "n", "difference"],
)


@pytest.fixture(scope="module")
def folder(measured, tmp_path_factory):
    made = tmp_path_factory.mktemp("drawn")
    draw_all({name: measured[name] for name in ("summary", "rounds", "candidates", "masses", "facts", "stages")}, made)
    parquet.write(GOLDEN, made / "golden.parquet")
    paths = {name: measured[name] for name in ("summary", "comparisons", "stages")}
    paths |= {"golden": str(made / "golden.parquet")}
    write_tables(paths, made)
    return made


def test_every_promised_figure_and_table_is_made(folder):
    about = describe("boosting", ROOT)
    for name in about["figures"]:
        assert all((folder / f"{name}.{kind}").stat().st_size > 1000 for kind in ("png", "pdf", "parquet"))
    for name in about["tables"]:
        assert all((folder / f"{name}.{kind}").exists() for kind in ("csv", "md", "tex"))
    assert (folder / "fronts.html").stat().st_size > 10_000


def test_an_undecided_notion_is_called_so(measured):
    from scripts.boosting.looks import MEASURES_SEVERAL
    from scripts.boosting.notions import OPPORTUNITY
    from scripts.boosting.tables import arms_table

    summary = parquet.read(measured["summary"])
    several = summary[summary["attributes"].str.contains(",")].copy()
    open_one = (several["metric"] == OPPORTUNITY) & (several["attribute"] == "sex x race")
    several.loc[open_one, ["value", "ci_low", "ci_high"]] = float("nan")
    table = arms_table(several, MEASURES_SEVERAL)
    assert (table["combinations: equal opportunity"] == "undecided").all()
    assert table["arm"].is_unique and {"MFBPP (as published)", "MFBPP (corrected)"} <= set(table["arm"])


def test_the_package_table_writes_theta_as_a_count():
    row = package_table(GOLDEN).iloc[0]
    assert (row["theta"], row["accuracy"], row["test rows"]) == ("9 / 9", "0.8123 / 0.8123", 50)


def test_the_published_table_has_dashes_where_one_side_has_no_number(measured):
    table = published_table(parquet.read(measured["summary"])).set_index(["data", "method"])
    ours = table.loc[("AdultCensus, sex", "AdaFair")]
    assert ours["equalized odds, sum, published"] == "0.084" and "±" in ours["equalized odds, sum, ours"]
    assert table.loc[("COMPAS, sex", "SMOTEBoost"), "accuracy, ours"] == "–"


def test_no_arm_of_a_front_is_beaten_in_both(measured):
    for _, own in fronts(parquet.read(measured["summary"])).groupby("attributes"):
        for point in own[own["efficient"]].itertuples():
            assert not ((own["x"] < point.x) & (own["y"] < point.y)).any()


def test_arms_keep_their_family_and_need_names_what_is_missing():
    assert (
        family("AdaFair on race")[2] == "AdaFair"
        and family("fair xgboost, EO, weight 1")[2] == "fair gradient boosting"
    )
    rows = pd.DataFrame({"protocol": ["a_b", "c", "c"], "method": ["x", "x", "y"]})
    assert labelled(rows)["arm"].tolist() == ["x (a b)", "x (c)", "y"]
    with pytest.raises(UserError, match="no rows of the stages in the results of boosting"):
        need(rows.head(0), "the stages")


def test_the_benchmark_compares_like_with_like(tmp_path):
    parquet.write(adult_table(400), tmp_path / "adult.parquet")
    size = Size(rounds=8, trees=4, depth=2, repeats=1, at_once=1)
    bench(str(tmp_path / "adult.parquet"), str(tmp_path / "b.parquet"), str(tmp_path / "b"), size)
    found = parquet.read(tmp_path / "b.parquet")
    assert len(found) == 3 and (found["ratio"] > 0).all()
    ours, plain = found["remark"].iloc[0].split(";")[0].removeprefix("theta ").split(" and ")
    assert ours == plain  # both keep the same round
