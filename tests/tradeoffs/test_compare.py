"""Paired differences between runs, and between thresholds of one run."""

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.metrics import signed
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.tradeoffs.tables import comparisons_table
from scripts.tradeoffs.tradeoffs_compare import LEAST_ERROR, compare

N = 400


@pytest.fixture
def study(tmp_path):
    """Two runs of one protocol on the same images: plain, and an arm that is right five times more often."""
    generator = np.random.default_rng(0)
    y, male = generator.integers(0, 2, (2, N)).astype(np.int8)
    score = generator.normal(size=N) + (2 * y - 1) * 0.3 - 0.8 * male
    scores = {"c.plain": score, "c.adv": score.copy()}
    wrong = np.flatnonzero((score > 0) != y)[:5]
    scores["c.adv"][wrong] *= -1
    for run, values in scores.items():
        frame = {
            "run": run,
            "row_id": np.arange(N),
            "split": "test",
            "y_true": y,
            "y_pred": (values > 0).astype(np.int8),
        }
        frame = pd.DataFrame(frame | {"score": values.astype(np.float32), "male": male})
        shuffled = frame.sample(frac=1, random_state=len(run))  # files need not agree in their order
        parquet.write(shuffled, tmp_path / f"{run}.parquet", PREDICTIONS)
    common = {"protocol": "corrected", "network": "small_cnn", "seed": 1}
    runs = [
        {"run": "c.plain", "arm": "plain", "method": "plain"},
        {"run": "c.adv", "arm": "adversarial", "method": "adv"},
    ]
    parquet.write(pd.DataFrame([common | run for run in runs]), tmp_path / "runs.parquet")
    pairs = [(0.0, 0.0, 0.30, 0.25), (-0.8, 0.0, 0.32, 0.005), (-0.9, 0.1, 0.40, 0.0), (-9.0, -9.0, 0.5, 0.0)]
    names = ["threshold_men", "threshold_women", "error_chosen", "gap_chosen"]
    fronts = [pd.DataFrame(pairs, columns=names).assign(run=run, pareto=[True, True, True, False]) for run in scores]
    parquet.write(pd.concat(fronts), tmp_path / "frontiers.parquet")
    return tmp_path, y, male, scores


def test_differences_are_those_of_the_predictions_on_the_same_images(study):
    folder, y, male, scores = study
    files = [str(folder / f"{run}.parquet") for run in scores]
    out = folder / "out.parquet"
    compare(files, folder / "runs.parquet", folder / "frontiers.parquet", out, 300, "rendered faces")
    found = parquet.read(out, COMPARISONS).set_index(["run", "second", "metric", "subgroup"])
    arm = found.loc[("c.adv", "plain", "zero_one_loss", "all")]
    assert arm["value"] == pytest.approx(-5 / N)
    assert arm["ci_low"] < -5 / N < arm["ci_high"] <= 0, "paired: only the five changed images vary"
    score = scores["c.plain"]
    fair = score > np.where(male == 1, -0.8, 0.0)
    price = ((fair != y).mean()) - (((score > 0) != y).mean())
    row = found.loc[("c.plain", LEAST_ERROR, "zero_one_loss", "all")]
    assert row["value"] == pytest.approx(price)
    fnr = [1 - fair[(male == sex) & (y == 1)].mean() for sex in (1, 0)]
    before = [1 - (score > 0)[(male == sex) & (y == 1)].mean() for sex in (1, 0)]
    change = found.loc[("c.plain", LEAST_ERROR, signed("false_negative_rate"), "all")]
    assert change["value"] == pytest.approx((fnr[0] - fnr[1]) - (before[0] - before[1]))
    assert len(comparisons_table(parquet.read(out))) == 3
