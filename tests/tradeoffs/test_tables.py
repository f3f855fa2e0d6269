"""The tables of the trade-off study, on made-up results."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.published import values
from scripts.tradeoffs import tables
from scripts.tradeoffs.attack_table import under
from tests.tradeoffs.synthetic import study, write

FAIRNESS_HULL = values(tables.PUBLISHED, "fairness_frontier")["hull"]


@pytest.fixture(scope="module")
def frames():
    return study()


def test_the_table_is_ranked_by_worst_case(frames):
    table = tables.models_table(frames["metrics"], frames["runs"])
    robust = table["robust accuracy (worst case)"].str.split().str[0].astype(float)
    assert robust.is_monotonic_decreasing
    assert table["rank"].tolist()[:4] == ["1", "1", "3", "3"]  # equal ones share a rank
    assert table.method.iloc[0] == "constant: reject all"
    assert table["seeds"].tolist() == [1] * 4 + [2] * 12
    metrics = frames["metrics"]
    without = metrics[metrics.condition != under("linf_0.01", "square")]
    assert "after Square" not in tables.models_table(without, frames["runs"])


def test_tables_are_saved_with_what_the_data_is(frames, tmp_path):
    paths = write(frames, tmp_path)
    tables.save_all(paths, tmp_path, budget="APGD 20 iterations")
    models = (tmp_path / "models.md").read_text(encoding="utf-8")
    assert "rendered faces; n = 2,000 test images (under attack: 256); 2 seeds per setting" in models
    assert "APGD 20 iterations" in models
    prices = pd.read_csv(tmp_path / "fairness_price.csv").set_index("frontier")
    original = prices.loc["original, CelebA, read off its picture"]
    assert original[["least error", "gap there"]].tolist() == [*FAIRNESS_HULL[0]]
    assert original[["error at near-zero gap", "gap at near-zero gap"]].tolist() == [*FAIRNESS_HULL[3]]
    comparisons = pd.read_csv(tmp_path / "comparisons.csv")
    assert len(comparisons) == 24 and set(comparisons["FNR men - women"]) == {"-0.040 [-0.100, 0.020]"}
    facts = pd.read_csv(tmp_path / "label_facts.csv")
    assert list(facts.columns) == ["fact", "as published, test", "corrected, valid"]
    optimism = pd.read_csv(tmp_path / "optimism.csv")
    assert optimism.promised.round(4).tolist() == [0.31, 0.004] * 2 and (optimism.models == 12).all()


def test_an_undefined_promise_is_left_out(frames):
    optimism = frames["optimism"].copy()
    first = optimism.run == optimism.run.iloc[0]
    optimism.loc[first, ["promised", "realised", "optimism", "ci_low", "ci_high"]] = np.nan
    assert tables.optimism_table(optimism).models.tolist() == [11, 11, 12, 12]
