"""A table of a user's own, an attribute of five groups and gaps that are kept, through the whole study."""

import fairlearn.metrics as fair
import numpy as np
import pytest

from scripts.common import parquet
from scripts.common.own_tables import register
from scripts.data.tabular import make_table
from scripts.imbalance import synthetic_file
from scripts.imbalance.consistency import check
from scripts.imbalance.imbalance_fit import fit_part
from scripts.imbalance.imbalance_generate import generate
from scripts.imbalance.imbalance_measure import measure_all
from tests.data.own_table import REGIONS, description, people
from tests.imbalance.synthetic import CLASSIFIER, LIMITS, SETTINGS, SPLITTING, entry

OWN = entry(
    table="loans",
    attributes=["region"],
    splits=2,
    plans=["class", "protected"],
    generators=["bootstrap", "cart", "copula", "smote_nc"],
    controls=["weights", "reweighing"],
    without=["branch"],
)
NAMES = ("metrics", "comparisons", "summary", "splits", "counts", "added", "facts")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The table as a user has it, made, and all files of the study from it."""
    folder = tmp_path_factory.mktemp("loans")
    frame, random = people(), np.random.default_rng(0)
    for name in ("income", "age", "branch"):
        frame[name] = frame[name].mask(random.random(5000) < 0.1)
    frame.to_csv(folder / "loans.csv", index=False)
    own = description(folder / "loans.csv", incomplete="keep")
    own["attributes"].pop("age")  # of which rows have a gap
    register({"loans": own})
    check({"datasets": [OWN], "folds": 3, "repeats": 2, "splits_per_job": 2})
    make_table(folder / "loans.csv", "loans", {}, folder / "loans.parquet")
    table = parquet.read(folder / "loans.parquet")
    generate(table, OWN, [0, 1], SPLITTING, SETTINGS, **LIMITS, output=folder / "rows.parquet")
    output = {kind: str(folder / f"{kind}.parquet") for kind in ("predictions", "runs")}
    fit_part(table, OWN, [0, 1], SPLITTING, folder / "rows.parquet", CLASSIFIER, output)
    parts = {"loans.region": [(output["predictions"], output["runs"])]}
    written = {name: str(folder / f"{name}.parquet") for name in NAMES}
    measure_all({"loans": str(folder / "loans.parquet")}, [OWN], SPLITTING, parts, written)
    yield folder
    register({})


def test_gaps_are_kept_in_the_table_and_filled_before_rows_are_generated(folder):
    table = parquet.read(folder / "loans.parquet")
    assert len(table) == 5000 and (table[["income", "age", "branch"]].isna().mean() > 0.05).all()
    made = synthetic_file.read(folder / "rows.parquet")
    assert len(made) == 2 * 2 * 4 and sum(len(rows.label) for rows in made) > 5_000
    for rows in made:
        assert np.isfinite(rows.table.numeric).all() and (rows.table.codes >= 0).all()
        assert set(rows.table.schema.order) == {"income", "debt", "age", "gender", "branch"}


def test_plans_do_what_they_say_for_five_groups(folder):
    counts = parquet.read(folder / "counts.parquet")
    assert set(counts["group"]) == set(REGIONS)
    total = counts.assign(total=counts["rows"] + counts["added"])
    for _, own in total[total["plan"] == "class"].groupby(["split", "group"]):
        assert own["total"].nunique() == 1
    for _, own in total[total["plan"] == "protected"].groupby("split"):
        assert own["total"].nunique() == 1 and (own["label"] == -1).all()


def test_gaps_over_five_groups_are_those_of_fairlearn(folder):
    metrics, predictions = (parquet.read(folder / f"{name}.parquet") for name in ("metrics", "predictions"))
    gaps = metrics[metrics["metric"] == "demographic_parity_difference"].drop_duplicates("run")
    assert len(gaps) == predictions["run"].nunique() == 2 * (1 + 2 + 1 + 8 + 3)
    for row in gaps.iloc[::5].itertuples():
        own = predictions[predictions["run"] == row.run]
        expected = fair.demographic_parity_difference(own["y_true"], own["y_pred"], sensitive_features=own["region"])
        assert row.value == pytest.approx(expected, abs=1e-12) and row.ci_low <= row.value <= row.ci_high
    assert set(metrics.loc[metrics["attribute"] == "region", "subgroup"]) == {"all", *REGIONS}


def test_the_model_learns_and_every_frame_names_the_table(folder):
    summary = parquet.read(folder / "summary.parquet")
    real = summary[(summary["method"] == "real") & (summary["metric"] == "balanced_accuracy")]
    assert (real["value"] > 0.7).all() and len(real) == 3  # both protocols, and without the branch
    for name in NAMES:
        frame = parquet.read(folder / f"{name}.parquet")
        assert set(frame["dataset"]) == {"Loans"} and set(frame["attributes"]) == {"region"}
    assert parquet.read(folder / "facts.parquet")["lost"].tolist() == [""]
