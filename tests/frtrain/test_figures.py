"""Figures and tables of a small fitted study: they hold what they say, and say when there is nothing."""

import pandas as pd
import pytest
from safetensors.numpy import load_file

from scripts.common import figures, parquet
from scripts.common.errors import UserError
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.frtrain import (
    figure_curves,
    figure_groups,
    figure_methods,
    figure_seeds,
    figure_tradeoff,
    groups,
    tables,
)
from tests.common.test_config import merged

PRINTED = {"clean": 0.85, "poisoned": 0.52}


@pytest.fixture(scope="module")
def frames(small):
    comparisons = parquet.read(small / "comparisons.parquet", COMPARISONS)
    return {"comparisons": comparisons} | {
        name: parquet.read(small / f"{name}.parquet", METRICS) for name in ("metrics", "choices")
    }


@pytest.fixture(scope="module", autouse=True)
def in_style():
    with figures.style():
        yield


def test_the_comparison_draws_ours_and_the_printed_points(frames):
    figure, drawn = figure_methods.draw(frames["choices"])
    assert (drawn["layer"] == "published").sum() == 18
    assert set(drawn.loc[drawn["layer"] == "ours", "method"]) == set(frames["choices"]["method"])
    note = " ".join(figure.get_supxlabel().split())
    assert len(figure.axes) == 2 and "1,000 test rows" in note
    # one kind of bar for all methods, with one seed or with several
    ours, rows = drawn[drawn["layer"] == "ours"], frames["choices"]
    assert "95 % bootstrap intervals over rows, of every method" in note and "deviation" not in note
    own = rows[(rows["method"] == "FR-Train") & (rows["protocol"] == "corrected") & (rows["labels"] == "poisoned")]
    own = own[(own["notion"] == "parity") & (own["variant"] == "standard") & (own["metric"] == "accuracy")]
    bar = ours[(ours["method"] == "FR-Train") & (ours["labels"] == "poisoned")].iloc[0]
    reach = (own["value"] - own["ci_low"])[own["subgroup"] == "all"].mean()
    assert bar["seeds"] == 2 and bar["accuracy"] - bar["accuracy_low"] == pytest.approx(reach)
    assert ours[["accuracy_low", "accuracy_high", "di_low", "di_high"]].notna().all(axis=None)


def test_the_trade_off_holds_the_notebooks_points(frames):
    _, drawn = figure_tradeoff.draw(frames["metrics"], merged("config.test.yaml")["frtrain"]["lambdas"])
    ours = drawn[(drawn["layer"] == "first seed") & (drawn["labels"] == "poisoned") & (drawn["lambda_f"] == 0.52)]
    assert ours[["accuracy", "disparate_impact"]].iloc[0].tolist() == pytest.approx([0.814, 0.827], abs=0.002)
    assert set(drawn["layer"]) == {"first seed", "other seeds", "notebook"}


def test_the_curves_hold_every_rate_and_size(frames):
    rows = figure_curves.curve_rows(frames["metrics"], 0.52, [1])
    _, rates = figure_curves.draw_rates(rows, 0.52)
    assert set(rates.loc[rates["rule"] == "targeted", "x"]) == {0, 0.1, 0.2}
    assert set(rates.loc[rates["rule"] == "random", "x"]) == {0, 0.1, 0.2}
    _, sizes = figure_curves.draw_sizes(rows, 0.52)
    assert set(sizes["x"]) == {50, 200} and (sizes["low"] <= sizes["value"]).all()


def test_the_seeds_are_drawn_one_dot_each(frames):
    _, drawn = figure_seeds.draw(frames["metrics"], PRINTED, 1)
    assert set(drawn["variant"]) == {"standard", "attached", "no_weights", "no_gradient", "all_rows"}
    assert (drawn.groupby(["labels", "variant", "metric"]).size() == 2).all()


def test_the_motivating_picture_has_both_boundaries(small, table):
    names = ("grid_clean", "grid_poisoned", "baselines_clean", "baselines_poisoned")
    stored = {key: value for name in names for key, value in load_file(small / f"{name}.weights").items()}
    frame = pd.concat([groups.points(table), groups.boundaries(stored, 1, PRINTED)], ignore_index=True)
    figure, drawn = figure_groups.draw(frame)
    assert len(figure.axes) == 4 and (drawn["kind"] == "boundary").sum() == 8
    flipped = drawn[(drawn["labels"] == "poisoned") & (drawn["kind"] == "point") & drawn["flipped"].astype(bool)]
    assert len(flipped) > 30 and (flipped["z"] == 1).all()
    with pytest.raises(UserError, match=r"no model synthetic.clean.lr.seed9"):
        groups.boundaries(stored, 9, PRINTED)


def test_the_table_puts_the_printed_numbers_beside_ours(frames):
    rows = tables.wide(tables.spread(frames["choices"]))
    table = tables.synthetic_table(rows).set_index("method")
    assert (
        table.loc["LR", "clean, printed"]
        == table.loc["LR", "clean, as published (printed setting, seed 1)"]
        == "0.409 / 0.885"
    )
    assert table.loc["LR", "poisoned, corrected"] == "0.446 / 0.819"
    assert table.loc["FR-Train", "poisoned, as published (printed setting, seed 1)"] == "0.827 / 0.814"
    assert "±" in table.loc["FR-Train", "poisoned, corrected"]
    assert list(table.index)[:2] == ["LR", "LR, 1,800 rows"]


def test_all_tables_are_written(frames, tmp_path):
    choices = pd.concat([frames["choices"], frames["choices"].assign(dataset="COMPAS")])
    tables.save_all(choices, frames["comparisons"], tmp_path)
    names = ("synthetic", "real", "ablations", "handover", "equalized_odds")
    assert {path.name for path in tmp_path.iterdir()} == {f"{n}.{k}" for n in names for k in ("csv", "md", "tex")}
    assert "0.899 / 0.674" in (tmp_path / "real.md").read_text(encoding="utf-8")


def test_empty_results_are_named(frames):
    with pytest.raises(UserError, match="no runs of"):
        figure_methods.draw(frames["choices"].head(0))
    with pytest.raises(UserError, match="no runs of FR-Train"):
        figure_seeds.draw(frames["metrics"].head(0), PRINTED, 1)
